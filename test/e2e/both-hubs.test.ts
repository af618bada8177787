/** Workflows on a real hub and on one inside a test: the same results, statuses, errors and attempts of every electron. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Client, type Lattice, type NodeError } from 'polaron';
import { createTestHub, startTestHub, type InProcessHub, type TestHub } from 'polaron/testing';
import * as both from './workflows/both-hubs.ts';
import * as failures from './workflows/failures.ts';
import * as hooked from './workflows/hooked.ts';
import * as kinds from './workflows/kinds.ts';
import * as maps from './workflows/maps.ts';
import * as sublattices from './workflows/sublattices.ts';

let real: TestHub;
let client: Client;
let kit: InProcessHub;
beforeAll(async () => {
  real = await startTestHub();
  client = await connect({ bus: real.url });
  // nothing here does real work for so long: what does hangs
  kit = await createTestHub({ patience: '300ms' });
});
afterAll(async () => {
  await client.close();
  await real.stop();
  await kit.stop();
});

/** Ids and stacks are those of a run and of a process. */
const plain = (error: NodeError | undefined): unknown =>
  error && { node: error.node, code: error.code, message: error.message, cause: plain(error.cause) };

/** Several nodes may have one name. */
const placeOf = ({ node, message }: NodeError): string => `${node} ${message}`;

async function seenOn<A extends readonly unknown[], R>(hub: Client, l: Lattice<A, R>, args: A): Promise<unknown> {
  const result = await hub.dispatchSync(l)(...args);
  const electrons: unknown[] = [];
  for await (const electron of result.electrons.list()) {
    const { id, name, status, attempts, error } = electron;
    const logged = (await electron.stdout()).split('\n').filter((line) => line.startsWith('attempt '));
    electrons.push({ id, name, status, attempts, logged, error: plain(error) });
  }
  const { status, metadata, lattice } = result;
  const end = result.status === 'completed' ? { value: result.value } : {};
  // they stand in the order of time, which is a race where branches fail side by side
  const roots = result.status === 'failed' ? [...result.errors].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1)) : [];
  return { status, metadata, graph: lattice.graph, electrons, errors: roots.map(plain), ...end };
}

const row = <A extends readonly unknown[], R>(name: string, l: Lattice<A, R>, ...args: A) => ({
  name,
  both: () => Promise.all([seenOn(client, l, args), seenOn(kit.client, l, args)]),
});

describe('a hub inside a test does what a real one does:', () => {
  it.each([
    row('attempts, and errors that are not retried', both.attempts),
    row('timeouts of attempts, of silence, of all of an electron', both.timed),
    row('the timeout of a dispatch', both.late),
    row('an electron that finds no agent in time', both.unplaced),
    row('where an electron is', both.nodes, [1, 2, 3]),
    row('values of all sizes', both.sizes),
    row('branches that fail, go on and are skipped', failures.branches),
    row('several failures', failures.severalRoots),
    row('retries that help', failures.retried, 2),
    row('retries that do not', failures.retried, 9),
    row('results that are functions', failures.unsendable, 'function'),
    row('results that are instances of classes', failures.unsendable, 'instance'),
    row('values of all kinds', kinds.kindsEverywhere, kinds.everyKind()),
    row('maps', maps.doubled, 5),
    row('maps over nothing', maps.doubled, 0),
    row('maps over a path, with two electrons an item', maps.tagged, 3),
    row('maps in maps', maps.squares),
    row('sublattices, drawn at once and later, in maps', sublattices.all, 5),
    row('sublattices that fail', sublattices.failing, 'no luck'),
    row('recursion', sublattices.countdown, 3),
    row('hooks', hooked.queries),
    row('hooks that fail', hooked.unplugged),
    row('hooks that fail once', hooked.pluggedLater),
  ])('$name', async ({ both: run }) => {
    const [onReal, onKit] = await run();
    expect(onKit).toEqual(onReal);
  });
});
