/** More electrons in one lattice than a mailbox holds messages: cancelling them all overruns nobody, whatever they do, and takes a time that grows with their number. */
import { expect, it } from 'vitest';
import { valueCache } from '../../../actors/caches.ts';
import { ElectronActor } from '../../../actors/electron/electron.ts';
import { isElectronMessage } from '../../../actors/electron/messages.ts';
import { ReuseTables } from '../../../actors/lattice/reuse-table.ts';
import { LatticeSupervisor, type SupervisorServices } from '../../../actors/lattice/supervisor.ts';
import { makeMoment } from '../../../actors/moment.ts';
import type { Message } from '../../../actors/system.ts';
import type { LatticeMessage } from '../../../bus/protocol/actors.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import { settle } from '../support/fake-clock.ts';
import { until } from '../../support/until.ts';
import { electron, graphOf, inner } from '../support/graphs.ts';
import { dispatchId, makeHubWorld, specOf, type HubWorld } from '../support/hub-world.ts';

/** Less than usual, so that it is quickly passed. */
const mailboxLimit = 12_000;
const id = dispatchId(1);
const wide = graphOf(
  ['a'],
  Array.from({ length: 2 * mailboxLimit }, () => electron(0)),
);

function supervised({ system, results, clock }: HubWorld, spawnElectron: SupervisorServices['spawnElectron']): void {
  const supervisor = new LatticeSupervisor(id, {
    system,
    results,
    values: valueCache(1_000_000),
    clock,
    random: () => 0,
    moment: makeMoment(clock),
    publish: () => undefined,
    epoch: { value: 1 },
    spawnElectron,
    reuseTables: new ReuseTables(results),
    onEnd: () => undefined,
  });
  const isLattice = (message: Message): message is LatticeMessage => message.type !== '';
  system.spawn(system.address('lattice', id), supervisor, isLattice);
}

it.each(['ready', 'retrying'] as const)(
  '%s electrons are cancelled by tens of thousands',
  async (status) => {
    const world = makeHubWorld({ mailboxLimit });
    const { system, results, clock } = world;
    const told = world.probe('dispatcher', 'main', (message): message is Message => message.type !== '');
    const asked = world.probe('matchmaker', 'main', (message): message is Message => message.type !== '');
    supervised(world, (work, services, restored) =>
      system.spawn(work.address, new ElectronActor(work, services, restored), isElectronMessage),
    );
    const tell = (message: LatticeMessage): void => system.send(`n1.lattice.${id}`, message, 'n1.dispatcher.main');
    const bytes = encodeGraph(wide);
    const spec = specOf(id, { graph: valueInfoOf(bytes), nodes: wide.nodes.length });
    results.write({ op: 'accept', spec, contentDigest: digestOf(bytes) });
    const record = { attempt: 1, failures: 1, losses: 0, seq: 0, retryAt: clock.now() + 50_000 };
    const electrons = status === 'ready' ? [] : wide.nodes.map((_, node) => [node, { status, ...record }] as const);
    results.write(
      ...electrons.map(([node, is]) => ({ op: 'electron', id, node, was: undefined, record: is }) as const),
    );
    tell({
      type: 'lattice.resume',
      spec,
      record: { status: 'running', seq: 1, errors: [] },
      graph: wide,
      electrons,
      expansions: [],
    });
    await until(() => system.has(`n1.electron.${id}_0`) || asked.length > 0, 'it is under way');
    tell({ type: 'lattice.cancel', request: 1, reason: 'enough' });
    await until(() => told.some(({ message }) => message.type === 'cancel.settled'), 'cancelled', 50_000);
    expect(world.crashes).toEqual([]);
    expect((await results.ask('results.detail', { id, user: 'kim' })).counts).toEqual({ cancelled: wide.nodes.length });
    if (status === 'ready') expect(asked.filter(({ message }) => message.type === 'match.withdraw')).toHaveLength(1);
    world.close();
  },
  60_000,
);

it.each(['begin', 'go on after a restart and are cancelled'] as const)(
  'lattices inside %s by tens of thousands',
  async (what) => {
    const world = makeHubWorld({ mailboxLimit });
    const { system, results } = world;
    const told = world.probe('dispatcher', 'main', (message): message is Message => message.type !== '');
    world.probe('matchmaker', 'main', (message): message is Message => message.type !== '');
    supervised(world, () => undefined);
    const tell = (message: LatticeMessage): void => system.send(`n1.lattice.${id}`, message, 'n1.dispatcher.main');
    const graph = graphOf(['a'], [electron(0), ...Array.from({ length: 2 * mailboxLimit }, () => inner('i', 0))]);
    const bytes = encodeGraph(graph);
    const spec = specOf(id, { graph: valueInfoOf(bytes), nodes: graph.nodes.length });
    results.write({ op: 'accept', spec, contentDigest: digestOf(bytes) });
    const drawn = {
      status: 'completed',
      attempt: 1,
      failures: 0,
      losses: 0,
      seq: 0,
      value: valueInfoOf(bytes),
    } as const;
    const begun = { status: 'running', attempt: 0, failures: 0, losses: 0, seq: 0 } as const;
    const electrons =
      what === 'begin'
        ? [[0, drawn] as const]
        : graph.nodes.map((_, node) => [node, node === 0 ? drawn : begun] as const);
    for (const [node, record] of electrons) results.write({ op: 'electron', id, node, was: undefined, record });
    const record = { status: 'running', seq: 1, errors: [] } as const;
    tell({ type: 'lattice.resume', spec, record, graph, electrons, expansions: [] });
    // What was drawn is no graph, and none of those that had begun is known to the store.
    if (what !== 'begin') tell({ type: 'lattice.cancel', request: 1, reason: 'enough' });
    const over = (): boolean =>
      told.some(({ message }) => message.type === 'dispatch.ended') || world.crashes.length > 0;
    for (let n = 0; n < 2_000 && !over(); n++) await settle(10);
    expect(world.crashes).toEqual([]);
    expect(told.filter(({ message }) => message.type === 'dispatch.ended')).toHaveLength(1);
    world.close();
  },
  60_000,
);
