/** An agent with the executors of docs/guides/executors.md: the files as a reader would save them, the real command, a real job queue. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cancel, dispatch, getResult, getValue } from 'polaron';
import { credentialsFor } from '../../bus/credentials.ts';
import { agentIdentity } from '../../bus/identity.ts';
import { loadIdentity } from '../../host/data-folder.ts';
import { codeBlocks } from '../docs/code-blocks.ts';
import { readPage } from '../docs/pages.ts';
import { root } from '../house/sources.ts';
import { withRealPart } from '../support/real-part.ts';
import { RealHub, type Running } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { low, spooled, tooLow } from './workflows/executors.ts';

const WAIT_MS = 60_000;
const hub = new RealHub({ start: ['--no-agent'] });
let folder = '';
beforeAll(async () => {
  await hub.start();
  folder = mkdtempSync(join(hub.home, 'executors-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'polaron'));
  symlinkSync(join(root, 'node_modules', 'arktype'), join(folder, 'node_modules', 'arktype'));
  for (const { file, code } of codeBlocks(readPage('docs/guides/executors.md')))
    if (file !== undefined) writeFileSync(join(folder, file), code);
}, WAIT_MS);
afterAll(() => hub.close());

/** With these files of the guide. */
async function startAgent(name: string, files: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const { user, password } = credentialsFor(loadIdentity(join(hub.home, 'data')).secret, agentIdentity('lab', name));
  const url = Object.assign(new URL(hub.file().bus), { username: user, password });
  const executors = files.flatMap((file) => ['--executor', join(folder, file)]);
  const agent = hub.launchPolaron(['agent', '--bus', url.href, '--name', name, '--site', 'lab', ...executors], {
    POLARON_HOME: join(hub.home, `agent-${name}`),
    ...env,
  });
  await until(
    () => agent.out().includes('ready') || agent.child.exitCode !== null,
    `agent ${name} joins: ${agent.err()}`,
    WAIT_MS,
  );
  return agent;
}

it(
  'runs electrons in the way that a file in TypeScript says, with options that its schema checks',
  async () => {
    const agent = await startAgent('nice', ['nice.ts']);
    // it is added to what these tests run with
    expect(await getValue(await dispatch(low)())).toBe(getPriority() + 7);
    const failed = await getResult(await dispatch(tooLow)(), { wait: true });
    if (failed.status !== 'failed') throw new Error(failed.status);
    expect(failed.error).toMatchObject({ code: 'EXECUTOR_OPTION' });
    expect(failed.error.message).toMatch(/option "level" \(70\): .*19/);
    expect(await failed.electrons.get('wrongLevel')).toMatchObject({ attempts: 1 });
    agent.child.kill('SIGTERM');
    await agent.finished;
  },
  WAIT_MS,
);

it(
  'says what is wrong with a file that is no executor',
  async () => {
    writeFileSync(join(folder, 'none.ts'), 'export default { name: "none" };\n');
    const { exit, err } = await hub.polaron(['agent', '--bus', hub.file().bus, '--executor', join(folder, 'none.ts')]);
    expect(exit).not.toBe(0);
    expect(err).toMatch(/executor ".*none\.ts": its default export is not what defineExecutor gives/);
  },
  WAIT_MS,
);

const tsp = ((): string | undefined => {
  try {
    return execFileSync('tsp', ['-V'], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
})();

withRealPart('task-spooler', tsp, 'there is no command tsp', () => {
  const queue = { TS_SOCKET: join(hub.home, 'tsp') };
  afterAll(() => void execFileSync('tsp', ['-K'], { env: { ...process.env, ...queue } }));
  const notes = (at: string): readonly string[] => {
    try {
      return readFileSync(join(at, 'notes'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };

  it(
    'finds a job of the queue again when its agent was killed meanwhile, and runs nothing twice',
    async () => {
      const at = mkdtempSync(join(hub.home, 'gate-'));
      const first = await startAgent('spool', ['spooled.ts'], queue);
      const id = await dispatch(spooled)(at);
      await until(() => notes(at).length === 1, 'it runs in the queue', WAIT_MS);
      await hub.kill(first.pid);
      const second = await startAgent('spool', ['spooled.ts'], queue);
      writeFileSync(join(at, 'gate'), '');
      expect(await getValue(id)).toBe('through the gate');
      expect(notes(at)).toHaveLength(1);
      expect(await (await getResult(id)).electrons.get('waits')).toMatchObject({ attempts: 1 });
      second.child.kill('SIGTERM');
      await second.finished;
    },
    2 * WAIT_MS,
  );

  it(
    'takes a job out of the queue when its electron is cancelled',
    async () => {
      const at = mkdtempSync(join(hub.home, 'gate-'));
      const agent = await startAgent('spool', ['spooled.ts'], queue);
      const id = await dispatch(spooled)(at);
      await until(() => notes(at).length === 1, 'it runs in the queue', WAIT_MS);
      expect((await cancel(id)).unconfirmed).toEqual([]);
      const [began = ''] = notes(at);
      expect(() => process.kill(Number(began.split(' ')[1]), 0)).toThrow('ESRCH');
      agent.child.kill('SIGTERM');
      await agent.finished;
    },
    WAIT_MS,
  );
});
