/**
 * The executors `python` and `shell`: the agent's processes, with an interpreter that the electron names, for its leptons in that language. It is set in the attempt's variables.
 * Not here: the processes (pool.ts), leptons (leptons/).
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Clock } from '../../model/clock.ts';
import type { Executor, ExecutorEvents, ExecutorHandle, ExecutorTask } from '../executor.ts';
import type { ExecutorFactory, ExecutorGround } from '../executor-ground.ts';
import { refuse } from '../refused-attempt.ts';
import { processExecutor } from './process-executor.ts';

type Options = Readonly<Record<string, unknown>>;
type Variables = Readonly<Record<string, string>>;

/** What is set for an electron with these options. Raises an Error that says which of them is wrong. */
type VariablesOf = (options: Options, env: Variables) => Variables;

/** `venv`: a virtual environment's folder. `python`: an interpreter. */
export const pythonExecutor: ExecutorFactory = (ground) =>
  new LanguageExecutor('python', ground.processes?.() ?? processExecutor(ground), ground, pythonVariables);

/** `shell`: what runs commands that are one text, as `SHELL -c TEXT`. */
export const shellExecutor: ExecutorFactory = (ground) =>
  new LanguageExecutor('shell', ground.processes?.() ?? processExecutor(ground), ground, shellVariables);

const pythonVariables: VariablesOf = (options, env) => {
  const { venv, python } = texts(options, ['venv', 'python']);
  if (venv === undefined) return python === undefined ? {} : { POLARON_PYTHON: program('python', python) };
  if (python !== undefined) throw new Error('option "python" and option "venv" exclude each other');
  const bin = join(venv, 'bin');
  const own = program('venv', venv, join(bin, 'python'));
  return { POLARON_PYTHON: own, VIRTUAL_ENV: venv, PATH: [bin, env['PATH'] ?? ''].join(delimiter) };
};

const shellVariables: VariablesOf = (options) => {
  const { shell } = texts(options, ['shell']);
  return shell === undefined ? {} : { POLARON_SHELL: program('shell', shell) };
};

function texts<K extends string>(options: Options, known: readonly K[]): { readonly [P in K]?: string } {
  let found: { readonly [P in K]?: string } = {};
  for (const [name, value] of Object.entries(options)) {
    const key = known.find((one) => one === name);
    if (key === undefined) throw new Error(`option "${name}": this executor has ${known.join(' and ')} only`);
    if (typeof value !== 'string' || !isAbsolute(value))
      throw new Error(`option "${name}" (${JSON.stringify(value)}): expected an absolute path on the agent's machine`);
    found = { ...found, [key]: value };
  }
  return found;
}

function program(option: string, given: string, file = given): string {
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    throw new Error(`option "${option}" (${JSON.stringify(given)}): ${file} is no program on the agent's machine`);
  }
}

class LanguageExecutor implements Executor {
  readonly name: string;
  /** Its attempts have places among those of `process`. */
  readonly shares = true;
  readonly #processes: Executor;
  readonly #env: Variables;
  readonly #clock: Clock;
  readonly #variablesOf: VariablesOf;

  constructor(
    name: string,
    processes: Executor,
    { clock, start }: Pick<ExecutorGround, 'clock' | 'start'>,
    variablesOf: VariablesOf,
  ) {
    this.name = name;
    this.#processes = processes;
    this.#env = start.env;
    this.#clock = clock;
    this.#variablesOf = variablesOf;
  }

  start(task: ExecutorTask, events: ExecutorEvents): ExecutorHandle {
    const { electron } = task;
    let variables: Variables;
    try {
      variables = this.#variablesOf(electron.executorOptions ?? {}, this.#env);
    } catch (error) {
      const message = `electron "${electron.name}" (executor ${this.name}): ${error instanceof Error ? error.message : String(error)}`;
      return refuse(this.#clock, events, { code: 'EXECUTOR_OPTION', message });
    }
    return this.#processes.start(
      { ...task, electron: { ...electron, env: { ...variables, ...electron.env } } },
      events,
    );
  }

  roomChanged(): void {
    this.#processes.roomChanged?.();
  }

  typicalMs(): undefined {
    return undefined;
  }

  stop(): Promise<void> {
    return this.#processes.stop();
  }
}
