/** A worker: returns what the job was given, or what a flow's job takes from its children. */
import { Worker } from 'bullmq';
import { serve } from '../serve.mjs';

const [, , port] = process.argv;
const taken = {
  only: ([value]) => value,
  count: (values) => values.length,
  sum: (values) => values.reduce((total, value) => total + value, 0),
};

async function run(job) {
  const { x, take } = job.data;
  return take === undefined ? x : taken[take](Object.values(await job.getChildrenValues()));
}

const worker = new Worker('tasks', run, {
  connection: { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null },
  concurrency: 100,
});
worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
await worker.waitUntilReady();
serve();
