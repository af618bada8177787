/** How far a lattice may grow. */
import { expect, it } from 'vitest';
import { tooManyItems } from '../../../actors/lattice/expansion-limit.ts';
import { Plan } from '../../../model/plan.ts';
import { electron, graphOf, map } from '../support/graphs.ts';

it('counts the nodes that there are and those of all items', () => {
  const graph = graphOf(
    ['a', 'b'],
    [electron(0), map('sweep', 0, [electron(1, [{ item: 0 }]), electron(1, [{ item: 0 }])])],
  );
  const plan = new Plan(graph);
  expect(tooManyItems(plan, 1, 4, 10)).toBeUndefined();
  expect(tooManyItems(plan, 1, 5, 10)).toMatchObject({
    code: 'GRAPH_INVALID',
    message: expect.stringMatching(/map "sweep": 5 items .* 12 nodes; at most 10/),
  });
  plan.expand(1, 4);
  expect(tooManyItems(plan, 1, 1, 10)).toBeDefined();
  expect(tooManyItems(plan, 1, 1_000_000)).toBeDefined();
});
