/** Frames between agent and runner: batches, any fragmentation, large bodies, and what each message looks like in one. Pure. */
import {
  array,
  assert,
  boolean,
  constant,
  double,
  integer,
  oneof,
  property,
  record,
  string,
  uint8Array,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameBatch, FrameReader, framesIn } from '../../../executors/runner/frames.ts';
import type { TaskInput } from '../../../executors/executor.ts';
import type { FromRunner, RunTask, ToRunner } from '../../../executors/runner/messages.ts';
import { readFromRunner, readToRunner, writeFromRunner, writeToRunner } from '../../../executors/runner/wire-runner.ts';
import { decodeBody, encodeBody } from '../../../bus/codec.ts';
import { digestOf } from '../../../bus/value/digest.ts';

const plainBatch = (): FrameBatch<object> => new FrameBatch<object>((_out, message) => encodeBody(message));
const bytesOf = (messages: readonly object[]): Buffer => {
  const batch = plainBatch();
  for (const message of messages) batch.add(message);
  return Buffer.concat(batch.take());
};
const plainReader = (each: (message: unknown) => void): FrameReader<unknown> =>
  new FrameReader((body) => body.value(), each);

const toRunner = (message: ToRunner): Buffer => {
  const batch = new FrameBatch(writeToRunner);
  batch.add(message);
  return Buffer.concat(batch.take());
};
const fromRunner = (message: FromRunner): Buffer => {
  const batch = new FrameBatch(writeFromRunner);
  batch.add(message);
  return Buffer.concat(batch.take());
};
const heard = <T>(reader: (each: (message: T) => void) => FrameReader<T>, bytes: Buffer): T[] => {
  const got: T[] = [];
  reader((message) => got.push(message)).feed(bytes);
  return got;
};
const agentHears = (bytes: Buffer): FromRunner[] => heard((each) => new FrameReader(readFromRunner, each), bytes);
const runnerHears = (bytes: Buffer): ToRunner[] => heard((each) => new FrameReader(readToRunner, each), bytes);
const framed = (body: Uint8Array): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
};

const run: RunTask = {
  type: 'run',
  task: '00000000000000000000-n1_7',
  electron: 'train',
  token: [1_700_000_000_000, 2],
  about: { user: 'u', lattice: 'l', metadata: { team: 'a' } },
  node: 'train[7] 😀',
  template: Uint8Array.of(1, 2, 3),
  inputs: [Uint8Array.of(4), new Uint8Array(300).fill(5)],
  split: true,
  env: { A: 'b' },
  hooks: 'polaron:hooks:all',
  startBy: 12_345.678,
};
const value = { digest: digestOf(Buffer.from('x')), size: 1 };
const ended = {
  type: 'finished',
  task: run.task,
  startedAt: 1_700_000_000_000,
  endedAt: 1_700_000_000_000.25,
} as const;
const plain = (x: unknown): unknown => decodeBody(encodeBody(x));

describe('frames', () => {
  it('come out whole and in order however the stream is cut', () => {
    assert(
      property(
        array(record({ task: string(), bytes: uint8Array({ maxLength: 300 }) }), {
          minLength: 1,
          maxLength: 20,
        }),
        array(integer({ min: 1, max: 50 }), { minLength: 1 }),
        (messages, cuts) => {
          const stream = bytesOf(messages);
          const got: unknown[] = [];
          const reader = plainReader((message) => got.push(message));
          for (let at = 0, i = 0; at < stream.length; i++) {
            const length = cuts[i % cuts.length] ?? 1;
            reader.feed(stream.subarray(at, at + length));
            at += length;
          }
          expect(got).toEqual(messages);
        },
      ),
    );
  });

  it('of large bodies are not copied into one piece', () => {
    const batch = plainBatch();
    batch.add({ a: 1 });
    batch.add({ large: new Uint8Array(1_000_000) });
    batch.add({ b: 2 });
    const { bytes } = batch;
    const parts = batch.take();
    expect(parts.length).toBeGreaterThan(1);
    expect(batch.empty).toBe(true);
    expect(Buffer.concat(parts)).toHaveLength(bytes);
    const got: unknown[] = [];
    plainReader((message) => got.push(message)).feed(Buffer.concat(parts));
    expect(got).toHaveLength(3);
  });

  it('are found in a record that was written piece by piece, up to the mark that ends it', () => {
    const batch = plainBatch();
    const record = Buffer.alloc(1_000, 0xff);
    let saved = 0;
    for (const message of [{ a: 1 }, { b: 'two' }, { c: [3] }]) {
      batch.add(message);
      record.set(batch.ended(saved), saved);
      saved = batch.bytes;
      expect(framesIn(record)).toBe(saved);
    }
    expect(Buffer.compare(record.subarray(0, saved), Buffer.concat(batch.take()))).toBe(0);
    expect(framesIn(record.subarray(0, saved - 1))).toBeLessThan(saved - 1);
    expect(framesIn(Buffer.alloc(0))).toBe(0);
  });

  it('that a writer gave up leave nothing behind', () => {
    const batch = new FrameBatch<number>((out, message) => {
      out.text('half');
      if (message === 0) throw new Error('no');
      return undefined;
    });
    batch.add(1);
    expect(() => batch.add(0)).toThrow('no');
    batch.add(1);
    const reader = (each: (text: string) => void): FrameReader<string> => new FrameReader((body) => body.text(9), each);
    expect(heard(reader, Buffer.concat(batch.take()))).toEqual(['half', 'half']);
  });
});

