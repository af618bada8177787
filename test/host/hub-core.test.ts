/** The hub's actors on a bus that fails them while they begin. */
import { expect, it } from 'vitest';
import { makeSubjects } from '../../bus/subjects.ts';
import { startHubCore } from '../../host/hub-core.ts';
import { systemRandom } from '../../host/random.ts';
import { PolaronError } from '../../model/errors.ts';
import { openMemoryStore } from '../../store/memory-store.ts';
import { FakeClock } from '../actors/support/fake-clock.ts';
import { FakeNetwork } from '../support/fake-bus.ts';
import { noLog } from '../support/log-list.ts';

it('a hub that could not begin listens no more: it would answer beside the one that begins next', async () => {
  const network = new FakeNetwork();
  const bus = network.connect('hub.n1');
  bus.flush = () => Promise.reject(new PolaronError('BUS_CLOSED', 'the bus was closed'));
  const begun = startHubCore({
    bus,
    subjects: makeSubjects(),
    node: 'n1',
    results: { store: openMemoryStore() },
    clock: new FakeClock(),
    random: systemRandom(),
    log: noLog,
    leases: { leaseMs: 15_000, heartbeatMs: 2_000 },
    traceActors: false,
    about: { version: '0', bus: '', data: '', startedAt: 0 },
    onFatal: () => undefined,
    onAgentReady: () => undefined,
    onResultsRestart: () => () => undefined,
  });
  await expect(begun).rejects.toMatchObject({ code: 'BUS_CLOSED' });
  expect([...network.listeners].map(({ subject }) => subject)).toEqual([]);
});
