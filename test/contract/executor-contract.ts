/** What every executor does for an electron, whatever runs it: an agent with it, a fake hub, real runners. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecutorFactory } from '../../executors/executor-ground.ts';
import { digestOf } from '../../bus/value/digest.ts';
import type { Outcome } from '../../model/outcome.ts';
import { errorOf, startHarness, valueOf, type Harness } from '../support/agent-harness.ts';
import { input, taskId, type TaskSpec } from '../support/fake-hub.ts';
import { until } from '../support/until.ts';

export interface ExecutorUnderTest {
  readonly name: string;
  readonly make: () => ExecutorFactory;
  /** Of its electrons, if it needs any. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The code of an electron that ends its process, and of one that dies by a signal. */
  readonly deaths: { readonly exits: string; readonly signal: string };
  /** It goes on with its jobs when the agent restarts. */
  readonly keepsJobs: boolean;
  /** Its processes are of this machine: the test can see that they are gone. */
  readonly local: boolean;
  /** How long one electron may take, ms. @default 30000 */
  readonly patienceMs?: number;
}

export function executorContract(o: ExecutorUnderTest): void {
  const { patienceMs = 30_000 } = o;
  describe(`executor ${o.name}`, { timeout: 2 * patienceMs }, () => {
    let harness: Harness;
    let next = 0;
    beforeAll(async () => {
      harness = await startHarness({
        executors: [o.make()],
        capabilities: [],
        slots: 4,
        maxValueBytes: 64 * 1024 * 1024,
      });
      await harness.agent.joined;
    }, patienceMs);
    afterAll(() => harness.close());

    async function assign(
      electron: string,
      args: readonly unknown[] = [],
      more: Partial<TaskSpec> = {},
    ): Promise<number> {
      const id = ++next;
      const { options: executorOptions } = o;
      const how = executorOptions === undefined ? { executor: o.name } : { executor: o.name, executorOptions };
      await harness.hub.assignAll({ [id]: { electron, args, ...how, ...more } });
      return id;
    }
    const ended = (id: number): Promise<Outcome> => harness.hub.outcome(id, patienceMs);
    const run = async (
      electron: string,
      args: readonly unknown[] = [],
      more: Partial<TaskSpec> = {},
    ): Promise<Outcome> => ended(await assign(electron, args, more));

    /** What the electron has written so far. */
    const written = (id: number): string =>
      harness.hub.logs.flatMap((line) => (isLine(line) && line.task === taskId(id) ? [line.text] : [])).join('');
    async function pidIn(id: number, word: string): Promise<number> {
      const found = (): RegExpExecArray | null => new RegExp(`${word} (\\d+)`).exec(written(id));
      await until(() => found() !== null, `"${word} …" from task ${id}`, patienceMs);
      return Number(found()?.[1]);
    }

    it('is offered by the agent that has it', () => {
      expect(harness.hub.syncs.at(-1)?.capabilities).toContain(o.name);
    });

    it('gives arguments and inputs to the electron, and its result back', async () => {
      expect(valueOf(await run('add', [2, 3]))).toBe(5);
      expect(valueOf(await run('add', [], { inputs: [input(20), input(22)] }))).toBe(42);
      expect(valueOf(await run('info', [], { attempt: 3, path: '2[1].0' }))).toMatchObject({
        nodeId: '2[1].0',
        attempt: 3,
      });
    });

    it('brings large values both ways as files', async () => {
      const list = Array.from({ length: 300_000 }, (_, i) => i);
      expect(valueOf(await run('sum', [], { inputs: [harness.hub.store(input(list))] }))).toBe(44_999_850_000);
      const held: Outcome[] = [];
      const { judge } = harness.hub;
      harness.hub.judge = ({ outcome }) => (held.push(outcome), 'later');
      await assign('big', [3_000_000]);
      await harness.hub.when(() => held.length > 0, 'a large result', patienceMs);
      const [outcome] = held;
      if (outcome?.status !== 'completed') throw new Error(JSON.stringify(outcome));
      const bytes = await harness.hub.pull(outcome.value, 256 * 1024);
      expect(digestOf(bytes)).toBe(outcome.value.digest);
      expect(bytes.length).toBeGreaterThan(3_000_000);
      harness.hub.judge = judge;
    });

    it('gives the error that the electron threw, with class, code and cause', async () => {
      const error = errorOf(await run('throws'));
      expect(error).toMatchObject({ code: 'TASK_THREW', name: 'TypeError', userCode: 'E_COLUMN' });
      expect(error.cause?.message).toBe('the file is empty');
    });

    it('sees to it that a captured variable is as it was, and that the electron is there', async () => {
      const { manifest } = harness.hub;
      harness.hub.manifest = {
        ...manifest,
        dispatch: '00000000000000000001-n1',
        captures: { usesLimit: { limit: 41 } },
      };
      expect(errorOf(await run('usesLimit')).code).toBe('CAPTURE_MISMATCH');
      harness.hub.manifest = manifest;
      expect(errorOf(await run('nowhere')).code).toBe('ELECTRON_NOT_FOUND');
    });

    it('tells what the electron writes, and keeps it with the outcome', async () => {
      const outcome = await run('prints', ['hello', 3]);
      expect(outcome.logs).toMatchObject({
        stdout: 'hello 0\nhello 1\nhello 2\n',
        stderr: 'hello err 0\nhello err 1\nhello err 2\n',
      });
      const raw = await run('printsRaw');
      expect(raw.logs?.stdout).toContain('raw out\n');
      expect(raw.logs?.stderr).toContain('from a child\n');
      const id = await assign('orphan');
      await pidIn(id, 'child');
      await harness.hub.cancel([id]);
      await ended(id);
    });

    it("sets the electron's variables, and none of the agent's secrets", async () => {
      process.env['POLARON_SECRET'] = 'hidden';
      expect(valueOf(await run('env', [], { env: { FLAVOUR: 'sour' } }))).toEqual(['sour', null, expect.any(Array)]);
      delete process.env['POLARON_SECRET'];
    });

    it('cancels: the signal first, then whatever it takes, with all that was started', async () => {
      const heeds = await assign('leavesChildOnAbort');
      const child = await pidIn(heeds, 'child');
      await harness.hub.cancel([heeds]);
      expect((await ended(heeds)).status).toBe('cancelled');
      const ignores = await assign('orphan');
      const other = await pidIn(ignores, 'child');
      await harness.hub.cancel([ignores]);
      expect((await ended(ignores)).status).toBe('cancelled');
      if (o.local) await until(() => !alive(child) && !alive(other), 'what they started to be gone', patienceMs);
    });

    it('ends an electron whose time is over, or that gives no sign of life', async () => {
      expect(errorOf(await run('sleep', [60_000], { timeoutMs: 300 }))).toMatchObject({
        code: 'TIMEOUT',
        name: 'AttemptTimeout',
      });
      expect(errorOf(await run('signs', ['hang', 2], { silenceMs: 1_000 }))).toMatchObject({ name: 'SilenceTimeout' });
      expect(valueOf(await run('signs', ['print', 12], { silenceMs: 1_000 }))).toBe('print');
    });

    it('says how a process ended that gave no result', async () => {
      expect(errorOf(await run('exits')).code).toBe(o.deaths.exits);
      expect(errorOf(await run('segfaults')).code).toBe(o.deaths.signal);
      expect(valueOf(await run('add', [1, 1]))).toBe(2);
    });

    it('leaves no scratch folder behind', async () => {
      const dir = valueOf(await run('scratch'));
      if (o.local) await until(() => !existsSync(String(dir)), 'the scratch folder to be gone', patienceMs);
    });

    it('refuses an option that it does not know, by name', async () => {
      if (o.name === 'process') return;
      const executorOptions = { ...o.options, flavour: 'sour' };
      const error = errorOf(await run('add', [1, 1], { executorOptions }));
      expect(error.code).toBe('EXECUTOR_OPTION');
      expect(error.message).toContain('flavour');
    });

    it('runs as many at once as the agent has slots', async () => {
      const ids = await Promise.all(Array.from({ length: 4 }, () => assign('sleep', [400, 1])));
      const all = await Promise.all(ids.map(ended));
      expect(all.map(valueOf)).toEqual([1, 1, 1, 1]);
    });

    it(`${o.keepsJobs ? 'goes on with' : 'gives up'} what runs when the agent restarts`, async () => {
      const id = await assign('prints', ['tick', 1_500]);
      await until(() => written(id).includes('tick 0'), 'its first words', patienceMs);
      const { epoch } = harness.agent.status();
      const agent = await harness.restart();
      await agent.joined;
      const first = await harness.hub.firstSync(epoch + 1);
      expect(first.run.map(({ task }) => task)).toEqual(o.keepsJobs ? [taskId(id)] : []);
      if (!o.keepsJobs) return;
      const outcome = await ended(id);
      expect(outcome.status).toBe('completed');
      // written once, whoever listened
      expect(outcome.logs?.stdout.match(/^tick 7$/gm)).toHaveLength(1);
    });
  });
}

const isLine = (x: unknown): x is { readonly task: string; readonly text: string } =>
  typeof x === 'object' && x !== null && 'task' in x && 'text' in x;

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
