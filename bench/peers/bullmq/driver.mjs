/**
 * Measures BullMQ as a client has it: a job is added, and its end comes as an event. Two ways: a flow, given whole (a job takes what its children returned),
 * and client-driven, where the client adds what has become ready. A flow is a tree, so a diamond is its first job and then a flow of the rest.
 */
import { FlowProducer, Queue, QueueEvents } from 'bullmq';
import { steps, w1, w2, w3, w4, width } from '../loops.mjs';
import { serve } from '../serve.mjs';

const [, , port] = process.argv;
const queueName = 'tasks';
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue(queueName, { connection });
const flows = new FlowProducer({ connection });
const events = new QueueEvents(queueName, { connection });

const waiting = new Map();
let nextId = 0;
const newId = () => `j${nextId++}`;
const ended = (id) => new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
const settle = (id, how) => {
  const one = waiting.get(id);
  waiting.delete(id);
  if (one !== undefined) how(one);
};
events.on('completed', ({ jobId, returnvalue }) => settle(jobId, ({ resolve }) => resolve(returnvalue)));
events.on('failed', ({ jobId, failedReason }) => settle(jobId, ({ reject }) => reject(new Error(failedReason))));
for (const one of [queue, flows, events]) one.on('error', (error) => process.stderr.write(`${error.message}\n`));

async function add(x) {
  const jobId = newId();
  const value = ended(jobId);
  await queue.add('task', { x }, { jobId });
  return value;
}

/** In thousands: one call with 10,000 is slower. */
async function addAll(list) {
  const jobs = list.map((x) => ({ name: 'task', data: { x }, opts: { jobId: newId() } }));
  const values = jobs.map(({ opts }) => ended(opts.jobId));
  for (let from = 0; from < jobs.length; from += 1_000) await queue.addBulk(jobs.slice(from, from + 1_000));
  return Promise.all(values);
}

const node = (data, children = []) => ({ name: 'task', queueName, data, children, opts: { jobId: newId() } });

async function addFlow(root) {
  const value = ended(root.opts.jobId);
  await flows.add(root);
  return value;
}

function chainFlow(start) {
  let root = node({ x: start });
  for (let step = 1; step < steps; step++) root = node({ take: 'only' }, [root]);
  return addFlow(root);
}

async function chainByClient(start) {
  let value = start;
  for (let step = 0; step < steps; step++) value = await add(value);
  return value;
}

const numbers = Array.from({ length: width }, (_, index) => index);
const fanFlow = () =>
  addFlow(
    node(
      { take: 'count' },
      numbers.map((x) => node({ x })),
    ),
  );
const fanByClient = async () => add((await addAll(numbers)).length);

async function diamondFlow(start) {
  const x = await add(start);
  return addFlow(node({ take: 'sum' }, [node({ x }), node({ x }), node({ x })]));
}

async function diamondByClient(start) {
  const x = await add(start);
  const [b, c, d] = await addAll([x, x, x]);
  return add(b + c + d);
}

await events.waitUntilReady();
serve({
  'W1 flow': () => w1(chainFlow),
  'W1 client-driven': () => w1(chainByClient),
  'W2 flow': () => w2(fanFlow),
  'W2 addBulk': () => w2(fanByClient),
  'W3 flow': () => w3(200, diamondFlow),
  'W3 addBulk': () => w3(200, diamondByClient),
  'W4 add': () => w4(add),
});
