/** Makes this process one that runs electrons: what the entries of both kinds share. Not here: where messages come from (main.ts, job.ts). */
import { registry, type TaskContextShape } from '../../bus/protocol/registry.ts';
import { PolaronError } from '../../model/errors.ts';
import type { LeptonSpec } from '../../model/lepton.ts';
import { catchLateErrors } from './late-errors.ts';
import type { Link } from './link.ts';
import { loadBundle } from './loader.ts';
import { captureOutput } from './output.ts';
import { Runner } from './runner.ts';
import { attempts } from './task-run.ts';

export interface RunHereOptions {
  readonly link: Link;
  readonly maxValueBytes: number;
  /** Name of the agent, for messages. */
  readonly agent: string;
  readonly scratchRoot: string;
}

export function runHere({ link, maxValueBytes, agent, scratchRoot }: RunHereOptions): Runner {
  const lepton = async (spec: LeptonSpec, args: readonly unknown[]): Promise<unknown> => {
    const run = attempts.getStore();
    const { runLepton } = await import('../../leptons/run.ts');
    if (run === undefined)
      throw new PolaronError('NOT_ALLOWED', `lepton "${spec.name}" was called outside a running electron`);
    return runLepton(spec, args, { context: run.context, write: (stream, text) => runner.write(run, stream, text) });
  };
  const currentTask = (): TaskContextShape | undefined => attempts.getStore()?.context;
  const runner = new Runner({
    link,
    load: (file, argv) => loadBundle(file, argv, { agent, currentTask }),
    maxValueBytes,
    scratchRoot,
  });
  // also where no bundle is loaded: the SDK asks it whether it is on an agent
  registry().agent = { onHalt: () => undefined, currentTask, lepton };
  captureOutput(
    () => runner.current,
    (run, stream, text) => runner.write(run, stream, text),
  );
  catchLateErrors((run, error) => runner.lateError(run, error));
  process.on('exit', () => runner.lastWords());
  return runner;
}
