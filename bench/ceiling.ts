/**
 * The bare ceiling: publish a task, an agent answers, LMDB commits the answer durably, done. No actors, no graph, no recovery, no deduplication:
 * it bounds what the same parts can do on this machine, and is no workflow engine. The loop of ../shared/peers/ceiling.mjs (mode durable), tidied.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '@nats-io/transport-node';
import { open } from 'lmdb';
import { Packr } from 'msgpackr';
import { median } from './statistics.ts';

export interface CeilingOptions {
  /** A NATS server where anyone may publish and subscribe. */
  readonly url: string;
  /** Processes that answer tasks. */
  readonly agents: number;
}

export interface Ceiling {
  warmUp(): Promise<void>;
  /** `count` tasks, one at a time: µs each. */
  latencies(count: number): Promise<number[]>;
  /** `count` tasks, `width` in flight: tasks/s. */
  inFlight(width: number, count: number): Promise<number>;
  /** As inFlight, with 32 tasks in each message and 32 messages in flight. */
  batched(count: number): Promise<number>;
  /** W1: µs per step of a chain of 100, median of 10 chains. */
  chain(): Promise<number>;
  /** W2: 10,000 tasks and then one more, tasks/s. */
  fan(): Promise<number>;
  /** W3: 1,000 diamonds, all at once, workflows/s. */
  diamonds(): Promise<number>;
  close(): Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly value: number;
}

const packr = new Packr({ useRecords: false });
const workflow = 'wf-0f3c9a1e-77b2-4b';
const code = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const batchSize = 32;

/** Starts the agents, connects, opens an empty store. */
export async function openCeiling({ url, agents }: CeilingOptions): Promise<Ceiling> {
  const folder = mkdtempSync(join(tmpdir(), 'polaron-ceiling-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const children = await Promise.all(Array.from({ length: agents }, () => startAgent(url)));
  const connection = await connect({ servers: url, noAsyncTraces: true });
  const store = open({ path: join(folder, 'db'), encoding: 'binary' });
  const waiting = new Map<number, (value: number) => void>();
  let nextId = 0;

  const commit = async (key: number | (string | number)[], bytes: Uint8Array): Promise<void> => {
    await store.put(key, bytes);
    await store.flushed;
  };
  const settle = (answer: Answer): void => {
    waiting.get(answer.id)?.(answer.value);
    waiting.delete(answer.id);
  };
  // No async function here: on this path each promise more shows in the figures, and a lower ceiling would flatter what is compared with it.
  const receive = (bytes: Uint8Array): void => {
    const body: unknown = packr.unpack(bytes);
    if (Array.isArray(body)) {
      const answers = body.filter(isAnswer);
      void commit(['b', answers[0]?.id ?? 0], bytes).then(() => answers.forEach(settle));
    } else if (isAnswer(body)) {
      void commit(body.id, bytes).then(() => settle(body));
    }
  };
  connection.subscribe('res.d1', { callback: (_none, message) => receive(message.data) });
  await connection.flush();

  const publish = (body: unknown): void => connection.publish('task.noop', packr.pack(body), { reply: 'res.d1' });
  const expectAnswer = (id: number): Promise<number> => new Promise((resolve) => waiting.set(id, resolve));
  const run = (args: number): Promise<number> => {
    const id = nextId++;
    const answer = expectAnswer(id);
    publish({ v: 1, kind: 'task', id, wf: workflow, fn: 'noop', attempt: 1, at: Date.now(), args, code });
    return answer;
  };
  const runBatch = (first: number): Promise<number[]> => {
    const ids = Array.from({ length: batchSize }, () => nextId++);
    const answers = ids.map(expectAnswer);
    publish(ids.map((id, index) => ({ id, wf: workflow, fn: 'noop', attempt: 1, at: 1, args: first + index })));
    return Promise.all(answers);
  };

  return {
    async warmUp() {
      for (let i = 0; i < 2_000; i++) await Promise.all([run(i), run(i), run(i)]);
    },
    async latencies(count) {
      const list: number[] = [];
      for (let i = 0; i < count; i++) {
        const began = performance.now();
        await run(i);
        list.push((performance.now() - began) * 1_000);
      }
      return list;
    },
    inFlight: (width, count) => perSecond(count, () => workers(width, count, 1, run)),
    batched: (count) => perSecond(count, () => workers(32, count, batchSize, runBatch)),
    async chain() {
      const steps: number[] = [];
      for (let round = 0; round < 10; round++) {
        const began = performance.now();
        let value = 0;
        for (let i = 0; i < 100; i++) value = await run(value);
        steps.push(((performance.now() - began) * 1_000) / 100);
      }
      return median(steps);
    },
    fan: () =>
      perSecond(10_001, async () => {
        const values = await Promise.all(Array.from({ length: 10_000 }, (_, i) => run(i)));
        await run(values.length);
      }),
    diamonds: () =>
      perSecond(1_000, () =>
        Promise.all(
          Array.from({ length: 1_000 }, async (_, i) => {
            const a = await run(i);
            const [b, c, d] = await Promise.all([run(a), run(a), run(a)]);
            await run(b + c + d);
          }),
        ),
      ),
    async close() {
      await connection.close();
      await store.close();
      await Promise.all(children.map(stopAgent));
    },
  };
}

async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return count / ((performance.now() - began) / 1_000);
}

async function workers(
  width: number,
  count: number,
  step: number,
  work: (i: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const mine = next;
      next += step;
      await work(mine);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function startAgent(url: string): Promise<ChildProcess> {
  // In a group of its own: a Ctrl-C leaves it alone until its parent ends it.
  const child = fork(fileURLToPath(new URL('./ceiling-agent.ts', import.meta.url)), [url], { detached: true });
  await once(child, 'message');
  return child;
}

async function stopAgent(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  if (child.connected) child.send('exit');
  await ended;
}

function isAnswer(body: unknown): body is Answer {
  if (typeof body !== 'object' || body === null || !('id' in body) || !('value' in body)) return false;
  return typeof body.id === 'number' && typeof body.value === 'number';
}
