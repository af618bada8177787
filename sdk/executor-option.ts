/**
 * Which executor runs an electron: what was given at dispatch, else the electron's own options, else its lattice's. `isolation: 'thread'` is another word for `executor: 'thread'`.
 * Not here: the other options (options.ts), what an executor does with its own (it checks them on the agent).
 */
import {
  DEFAULT_EXECUTOR,
  THREAD_EXECUTOR,
  type ExecutorChoice,
  type ExecutorChoices,
} from '../model/executor-choice.ts';
import { PolaronError } from '../model/errors.ts';
import type { DispatchOptions, ElectronOptions, ExecutorSpec } from './types.ts';
import { wrong } from './wrong-option.ts';

type Chosen = Pick<ElectronOptions, 'executor' | 'isolation'>;

export interface ExecutorAsked {
  readonly own: Chosen;
  /** The lattice's `electrons`. */
  readonly defaults: Chosen;
  /** Given at dispatch. */
  readonly override: unknown;
  readonly exclusive: boolean;
  readonly lepton: boolean;
}

/** Raises USAGE for what doesn't go together. */
export function chosenExecutor(where: string, asked: ExecutorAsked): ExecutorChoice {
  const { own, defaults, override, exclusive, lepton } = asked;
  const choice =
    override === undefined ? choiceOf(where, own, () => choiceOf(where, defaults, usual)) : executorOf(where, override);
  if (choice.executor !== THREAD_EXECUTOR) return choice;
  const why = exclusive
    ? 'is exclusive, and a thread that does not end is only ended with its process, a moment later'
    : lepton
      ? 'is a lepton, which has a process of its own or calls native code'
      : undefined;
  if (why === undefined) return choice;
  throw new PolaronError('USAGE', `${where}: it can't run in a thread: it ${why}`, {
    help: "Take out isolation: 'thread', or set isolation: 'process' for this electron.",
  });
}

const usual = (): ExecutorChoice => ({ executor: DEFAULT_EXECUTOR });

/** What options say by themselves, or else `further`. */
function choiceOf(where: string, { executor, isolation }: Chosen, further: () => ExecutorChoice): ExecutorChoice {
  if (isolation !== undefined && isolation !== 'process' && isolation !== 'thread')
    throw wrong(where, 'isolation', isolation, "'process' or 'thread'");
  if (executor === undefined) {
    if (isolation === 'thread') return { executor: THREAD_EXECUTOR };
    const choice = further();
    return isolation === 'process' && choice.executor === THREAD_EXECUTOR ? usual() : choice;
  }
  const choice = executorOf(where, executor);
  const threads = choice.executor === THREAD_EXECUTOR;
  if (isolation === undefined || threads === (isolation === 'thread')) return choice;
  if (isolation === 'thread' && choice.executor === DEFAULT_EXECUTOR) return { ...choice, executor: THREAD_EXECUTOR };
  if (isolation === 'process' && !threads) return choice;
  throw wrong(
    where,
    'isolation',
    isolation,
    `one that goes with executor "${choice.executor}": 'thread' is an executor of its own, on machines with an agent`,
  );
}

function executorOf(where: string, executor: unknown): ExecutorChoice {
  if (typeof executor === 'string' && executor !== '') return { executor };
  if (isSpec(executor)) {
    const { type, ...rest } = executor;
    return Object.keys(rest).length === 0 ? { executor: type } : { executor: type, executorOptions: rest };
  }
  throw wrong(where, 'executor', executor, "a name, or an object with a type, such as { type: 'process' }");
}

/** Those given at dispatch, as the hub gets them. Raises USAGE. */
export function executorsOf({ executors = {} }: Pick<DispatchOptions, 'executors'>): {
  readonly executors?: ExecutorChoices;
} {
  const given = Object.entries(executors).map(
    ([name, executor]) => [name, executorOf(`executors["${name}"]`, executor)] as const,
  );
  return given.length === 0 ? {} : { executors: Object.fromEntries(given) };
}

const isSpec = (x: unknown): x is ExecutorSpec =>
  typeof x === 'object' && x !== null && 'type' in x && typeof x.type === 'string' && x.type !== '';
