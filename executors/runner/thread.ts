/** Entry of a thread that runs electrons, one at a time, as a runner process does. Not here: the process around it (threads.ts). */
import { workerData } from 'node:worker_threads';
import { runHere } from './run-here.ts';
import { isThreadData, openThreadLink } from './thread-link.ts';

const data: unknown = workerData;
if (!isThreadData(data)) throw new Error('this file is started as a thread of a host of threads');
const { maxValueBytes, agent, scratchRoot } = data;
const link = openThreadLink(
  data,
  (message) => runner.message(message),
  () => runner.work(),
);
const runner = runHere({ link, maxValueBytes, agent, scratchRoot });
