/** The job as its executor's author gets it, and the programs that were started for it on this machine. Not here: when it is handed over (job-run.ts). */
import type { Stream } from '../../model/log-entry.ts';
import { acceptAnswer } from './accepted-answer.ts';
import { packJob } from './packed-job.ts';
import type { Job } from './definition.ts';
import type { Intent } from './job-folder.ts';
import type { JobHome } from './job-home.ts';
import type { JobExit } from './job-spawn.ts';

export class Spawned {
  readonly #kills: (() => void)[] = [];
  readonly #endings: Promise<JobExit>[] = [];
  /** How the last one ended. */
  exit: JobExit | undefined;

  readonly started = (kill: () => void): void => void this.#kills.push(kill);

  async wait(ending: Promise<JobExit>): Promise<void> {
    this.#endings.push(ending);
    this.exit = await ending;
  }

  /** At once; resolves when they are gone. */
  async kill(): Promise<void> {
    for (const kill of this.#kills) kill();
    await Promise.allSettled(this.#endings);
  }
}

export interface HandedJob<O> {
  readonly intent: Intent;
  readonly folder: string;
  readonly options: O;
  readonly signal: AbortSignal;
  readonly output: (stream: Stream, text: string, skipped?: number) => void;
  /** A sign of life. */
  readonly started: () => void;
}

export function handedJob<O, S>(
  home: JobHome<O, S>,
  { intent, folder, options, signal, output, started }: HandedJob<O>,
  spawned: Spawned,
): Job<O> {
  const { name, electron, dispatch, token, memoryMb } = intent;
  const [, attempt] = token;
  const { maxValueBytes } = home.settings;
  return {
    name,
    options,
    electron,
    dispatchId: dispatch,
    attempt,
    ...(memoryMb === undefined ? {} : { memoryMb }),
    folder,
    command: home.command(folder, memoryMb),
    env: home.env(),
    signal,
    log: output,
    pack: () => packJob(folder, memoryMb),
    accept: async (answer) => {
      spawned.exit = await acceptAnswer(answer, { dir: folder, maxValueBytes, output });
    },
    started,
    spawn: (command, { cwd = folder, env = home.agent.env } = {}) =>
      spawned.wait(home.spawn({ command, cwd, env, signal, output, started: spawned.started })),
  };
}
