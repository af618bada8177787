/** How writes get to the result manager: W1–W3 of results-client.ts. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ResultsClient, type AskResults } from '../../actors/results-client.ts';
import type { RecordOp } from '../../bus/protocol/results.ts';
import { digestOf } from '../../bus/value/digest.ts';
import { PolaronError, type ErrorCode } from '../../model/errors.ts';
import { makeLogList } from '../support/log-list.ts';
import { FakeClock, settle } from './support/fake-clock.ts';

interface Asked {
  readonly n: number;
  readonly from: number;
  readonly ops: readonly RecordOp[];
  readonly answer: (epoch?: string) => void;
  readonly fail: (code: ErrorCode) => void;
}

let clock: FakeClock;
let asked: Asked[];
let fatal: string[];
let other: string[];
let logs: ReturnType<typeof makeLogList>;
let client: ResultsClient;
const op = (epoch: number): RecordOp => ({ op: 'epoch', epoch });

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  fatal = [];
  other = [];
  logs = makeLogList();
  const ask: AskResults = (type, body) =>
    new Promise((resolve, reject) => {
      if (type !== 'results.write' || !('ops' in body)) {
        other.push(type);
        return;
      }
      const { n, from, ops } = body;
      const done: (answer: never) => void = resolve;
      asked.push({
        n,
        from,
        ops,
        answer: (epoch = 'm1') => done(trusted({ n, epoch })),
        fail: (code) => reject(new PolaronError(code, 'no')),
      });
    });
  client = new ResultsClient({
    ask,
    sender: 's1',
    clock,
    onFatal: (error) => fatal.push(error.message),
    log: logs.log,
  });
});
const isNever = (_x: unknown): _x is never => true;
function trusted(x: unknown): never {
  if (isNever(x)) return x;
  throw new Error('unreachable');
}

describe('a results client', () => {
  it('numbers batches from 1, and puts what one turn wrote into one (W1)', async () => {
    client.write(op(1));
    client.write(op(2), op(3));
    await settle();
    client.write(op(4));
    await settle();
    expect(asked.map(({ n, from, ops }) => [n, from, ops])).toEqual([
      [1, 1, [op(1), op(2), op(3)]],
      [2, 1, [op(4)]],
    ]);
    expect(client.backlog).toBe(4);
    asked[0]?.answer();
    await settle();
    client.write(op(5));
    await settle();
    expect(asked[2]).toMatchObject({ n: 3, from: 2 });
    expect(client.backlog).toBe(2);
  });

  it('tells how many records and bytes of values wait for the disk', async () => {
    const value = (size: number): RecordOp => {
      const bytes = new Uint8Array(size);
      return { op: 'value', digest: digestOf(bytes), bytes };
    };
    client.write(op(1), value(100));
    await settle();
    client.write(value(20));
    expect([client.backlog, client.backlogBytes]).toEqual([3, 120]);
    asked[0]?.answer();
    await settle();
    expect([client.backlog, client.backlogBytes]).toEqual([1, 20]);
    asked[1]?.answer();
    await settle();
    expect([client.backlog, client.backlogBytes]).toEqual([0, 0]);
  });

  it('sends what is written before it asks for anything else', async () => {
    client.write(op(1));
    void client.ask('results.live', {});
    expect([asked.length, other]).toEqual([1, ['results.live']]);
  });

  it('calls back in order, and only once the batch before is flushed (W3)', async () => {
    const called: number[] = [];
    client.write(op(1));
    client.afterFlush(() => called.push(1));
    await settle();
    client.write(op(2));
    client.afterFlush(() => called.push(2));
    await settle();
    asked[1]?.answer();
    await settle();
    expect(called).toEqual([]);
    asked[0]?.answer();
    await settle();
    expect(called).toEqual([1, 2]);
  });

  it('waits for a flush also when there is nothing to write', async () => {
    let done = false;
    void client.flushed().then(() => {
      done = true;
    });
    await settle();
    expect([asked.map(({ ops }) => ops.length), done]).toEqual([[0], false]);
    asked[0]?.answer();
    await settle();
    expect(done).toBe(true);
  });

  it('sends a batch that is not answered again, with its number (W2)', async () => {
    client.write(op(1));
    await settle();
    for (const code of ['REQUEST_TIMEOUT', 'NO_RESPONDERS', 'BUS_DISCONNECTED'] as const) {
      asked.at(-1)?.fail(code);
      await clock.advance(100);
    }
    expect(asked.map(({ n, ops }) => [n, ops])).toEqual(Array.from({ length: 4 }, () => [1, [op(1)]]));
    asked.at(-1)?.answer();
    await settle();
    expect([client.backlog, fatal]).toEqual([0, []]);
  });

  it('sends everything unanswered again when the manager has restarted (W2)', async () => {
    for (const n of [1, 2, 3]) {
      client.write(op(n));
      await settle();
    }
    asked[0]?.answer('m1');
    await settle();
    client.write(op(4));
    await settle();
    expect(asked.map(({ n }) => n)).toEqual([1, 2, 3, 4]);
    asked[3]?.answer('m2');
    await settle();
    expect(asked.slice(4).map(({ n, from }) => [n, from])).toEqual([
      [2, 2],
      [3, 2],
    ]);
    for (const one of asked.slice(4)) one.answer('m2');
    await settle();
    expect(client.backlog).toBe(0);
  });

  it('gives up on a failure that no repeat can help, and writes nothing after it', async () => {
    client.write(op(1));
    await settle();
    asked[0]?.fail('STORE_FAILED');
    await settle();
    expect(fatal).toEqual(['no']);
    client.write(op(2));
    await settle();
    expect(asked).toHaveLength(1);
  });

  it('gives up when nobody answers for long', async () => {
    client.write(op(1));
    await settle();
    for (let i = 0; i < 30; i++) {
      asked.at(-1)?.fail('NO_RESPONDERS');
      await clock.advance(100);
    }
    expect(fatal).toEqual(['no']);
  });

  it('does not take a callback that throws for a failed write', async () => {
    const called: number[] = [];
    client.afterFlush(() => {
      throw new Error('the event is too large');
    });
    client.afterFlush(() => called.push(2));
    await settle();
    asked[0]?.answer();
    await settle();
    expect([called, fatal]).toEqual([[2], []]);
    expect(logs.entries.map(({ message }) => message)).toEqual(['after a flush: the event is too large']);
  });
});
