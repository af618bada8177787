/** Frames between agent and runner: batches, any fragmentation, large bodies. Pure. */
import { array, assert, integer, property, record, string, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameBatch, FrameReader } from '../../../executors/runner/frames.ts';
import { parseFromRunner } from '../../../executors/runner/wire-runner.ts';

const bytesOf = (messages: readonly object[]): Buffer => {
  const batch = new FrameBatch();
  for (const message of messages) batch.add(message);
  return Buffer.concat(batch.take());
};

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
          const reader = new FrameReader((message) => got.push(message));
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

  it('of large bodies are not copied into one piece, and can be peeked at before they go', () => {
    const batch = new FrameBatch();
    batch.add({ a: 1 });
    const small = batch.peek();
    expect(batch.empty).toBe(false);
    expect(Buffer.compare(small, bytesOf([{ a: 1 }]))).toBe(0);
    batch.add({ large: new Uint8Array(1_000_000) });
    const parts = batch.take();
    expect(parts.length).toBeGreaterThan(1);
    expect(batch.empty).toBe(true);
    const got: unknown[] = [];
    new FrameReader((message) => got.push(message)).feed(Buffer.concat(parts));
    expect(got).toHaveLength(2);
  });

  it('that are no messages of a runner are refused with BAD_MESSAGE', () => {
    for (const bad of [
      null,
      {},
      { type: 'finished' },
      { type: 'log', task: 't', stream: 'stdin', text: '' },
      { type: 'run' },
    ]) {
      expect(() => parseFromRunner(bad)).toThrow(expect.objectContaining({ code: 'BAD_MESSAGE' }));
    }
    expect(() => new FrameReader(() => undefined).feed(Buffer.from([0, 0, 0, 1, 0xc1]))).toThrow(
      expect.objectContaining({ code: 'BAD_MESSAGE' }),
    );
  });
});
