/** What the compiler says to users of `polaron/testing`: each wrong use is an error. Checked by `npm run check:types`; nothing here runs. */
import { electron, lattice } from 'polaron';
import { createTestHub, graphOf, type InProcessHub, type Mock } from 'polaron/testing';

declare const hub: InProcessHub;
const score = electron(async function score(x: number, label?: string): Promise<{ readonly score: number }> {
  return { score: x + (label?.length ?? 0) };
});
const run = lattice(function run(x: number) {
  return score(x).score;
});

export const mock: Mock<[x: number, label?: string]> = hub.mock(score, (x) => ({ score: x }));
export const later = hub.mock(score, async (x, label) => ({ score: x + (label?.length ?? 0) }));
export const value: Promise<number> = hub
  .dispatch(run)(1)
  .then((id) => hub.client.getValue(id));
export const settled: Promise<number | string> = hub
  .dispatch(run)(1)
  .then((id) => hub.settle(id))
  .then((result) => (result.status === 'completed' ? result.value : result.status));

// @ts-expect-error a mock's value is the electron's
hub.mock(score, () => 'high');
// @ts-expect-error a mock takes the electron's arguments
hub.mock(score, (x: string) => ({ score: x.length }));
// @ts-expect-error a lattice is no electron
hub.mock(run, () => 1);
// @ts-expect-error the arguments are those of the lattice
graphOf(run, 'x');
// @ts-expect-error none is missing
graphOf(run);
// @ts-expect-error a duration has a unit
void hub.clock.advance('3 days');
// @ts-expect-error agents are named
void createTestHub({ agents: [{ slots: 2 }] });
