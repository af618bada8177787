/** Pulling a value from an agent that isn't always there. */
import { expect, test } from 'vitest';
import { pullFromAgent } from '../../../actors/results/pull.ts';
import type { BusMessage, RequestOptions } from '../../../bus/bus.ts';
import { decodeBody, decodeEnvelope } from '../../../bus/codec.ts';
import { makeSubjects } from '../../../bus/subjects.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { PolaronError } from '../../../model/errors.ts';
import type { AgentKey } from '../../../model/ids.ts';
import { openMemoryStore } from '../../../store/memory-store.ts';
import { FakeBus, FakeNetwork } from '../../support/fake-bus.ts';
import { FakeClock } from '../support/fake-clock.ts';

const agent: AgentKey = 's1.a1';
const subjects = makeSubjects();
const large = Buffer.alloc(600 * 1024, 'polaron');
const digest = digestOf(large);

/** Remembers when it was asked; with `refusal` it asks nobody. */
class WatchedBus extends FakeBus {
  readonly asked: number[] = [];
  refusal: PolaronError | undefined;
  readonly #clock: FakeClock;

  constructor(network: FakeNetwork, clock: FakeClock) {
    super(network, 'hub.n1');
    this.#clock = clock;
  }

  override request(subject: string, data: Uint8Array, options: RequestOptions): Promise<BusMessage> {
    this.asked.push(this.#clock.monotonic() - 1_000);
    return this.refusal === undefined ? super.request(subject, data, options) : Promise.reject(this.refusal);
  }
}

function world() {
  const network = new FakeNetwork();
  const clock = new FakeClock();
  const bus = new WatchedBus(network, clock);
  return { network, clock, bus, o: { bus, subjects, by: bus.identity, clock }, store: openMemoryStore() };
}

/** The agent that has the value. */
function listens(network: FakeNetwork): void {
  network.connect('a.s1.a1').subscribe(subjects.down('s1', 'a1', 'blob'), (message) => {
    const body = decodeBody(decodeEnvelope(message.data).body);
    if (typeof body !== 'object' || body === null || !('offset' in body) || !('length' in body)) return;
    const offset = Number(body.offset);
    message.respond(large.subarray(offset, offset + Number(body.length)));
  });
}

test('an agent that is back after a while is asked again, after pauses that double', async () => {
  const { network, clock, bus, o, store } = world();
  const pulled = pullFromAgent(store, o, agent, digest, large.length);
  await clock.advance(599);
  // three chunks at once, each tried at 0, 200 ms
  expect(bus.asked).toEqual([0, 0, 0, 200, 200, 200]);
  listens(network);
  await clock.advance(1);
  expect(bus.asked.slice(6)).toEqual([600, 600, 600]);
  expect(await pulled).toBe(true);
  expect(Buffer.compare(await store.readValue(digest, 0, large.length), large)).toBe(0);
});

test("one that stays away ends the pull with the bus's word after 3 s", async () => {
  const { clock, bus, o, store } = world();
  const pulled = pullFromAgent(store, o, agent, digest, 10);
  const ended = expect(pulled).rejects.toMatchObject({ code: 'NO_RESPONDERS' });
  await clock.advance(3_000);
  await ended;
  expect(bus.asked).toEqual([0, 200, 600, 1_400, 3_000]);
  expect(clock.waiting).toBe(0);
});

test("what trying again can't change is not tried again", async () => {
  const { bus, o, store } = world();
  bus.refusal = new PolaronError('BUS_CLOSED', 'closed');
  await expect(pullFromAgent(store, o, agent, digest, 10)).rejects.toBe(bus.refusal);
  expect(bus.asked).toHaveLength(1);
});
