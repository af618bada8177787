import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Interrupted, Openings } from '../../../bench/openings.ts';
import { measurePeers } from '../../../bench/peers.ts';
import { peerOf } from '../../../bench/peers/driven-peer.ts';
import { isReady } from '../../../bench/peers/driver-protocol.ts';
import { PeerProcesses } from '../../../bench/peers/peer-processes.ts';
import { root } from '../../house/sources.ts';

const work = mkdtempSync(join(tmpdir(), 'polaron-driven-peer-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const openings = new Openings();
afterEach(() => openings.close());

const script = join(work, 'driver.mjs');
const seen = join(work, 'seen');
/** A driver with a process of its own that doesn't end by itself: `hang` writes both ids into `seen` and stays. */
writeFileSync(
  script,
  `import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { serve } from '${pathToFileURL(join(root, 'bench/peers/serve.mjs')).href}';
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
console.log('a library says hello');
serve({
  'W1 good': async () => [30, 10, 20],
  'W1 bad': async () => { throw new Error('wrong value: got 1, wanted 2'); },
  'W1 gone': async () => { console.error('out of everything'); process.exit(3); },
  'W1 hang': async () => {
    writeFileSync(process.argv[2] + '/data', 'left');
    writeFileSync(${JSON.stringify(seen)}, [process.pid, child.pid, process.argv[2]].join(' '));
    await new Promise(() => {});
  },
});
`,
);

const peer = (forms: readonly string[], withinMs?: number) =>
  peerOf(
    {
      name: 'fake',
      what: 'a driver of the tests',
      forms: { W1: forms },
      prepare: async () => ({
        versions: { fake: '1' },
        async start(processes) {
          const driver = processes.start(process.execPath, [script, processes.folder()], { stopBy: 'stdin' });
          await driver.line(isReady, 20_000);
          return driver;
        },
      }),
    },
    withinMs,
  );

function lives(pid: number): boolean {
  try {
    // A zombie has ended: it only waits for its parent to hear of it.
    process.kill(pid, 0);
    return !existsSync(`/proc/${pid}/stat`) || readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] !== 'Z';
  } catch {
    return false;
  }
}

function hung(): { pids: number[]; folder: string } {
  const [driver, child, folder = ''] = readFileSync(seen, 'utf8').split(' ');
  return { pids: [Number(driver), Number(child)], folder };
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { timeout: 20_000 }).toBe(true);
}

describe('a process of a peer', () => {
  it('is not waited for when something that left its group holds its output open', async () => {
    const away =
      "require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'inherit' })";
    const processes = new PeerProcesses();
    const started = processes.start(process.execPath, ['-e', `console.log('pid ' + ${away}.pid)`]);
    const pid = await started.line((line) => /^pid (\d+)$/.exec(line)?.[1], 20_000);
    try {
      await processes.close();
      expect(lives(Number(pid))).toBe(true);
    } finally {
      process.kill(Number(pid));
    }
  });
});

describe('a peer that a driver measures', () => {
  it('has the figures of its driver, and a library may chatter', async () => {
    const { figures, about } = await measurePeers(['W1'], 2, () => undefined, [peer(['good'])]);
    expect(figures['fake']?.['W1']?.['step']).toMatchObject({ median: 20, runs: [20, 20] });
    expect(about['fake']).toMatchObject({ versions: { fake: '1' }, failed: {} });
  });

  it('keeps why a form has none: what the driver said, or how it ended and its last words', async () => {
    const said: string[] = [];
    const { figures, about } = await measurePeers(['W1'], 1, (line) => said.push(line), [peer(['bad', 'gone'])]);
    expect(figures['fake']).toEqual({});
    expect(about['fake']).toMatchObject({
      failed: {
        W1: expect.stringMatching(
          /bad: .*wrong value: got 1, wanted 2; gone: .*node driver\.mjs ended with code 3: \| .*out of everything/,
        ),
      },
    });
    expect(said.join('\n')).toMatch('not measured');
  });

  it('ends with all of its processes and its folder when a run is late, and begins anew', async () => {
    const opened = await peer(['hang', 'good'], 5_000).open(openings, () => undefined);
    await expect(opened.measure('W1', 'hang')).rejects.toThrow('gave no result within 5 s');
    const { pids, folder } = hung();
    expect(pids.map(lives)).toEqual([false, false]);
    expect(existsSync(folder)).toBe(false);
    expect(await opened.measure('W1', 'good')).toEqual({ step: 20 });
  });

  it('leaves nothing behind when it is interrupted, and what waits for it hears so', async () => {
    rmSync(seen);
    const opened = await peer(['hang']).open(openings, () => undefined);
    const measured = expect(opened.measure('W1', 'hang')).rejects.toThrow(Interrupted);
    await until(() => existsSync(seen) && hung().folder !== '');
    await openings.close();
    await measured;
    const { pids, folder } = hung();
    expect(pids.map(lives)).toEqual([false, false]);
    expect(existsSync(folder)).toBe(false);
  });
});
