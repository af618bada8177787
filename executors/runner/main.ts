/**
 * Entry of a runner process: `node main.js <maxValueBytes> <outbox file> <agent> <folder for scratch folders>` with fd 3 as the pipe to its agent. User code runs here and nowhere else.
 * Not here: anything of the bus; a runner knows only its agent.
 */
import { openLink } from './link.ts';
import { runHere } from './run-here.ts';

const link = openLink(
  process.argv[3] ?? '/dev/null',
  (message) => runner.message(message),
  () => runner.work(),
);
const runner = runHere({
  link,
  maxValueBytes: Number(process.argv[2]),
  agent: process.argv[4] ?? 'unknown',
  scratchRoot: process.argv[5] ?? '.',
});
