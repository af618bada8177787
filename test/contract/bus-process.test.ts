/** What a connection does to its process: whether it keeps it alive, and what it prints. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Broker } from '../../bus/broker/broker.ts';
import { startBroker } from '../../bus/broker/broker.ts';
import { noLog } from '../support/log-list.ts';
import { realClock } from '../support/real-clock.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs code that has `connect(options)` and `url`; says how it ended and how long it lived after printing `done`. */
async function run(url: string, code: string): Promise<{ code: number | null; output: string; lingeredMs: number }> {
  const script = `
    import { connectNats } from ${JSON.stringify(`${root}bus/nats-bus.ts`)};
    const none = new Uint8Array(0);
    const connect = (options) => connectNats({ servers: ${JSON.stringify(url)}, name: 'child', identity: 'child', log: () => {}, ...options });
    ${code}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let doneAt = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('done')) doneAt ||= performance.now();
    });
  }
  const kill = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const ended = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(kill);
  return { code: ended, output: output.trim(), lingeredMs: performance.now() - doneAt };
}

describe('a connection and its process', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker({ auth: 'none', log: noLog, clock: realClock });
  });
  afterAll(() => broker.close());

  test('with keepAlive: false a script ends by itself soon after its last await', async () => {
    const { code, output, lingeredMs } = await run(
      broker.url,
      `const bus = await connect({ keepAlive: false });
       bus.subscribe('child.echo', async (m) => { await new Promise((r) => setTimeout(r, 300)); m.respond(m.data); });
       // Nothing but the pending request keeps it alive here.
       const answer = await bus.request('child.echo', new Uint8Array(3), { timeoutMs: 10_000 });
       await bus.flush();
       await bus.request('child.nobody', none, { timeoutMs: 10_000 }).catch((error) => console.log(error.code));
       console.log('done', answer.data.length);`,
    );
    expect([code, output]).toEqual([0, 'NO_RESPONDERS\ndone 3']);
    expect(lingeredMs).toBeLessThan(1_000);
  });

  test('without it, it stays until closed', async () => {
    const { code, output, lingeredMs } = await run(
      broker.url,
      `const bus = await connect({});
       setTimeout(() => bus.close(), 700).unref();
       console.log('done');`,
    );
    expect([code, output]).toEqual([0, 'done']);
    expect(lingeredMs).toBeGreaterThan(500);
  });

  test('a request keeps it alive until its timeout, and a lost hub does not', async () => {
    const own = await startBroker({
      auth: 'none',
      log: noLog,
      clock: realClock,
      faults: {
        onDeliver: ({ subject }) => {
          if (subject === 'child.cut') setImmediate(() => void own.close());
          return 'deliver';
        },
      },
    });
    const { code, output } = await run(
      own.url,
      `const bus = await connect({ keepAlive: false });
       bus.subscribe('child.*', () => {});
       const code = (error) => console.log(error.code);
       await bus.request('child.mute', none, { timeoutMs: 400 }).catch(code);
       await bus.request('child.cut', none, { timeoutMs: 100_000 }).catch(code);
       console.log('done');`,
    );
    expect([code, output]).toEqual([0, 'REQUEST_TIMEOUT\nBUS_DISCONNECTED\ndone']);
  });
});
