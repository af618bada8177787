/** The agent of the bare ceiling: answers each task of its queue group with its argument. Started by ceiling.ts; ends when told to, or when its parent is gone. */
import { connect } from '@nats-io/transport-node';
import { Packr } from 'msgpackr';

interface Task {
  readonly id: number;
  readonly wf: string;
  readonly attempt: number;
  readonly args: number;
}

// Before the first wait: its parent ends it, whether its server still answers or not.
process.once('message', () => process.exit(0));
process.once('disconnect', () => process.exit(0));

const packr = new Packr({ useRecords: false });
const connection = await connect({ servers: process.argv[2] ?? '', noAsyncTraces: true });
const noop = async (args: number): Promise<number> => args;

async function answer(body: unknown): Promise<unknown> {
  if (Array.isArray(body)) {
    const answers: unknown[] = [];
    for (const task of body.filter(isTask)) answers.push({ ...task, ok: true, value: await noop(task.args) });
    return answers;
  }
  if (!isTask(body)) throw new TypeError('not a task');
  const { id, wf, attempt, args } = body;
  return { v: 1, kind: 'result', id, wf, attempt, at: Date.now(), ok: true, value: await noop(args) };
}

function isTask(body: unknown): body is Task {
  return typeof body === 'object' && body !== null && 'id' in body && 'args' in body && typeof body.args === 'number';
}

connection.subscribe('task.*', {
  queue: 'agents',
  callback: (_error, message) => {
    void answer(packr.unpack(message.data)).then((reply) => {
      if (message.reply !== undefined) connection.publish(message.reply, packr.pack(reply));
    });
  },
});
await connection.flush();
process.send?.('ready');
