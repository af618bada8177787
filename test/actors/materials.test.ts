/** What a request tells of an electron that an agent may have already: its bundle, and those inputs that don't travel along. */
import { expect, it } from 'vitest';
import { Orders } from '../../actors/lattice/orders.ts';
import { LatticeState } from '../../actors/lattice/state.ts';
import { largest, materialsOf } from '../../actors/materials.ts';
import { digestOf } from '../../bus/value/digest.ts';
import { Plan } from '../../model/plan.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { electron, graphOf, map } from './support/graphs.ts';
import { dispatchId, specOf } from './support/hub-world.ts';

const value = (name: string, size: number): ValueInfo => ({ digest: digestOf(Buffer.from(name)), size });
const bundle = value('bundle', 50_000);
const literal = value('literal', 70_000);
const made = value('made', 1e6);
const [first, second] = [value('first', 65_536), value('second', 65_537)];

it('literals, values of other electrons and items of a map, if they are large', () => {
  const nodes = [
    electron(0),
    electron(1, [0, 0, { value: literal.digest }]),
    map('items', 0, [electron(1, [{ item: 0 }, { index: 0 }])]),
  ];
  const state = new LatticeState(new Plan(graphOf(['make', 'use'], nodes)));
  const spec = specOf(dispatchId(1), { bundle, literals: [literal] });
  const orders = new Orders(spec, state, (task) => `n1.electron.${task}`);
  state.start();
  expect(orders.requests([0], false)).toMatchObject([{ nodes: [0], bundle }]);
  expect(orders.requests([0], false)[0]?.large).toBeUndefined();
  state.assigned(0);
  state.ended(0, 'completed', { ...made, length: 2 }, undefined);
  state.sliced(2, [first, second]);
  expect(orders.requests([1, 3, 4], false)).toMatchObject([
    {
      nodes: [1, 3, 4],
      large: [
        [1, [made, literal]],
        [4, [second]],
      ],
    },
  ]);
});

it('the four largest, each once', () => {
  const values = [1, 5, 3, 2, 4, 5].map((n) => value(`v${n}`, n * 1e5));
  expect(largest(values).map(({ size }) => size)).toEqual([5e5, 4e5, 3e5, 2e5]);
});

it('the same when an electron wants an agent again', () => {
  const manifest = { dispatch: 'd', user: 'kim', lattice: 'l', argv: [], captures: {}, expiresAt: 0, strict: false };
  expect(materialsOf({ node: 7, manifest, inputs: [first] })).toEqual({});
  expect(materialsOf({ node: 7, manifest: { ...manifest, bundle }, inputs: [first, literal, made] })).toEqual({
    bundle,
    large: [[7, [made, literal]]],
  });
});
