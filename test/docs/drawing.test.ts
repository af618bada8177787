/** The picture of docs/guides/drawing.md is what is drawn: `npx vitest run -u test/docs/drawing.test.ts` draws it anew. */
import { expect, it } from 'vitest';
import { electron } from '../../sdk/electron.ts';
import { lattice } from '../../sdk/lattice.ts';
import { traceLattice } from '../../sdk/trace.ts';
import { drawGraph } from '../../sdk/draw/draw.ts';
import { Seen, type SeenElectron } from '../../sdk/draw/seen.ts';

const load = electron({ name: 'load' }, () => ({ rows: [1], rate: 0.1 }));
const train = electron({ name: 'train', needs: ['gpu'] }, (row: number, rate: number) => row * rate);
const evaluate = electron({ name: 'evaluate' }, (model: number) => model);
const best = electron({ name: 'best' }, (scores: readonly number[]) => scores.length);
const tune = lattice({ name: 'tune' }, (rate: number) => evaluate(rate));
const sweep = lattice({ name: 'sweep' }, () => {
  const data = load();
  const trained = data.rows.map((row) => train(row, data.rate), { concurrency: 8 });
  const scores = data.rows.map((row) => evaluate(train(row, 0.5)));
  return { best: best(scores), tuned: tune(data.rate), trained };
});

it('docs/images/drawing.svg is what is drawn', async () => {
  const { graph } = traceLattice(sweep, []);
  const seen = new Seen(graph);
  // load, what is mapped over, two maps, best, what draws tune, tune.
  const own: SeenElectron['status'][] = [
    'completed',
    'completed',
    'failed',
    'running',
    'waiting',
    'completed',
    'running',
  ];
  for (const [id, status] of own.entries())
    seen.add(id === 6 ? { id, status, inner: '01m8cjw2h0q4x7r1n5va-h8202c8' } : { id, status });
  let id = own.length;
  for (let i = 0; i < 1_000; i++) seen.add({ id: id++, map: 2, status: i % 500 === 3 ? 'failed' : 'completed' });
  for (let i = 0; i < 1_000; i++) {
    seen.add({ id: id++, map: 3, status: i < 600 ? 'completed' : i < 608 ? 'running' : 'ready' });
    seen.add({ id: id++, map: 3, status: i < 590 ? 'completed' : 'waiting' });
  }
  expect(graph.nodes).toHaveLength(own.length);
  const draw = () =>
    drawGraph('svg', graph, { title: 'sweep', subtitle: '01m8cjtv24j4882pz2g5-h8202c8 · running', seen });
  expect(draw()).toBe(draw());
  await expect(draw()).toMatchFileSnapshot('../../docs/images/drawing.svg');
});
