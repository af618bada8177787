/**
 * Entry of a runner process: `node main.js <maxValueBytes> <outbox file> <agent> <folder for scratch folders>` with fd 3 as the pipe to its agent. User code runs here and nowhere else.
 * Not here: anything of the bus; a runner knows only its agent.
 */
import { registry, type TaskContextShape } from '../../bus/protocol/registry.ts';
import { PolaronError } from '../../model/errors.ts';
import type { LeptonSpec } from '../../model/lepton.ts';
import { catchLateErrors } from './late-errors.ts';
import { openLink } from './link.ts';
import { loadBundle } from './loader.ts';
import { captureOutput } from './output.ts';
import { Runner } from './runner.ts';
import { attempts } from './task-run.ts';

const maxValueBytes = Number(process.argv[2]);
const link = openLink(
  process.argv[3] ?? '/dev/null',
  (message) => runner.message(message),
  () => runner.work(),
);
const agent = process.argv[4] ?? 'unknown';
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
  scratchRoot: process.argv[5] ?? '.',
});

// also where no bundle is loaded: the SDK asks it whether it is on an agent
registry().agent = { onHalt: () => undefined, currentTask, lepton };
captureOutput(
  () => runner.current,
  (run, stream, text) => runner.write(run, stream, text),
);
catchLateErrors((run, error) => runner.lateError(run, error));
process.on('exit', () => runner.lastWords());
