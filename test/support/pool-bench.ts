/** A pool of runners and what its tests hand to it: bundles in files, attempts by electron and arguments. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeTemplate } from '../../bus/value/template.ts';
import { decodeValue } from '../../bus/value/value.ts';
import { digestOf } from '../../bus/value/digest.ts';
import type { Executor, ExecutorCode, ExecutorHandle, TaskInput } from '../../executors/executor.ts';
import { ProcessPool, type PoolOptions } from '../../executors/process/pool.ts';
import { RunnerRoster } from '../../executors/process/runner-roster.ts';
import { deferred } from '../../model/deferred.ts';
import { DEFAULT_RETRY, NO_TIMEOUTS, type ElectronDef } from '../../model/graph.ts';
import type { Outcome } from '../../model/outcome.ts';
import { fixtureBundle } from './agent-harness.ts';
import { taskId } from './fake-hub.ts';
import { noLog } from './log-list.ts';
import { realClock } from './real-clock.ts';

export interface Ended {
  readonly outcome: Outcome;
  readonly file: string | undefined;
}

export interface Started {
  readonly handle: ExecutorHandle;
  readonly ended: Promise<Ended>;
  readonly progress: readonly (readonly [number, string])[];
  /** What it has said live. */
  readonly lines: readonly string[];
}

export interface Asked {
  readonly electron?: Partial<ElectronDef>;
  readonly inputs?: readonly TaskInput[];
  readonly template?: Uint8Array;
  readonly timeoutMs?: number;
  readonly code?: ExecutorCode;
}

export interface PoolBench {
  readonly dir: string;
  readonly scratch: string;
  /** What an executor of runners is started with, for one whose runners are elsewhere. */
  readonly options: Omit<PoolOptions, 'run'>;
  readonly roster: RunnerRoster;
  /** A bundle of the fixtures' electrons, or of this text. */
  code(name: string, text?: string): ExecutorCode;
  start(executor: Executor, electron: string, args: readonly unknown[], asked?: Asked): Started;
  run(executor: Executor, electron: string, ...args: unknown[]): Promise<Outcome>;
  close(): void;
}

export function openPoolBench(slots = 2): PoolBench {
  const dir = mkdtempSync(join(tmpdir(), 'polaron-bench-'));
  const scratch = join(dir, 'scratch');
  mkdirSync(scratch);
  const roster = new RunnerRoster(join(dir, 'runners'), noLog);
  let next = 0;
  const code = (name: string, text = fixtureBundle): ExecutorCode => {
    const bundleFile = join(dir, `${name}.mjs`);
    writeFileSync(bundleFile, text);
    return { bundleFile, key: name, argv: [], captures: {}, captureKey: 'none' };
  };
  // at once, as an agent does: its executor removes the folder that it was in
  const adopt = (file: string): string => {
    const kept = join(dir, `result-${++next}`);
    renameSync(file, kept);
    return kept;
  };
  let usual: ExecutorCode | undefined;
  const start: PoolBench['start'] = (executor, electron, args, asked = {}) => {
    const { promise, resolve } = deferred<Ended>();
    const progress: (readonly [number, string])[] = [];
    const lines: string[] = [];
    const handle = executor.start(
      {
        task: taskId(++next),
        token: [1, 1],
        inputsDigest: digestOf(new Uint8Array()),
        dispatch: 'd',
        about: { user: 'u', lattice: 'l' },
        node: electron,
        electron: {
          name: electron,
          executor: executor.name,
          needs: [],
          retries: DEFAULT_RETRY,
          timeouts: NO_TIMEOUTS,
          ...asked.electron,
        },
        template: asked.template ?? encodeTemplate(args, () => undefined, 'arguments'),
        inputs: asked.inputs ?? [],
        split: false,
        timeoutMs: asked.timeoutMs ?? 0,
        code: asked.code ?? (usual ??= code('usual')),
      },
      {
        log: (_stream, text) => lines.push(text),
        progress: (fraction, note) => progress.push([fraction, note]),
        ended: (outcome, file) => resolve({ outcome, file: file === undefined ? undefined : adopt(file) }),
      },
    );
    return { handle, ended: promise, progress, lines };
  };
  return {
    dir,
    scratch,
    roster,
    options: {
      slots,
      graceMs: 100,
      clock: realClock,
      scratchDir: scratch,
      spare: false,
      start: {
        nodePath: process.execPath,
        env: { PATH: process.env['PATH'] ?? '' },
        cwd: dir,
        maxValueBytes: 1024 ** 3,
        agent: 'a1',
        roster,
        clock: realClock,
      },
    },
    code,
    start,
    run: async (executor, electron, ...args) => (await start(executor, electron, args).ended).outcome,
    close: () => {
      roster.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Arguments of which each is an input. */
export function inputTemplate(inputs: number): Uint8Array {
  const holes = Array.from({ length: inputs }, (_, input) => ({ input, path: [] }));
  return encodeTemplate(holes, (x) => holes.find((hole) => hole === x), 'arguments');
}

/** A pool whose runners are processes here, to compare with. */
export const localPool = ({ options }: PoolBench): ProcessPool => new ProcessPool(options);

export const inlineValue = (outcome: Outcome): unknown =>
  outcome.status === 'completed' && outcome.bytes !== undefined ? decodeValue(outcome.bytes) : outcome;
