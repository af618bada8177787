/** Runners without processes: a test says when what was handed over ends. They load any code, and keep the order of messages as a real one does. */
import { encodeValue } from '../../bus/value/value.ts';
import { valueInfoOf } from '../../bus/value/digest.ts';
import type { RunnerListener, RunnerProcess, StartRunner } from '../../executors/process/runner-process.ts';
import type { FromRunner, RunFinished, RunTask, ToRunner } from '../../executors/runner/messages.ts';

const bytes = encodeValue(null, 'result', 'RESULT_NOT_SERIALISABLE');
const completed: RunFinished['result'] = { status: 'completed', value: valueInfoOf(bytes), bytes };

export class FakeRunner implements RunnerProcess {
  readonly pid = 0;
  /** Handed over, in order. */
  readonly runs: RunTask[] = [];
  readonly cancels: string[] = [];
  killed = false;
  readonly #listener: RunnerListener;
  /** What a look into its outbox tells. */
  saved: FromRunner[] = [];

  constructor(listener: RunnerListener) {
    this.#listener = listener;
  }

  get tasks(): readonly string[] {
    return this.runs.map(({ task }) => task);
  }

  send(message: ToRunner): void {
    if (message.type === 'run') this.runs.push(message);
    else if (message.type === 'cancel') this.cancels.push(message.task);
    else if (message.type === 'load') queueMicrotask(() => this.say({ type: 'loaded' }));
    else queueMicrotask(() => this.say({ type: 'indexed', errors: [] }));
  }

  readOutbox(done: () => void): void {
    for (const message of this.saved.splice(0)) this.#listener.message(message);
    done();
  }

  kill(): void {
    this.killed = true;
    this.dies(null, 'SIGKILL');
  }

  dies(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.#listener.leaving();
    this.#listener.exit({ code, signal });
  }

  /** Past the pipe to the agent, as child processes do. */
  prints(text: string): void {
    this.#listener.output('stdout', text);
  }

  say(...messages: FromRunner[]): void {
    for (const message of messages) this.#listener.message(message);
    this.#listener.batch();
  }

  /** Its answer for a task that ran for `ms` until now. */
  finished(task: string, ms: number, result: RunFinished['result'] = completed): RunFinished {
    const endedAt = Date.now();
    return { type: 'finished', task, startedAt: endedAt - ms, endedAt, scratchUsed: false, result };
  }
}

/** `runners` holds those that were started, in order. */
export function fakeRunners(): { readonly run: StartRunner; readonly runners: readonly FakeRunner[] } {
  const runners: FakeRunner[] = [];
  const run: StartRunner = (_start, listener) => {
    const runner = new FakeRunner(listener);
    runners.push(runner);
    return runner;
  };
  return { run, runners };
}
