/** Lattices to draw: of a given size and shape, and one with maps. Random ones are the same in every run. */
import { electron } from '../../../sdk/electron.ts';
import { lattice } from '../../../sdk/lattice.ts';
import { traceLattice } from '../../../sdk/trace.ts';
import type { ElectronStatus } from '../../../model/lifecycle.ts';
import type { WireGraph } from '../../../model/graph.ts';
import { drawGraph } from '../../../sdk/draw/draw.ts';
import { Seen } from '../../../sdk/draw/seen.ts';
import type { DrawFormat } from '../../../sdk/types.ts';

export const graphOf = (drawn: unknown): WireGraph => traceLattice(drawn, []).graph;

/** Park and Miller's. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

const words = ['fetch', 'clean', 'join', 'filterOutliers', 'rank', 'score', 'trainSupportVectors', 'merge', 'plot'];

/** Electrons of different names; each takes up to `most` of the `reach` before it. */
export const random = (nodes: number, most: number, reach: number) =>
  lattice({ name: `random of ${nodes}` }, () => {
    const below = randomOf(nodes);
    const made: unknown[] = [];
    for (let i = 0; i < nodes; i++) {
      const parents =
        i < 4 ? [] : Array.from({ length: 1 + below(most) }, () => made[Math.max(0, i - 1 - below(reach))]);
      made.push(step(`${words[below(words.length)] ?? ''}${i}`)(...parents));
    }
    return made.slice(-3);
  });
const step = (name: string) =>
  electron({ name, ...(name.endsWith('7') && { needs: ['gpu'] }) }, (...of: unknown[]) => of);

/** `rows` rows of `wide`, each node with two parents. */
export const layered = (rows: number, wide: number) =>
  lattice({ name: 'layered' }, () => {
    let row = [step('source')()];
    for (let at = 0; at < rows; at++)
      row = Array.from({ length: wide }, (_, i) =>
        step(`${words[i % 9] ?? ''}_${at}_${i}`)(row[i % row.length], row[(i + 1) % row.length]),
      );
    return row;
  });

const load = electron({ name: 'load' }, () => [1]);
const settings = electron({ name: 'settings' }, () => ({ rate: 1 }));
const train = electron(
  { name: 'train', needs: ['gpu'], executor: 'slurm' },
  (x: number, rate?: number) => x + (rate ?? 0),
);
const score = electron({ name: 'score' }, (x: number) => x);
const pick = electron({ name: 'pick' }, (xs: readonly number[], ys: readonly number[]) => [xs, ys]);

/** Nodes 0 load, 1 settings, 2 the map of `train`, 3 the map of train and score, 4 pick. */
export const mapped = lattice({ name: 'mapped' }, () => {
  const data = load();
  const { rate } = settings();
  return pick(
    data.map(train, { concurrency: 8 }),
    data.map((x) => score(train(x, rate))),
  );
});

/** What a hub lists of `mapped` with 1,000 items: two of the first map failed, the second is under way. */
export function mappedElectrons(): { id: number; status: ElectronStatus; map?: number }[] {
  const own: ElectronStatus[] = ['completed', 'completed', 'failed', 'running', 'skipped'];
  const listed: { id: number; status: ElectronStatus; map?: number }[] = own.map((status, id) => ({ id, status }));
  const add = (map: number, status: ElectronStatus) => listed.push({ id: listed.length, status, map });
  for (let i = 0; i < 1_000; i++) add(2, i === 3 || i === 500 ? 'failed' : 'completed');
  for (let i = 0; i < 1_000; i++) {
    add(3, i < 600 ? 'completed' : 'running');
    add(3, i < 590 ? 'completed' : 'waiting');
  }
  return listed;
}

export function drawSeen(
  format: DrawFormat,
  graph: WireGraph,
  electrons: readonly { id: number; status: ElectronStatus; map?: number }[],
): string {
  const seen = new Seen(graph);
  for (const electron of electrons) seen.add(electron);
  return drawGraph(format, graph, { title: 'seen', subtitle: 'some dispatch', seen });
}