describe('messages between agent and runner', () => {
  it('come out as they went in', () => {
    const runs: RunTask[] = [run, { ...run, env: undefined, split: false, inputs: [], startBy: 0 }];
    for (const one of runs) expect(runnerHears(toRunner(one))).toEqual([one]);
    const others: ToRunner[] = [
      { type: 'load', argv: ['a'] },
      { type: 'load', bundleFile: '/b.mjs', argv: [] },
      { type: 'index', electrons: ['e'], captures: { e: { x: 1 } } },
      { type: 'cancel', task: 't', code: 'TIMEOUT', reason: 'r' },
    ];
    for (const one of others) expect(runnerHears(toRunner(one))).toEqual([one]);
    const answers: FromRunner[] = [
      { ...ended, scratchUsed: false, result: { status: 'completed', value, bytes: Buffer.from([9]) } },
      { ...ended, scratchUsed: true, result: { status: 'completed', value: { ...value, length: 0 }, file: '/f ä' } },
      { ...ended, scratchUsed: true, result: { status: 'failed', error: { code: 'X', message: 'm' } } },
      { ...ended, scratchUsed: false, result: { status: 'cancelled' } },
      { type: 'returned', tasks: ['t'] },
      { type: 'retiring' },
    ];
    for (const one of answers) expect(agentHears(fromRunner(one)).map(plain)).toEqual([plain(one)]);
  });

  it('with large inputs are the same message as small ones', () => {
    const large = { ...run, inputs: [new Uint8Array(200_000).fill(7), { file: '/f ä' }, Uint8Array.of(1)] };
    const [got] = runnerHears(toRunner(large));
    if (got?.type !== 'run') throw new Error('no run');
    // a difference in so many bytes takes minutes to print
    const digests = (inputs: readonly TaskInput[]): unknown[] =>
      inputs.map((input) => (input instanceof Uint8Array ? digestOf(input) : input));
    expect(digests(got.inputs)).toEqual(digests(large.inputs));
    expect({ ...got, inputs: [] }).toEqual({ ...run, inputs: [] });
  });

  it('that are none of a runner are refused with BAD_MESSAGE', () => {
    const completed: unknown[] = [2, run.task, 1, 2, 0, value.digest, 1, -1, Buffer.from([9]), null];
    const put = (at: number, x: unknown): unknown[] => completed.with(at, x);
    expect(agentHears(framed(encodeBody(completed)))).toHaveLength(1);
    for (const bad of [
      null,
      {},
      { type: 'finished' },
      { ...ended, scratchUsed: false, result: { status: 'completed', value } },
      { type: 'log', task: 't', stream: 'stdin', text: '' },
      { type: 'run' },
      [],
      [1],
      put(0, 1),
      put(1, 5),
      put(2, 'now'),
      put(3, Number.NaN),
      put(5, 'short'),
      put(6, -1),
      put(7, 0.5),
      put(8, 'text'),
      put(8, null),
      put(9, '/both'),
      [...completed, 1],
    ]) {
      expect(() => agentHears(framed(encodeBody(bad))), JSON.stringify(bad)).toThrow(
        expect.objectContaining({ code: 'BAD_MESSAGE' }),
      );
    }
    const whole = framed(encodeBody(completed));
    const longer = Buffer.concat([whole, Buffer.from([1])]);
    longer.writeUInt32BE(whole.length - 3);
    expect(() => agentHears(longer)).toThrow(expect.objectContaining({ code: 'BAD_MESSAGE' }));
    expect(() => agentHears(Buffer.from([0, 0, 0, 1, 0xc1]))).toThrow(expect.objectContaining({ code: 'BAD_MESSAGE' }));
  });

  it('made of arbitrary bytes are refused with BAD_MESSAGE or are messages, and nothing else happens', () => {
    const refusedOrRead = (read: () => unknown[]): void => {
      try {
        expect(read()).toHaveLength(1);
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_MESSAGE' });
      }
    };
    assert(
      property(uint8Array({ minLength: 1, maxLength: 200 }), (body) => {
        refusedOrRead(() => agentHears(framed(body)));
        refusedOrRead(() => runnerHears(framed(body)));
      }),
      { numRuns: 500 },
    );
    const any = oneof(string(), integer(), double(), boolean(), uint8Array(), constant(null), array(uint8Array()));
    assert(
      property(array(any, { minLength: 9, maxLength: 11 }), (fields) => {
        for (const kind of [1, 2]) {
          refusedOrRead(() => agentHears(framed(encodeBody([kind, ...fields]))));
          refusedOrRead(() => runnerHears(framed(encodeBody([kind, ...fields]))));
        }
      }),
      { numRuns: 500 },
    );
  });
});
