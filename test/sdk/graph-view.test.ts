/** The public view of a graph, from a trace and from its stored bytes. */
/* oxlint-disable typescript/no-non-null-assertion -- an element of a Ref is always there; noUncheckedIndexedAccess can't know */
import { expect, test } from 'vitest';
import { decodeGraph, encodeGraph } from '../../bus/protocol/wire-graph.ts';
import { after } from '../../sdk/after.ts';
import { electron } from '../../sdk/electron.ts';
import { graphView } from '../../sdk/graph-view.ts';
import { lattice } from '../../sdk/lattice.ts';
import { traceLattice } from '../../sdk/trace.ts';

const load = electron({ name: 'load "x" <b>' }, (path: string) => [path.length]);
const fit = electron({ name: 'fit', retries: 1 }, (n: number, extra: unknown) => [n, extra]);
const done = electron({ name: 'done' }, () => 1);
const pipeline = lattice({ name: 'pipeline' }, (path: string) => {
  const data = load(path);
  const base = done();
  const fits = data.map((n, i) => fit(n, { i, base }));
  after(fits, () => done());
  return { fits, first: fits[0]! };
});
const stored = () => decodeGraph(encodeGraph(traceLattice(pipeline, ['p']).graph));

test('the public view shows arguments with Refs, options, order and bodies; a stored graph shows the same', () => {
  const view = pipeline.graph('p');
  expect(view.output).toEqual({ fits: { $ref: 2, path: [] }, first: { $ref: 2, path: [0] } });
  expect(view.nodes.map(({ id, kind, name, args, after }) => ({ id, kind, name, args, after }))).toEqual([
    { id: 0, kind: 'electron', name: 'load "x" <b>', args: ['p'], after: [] },
    { id: 1, kind: 'electron', name: 'done', args: [], after: [] },
    { id: 2, kind: 'map', name: 'fit', args: [{ $ref: 0, path: [] }], after: [] },
    { id: 3, kind: 'electron', name: 'done', args: [], after: [2] },
  ]);
  const body = view.nodes[2]?.body;
  expect(body?.nodes[0]).toMatchObject({
    name: 'fit',
    args: [
      { $ref: 'item', path: [] },
      { i: { $ref: 'index', path: [] }, base: { $ref: 1, path: [], up: 1 } },
    ],
    options: { retries: { max: 1 } },
  });
  expect(body?.output).toEqual({ $ref: 0, path: [] });
  expect(graphView(stored())).toEqual(view);
});
