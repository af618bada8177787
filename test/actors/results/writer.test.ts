import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveDispatches } from '../../../actors/results/live.ts';
import { RecordWriter } from '../../../actors/results/writer.ts';
import type { RecordOp } from '../../../bus/protocol/results.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import type { ElectronStatus } from '../../../model/lifecycle.ts';
import { openMemoryStore } from '../../../store/memory-store.ts';
import { decodeNumber, keys } from '../../../store/records.ts';
import { settle } from '../support/fake-clock.ts';
import { dispatchId, specOf } from '../support/hub-world.ts';

const id = dispatchId(1);
const epoch = (n: number): RecordOp[] => [{ op: 'epoch', epoch: n }];
const was = (node: number, before: ElectronStatus | undefined, status: ElectronStatus): RecordOp => ({
  op: 'electron',
  id,
  node,
  was: before,
  record: { status, attempt: 1, failures: 0, losses: 0, seq: 1 },
});

function setUp(flush: 'turn' | 'manual' = 'turn') {
  const store = openMemoryStore({ flush });
  const live = new LiveDispatches();
  const ended: string[] = [];
  const writer = new RecordWriter(store, live, ({ id: one }) => ended.push(one));
  const stored = (): number => {
    const bytes = store.get(keys.hubEpoch);
    return bytes === undefined ? 0 : decodeNumber(bytes);
  };
  return { store, live, ended, writer, stored };
}

describe('the record writer', () => {
  it('tells when all up to a batch has been written, whatever came first', async () => {
    const { writer } = setUp();
    const reached: number[] = [];
    for (const n of [0, 1, 3]) void writer.reached({ sender: 's1', n }).then(() => reached.push(n));
    await settle();
    expect(reached).toEqual([0]);
    void writer.write('s1', 1, 2, epoch(2));
    void writer.write('s1', 1, 3, epoch(3));
    await settle();
    expect(reached).toEqual([0]);
    void writer.write('s1', 1, 1, epoch(1));
    await settle();
    expect(reached).toEqual([0, 1, 3]);
  });

  it('applies batches in the order of their numbers, however they come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([1, 2, 3, 4, 5, 6], { minLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 6 })),
        async (order, repeats) => {
          const { writer, store } = setUp();
          const applied: number[] = [];
          const write = store.write.bind(store);
          store.write = (ops) => {
            for (const op of ops) if (op.op === 'put') applied.push(decodeNumber(op.value));
            return write(ops);
          };
          for (const n of order) {
            void writer.write('s1', 1, n, epoch(n));
            for (const again of repeats) if (applied.includes(again)) void writer.write('s1', 1, again, epoch(again));
          }
          await settle();
          expect(applied).toEqual([1, 2, 3, 4, 5, 6]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('answers one that comes early only when those before it are here', async () => {
    const { writer, stored } = setUp();
    let done = false;
    const early = writer.write('s1', 1, 2, epoch(2)).then(() => {
      done = true;
    });
    await settle();
    expect([stored(), done]).toEqual([0, false]);
    await writer.write('s1', 1, 1, epoch(1));
    await early;
    expect(stored()).toBe(2);
  });

  it('only waits for one that comes again, until it is flushed', async () => {
    const { writer, store, stored } = setUp('manual');
    void writer.write('s1', 1, 1, epoch(1));
    void writer.write('s1', 1, 2, epoch(2));
    let done = false;
    void writer.write('s1', 1, 1, epoch(1)).then(() => {
      done = true;
    });
    await settle();
    expect([stored(), done]).toEqual([2, false]);
    store.flush();
    await settle();
    expect(done).toBe(true);
  });

  it('begins with the lowest number that a sender still waits for, after a restart of the manager', async () => {
    const { writer, stored } = setUp();
    void writer.write('s1', 7, 8, epoch(8));
    expect(stored()).toBe(0);
    await writer.write('s1', 7, 7, epoch(7));
    expect(stored()).toBe(8);
  });

  it('keeps senders apart', async () => {
    const { writer, stored } = setUp();
    await writer.write('s1', 1, 1, epoch(1));
    await writer.write('s2', 1, 1, epoch(2));
    expect(stored()).toBe(2);
  });

  it('tells of the end of a dispatch only when it is on disk', async () => {
    const { writer, store, ended } = setUp('manual');
    void writer.write('s1', 1, 1, [{ op: 'accept', spec: specOf(id), contentDigest: digestOf(new Uint8Array()) }]);
    void writer.write('s1', 1, 2, [{ op: 'dispatch', id, record: { status: 'completed', seq: 3, errors: [] } }]);
    await settle();
    expect([ended, store.get(keys.live(id))]).toEqual([[], undefined]);
    store.flush();
    await settle();
    expect(ended).toEqual([id]);
  });

  it('keeps the counts by status, maps and running ones included', async () => {
    const { writer, live } = setUp();
    let n = 0;
    const write = (...ops: RecordOp[]): Promise<void> => writer.write('s1', 1, ++n, ops);
    await write({ op: 'accept', spec: specOf(id, { nodes: 3 }), contentDigest: digestOf(new Uint8Array()) });
    expect(live.counts(id)).toEqual({ waiting: 3 });
    await write(was(0, undefined, 'assigned'), was(1, undefined, 'assigned'), {
      op: 'running',
      id,
      node: 1,
      startedAt: 5,
    });
    expect(live.counts(id)).toEqual({ assigned: 1, running: 1, waiting: 1 });
    // a running electron's record still says `assigned`
    await write(was(0, 'assigned', 'retrying'), was(1, 'assigned', 'completed'));
    expect(live.counts(id)).toEqual({ retrying: 1, completed: 1, waiting: 1 });
    await write({ op: 'expansion', id, record: { map: 2, base: 3, count: 2, items: [] } });
    await write(
      was(3, undefined, 'completed'),
      was(4, undefined, 'skipped'),
      was(2, undefined, 'failed'),
      was(0, 'retrying', 'ready'),
    );
    expect(live.counts(id)).toEqual({ ready: 1, completed: 2, skipped: 1, failed: 1 });
  });

  it('keeps the expansions of maps without items apart, which share a base', async () => {
    const { writer, store } = setUp();
    const expansion = (map: number, count: number): RecordOp => ({
      op: 'expansion',
      id,
      record: { map, base: 9, count, items: [] },
    });
    await writer.write('s1', 1, 1, [expansion(4, 0), expansion(2, 0), expansion(5, 3)]);
    expect([...store.range(keys.expansionsOf(id))]).toHaveLength(3);
  });
});
