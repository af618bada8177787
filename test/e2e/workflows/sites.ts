/** What runs while sites come and go: chains from site to site, and electrons that must never run twice at a time. As in chaos, each execution is noted. */
import { appendFileSync } from 'node:fs';
import { context, electron, lattice } from 'polaron';
import type { Ordered } from '../../fault/chaos/kinds.ts';
import { fanned, type Marked, noted, start, step, strict, sum, type Task } from '../../fault/chaos/electrons.ts';
import type { Random } from '../../fault/chaos/random.ts';

const TICK_MS = 20;

/** While it runs it says so, with the clock that all processes of a machine share: one line each in `NOTES.alone`. Two of one group must never run at once. */
async function ticking(task: Task, group: string, value: number): Promise<Marked> {
  const { dispatchId, nodeId, attempt } = context();
  const run = `${dispatchId}/${nodeId}#${attempt}.${process.pid}`;
  const tick = (): void =>
    appendFileSync(`${task.notes}.alone`, `${group} ${run} ${process.hrtime.bigint() / 1_000n}\n`);
  tick();
  const timer = setInterval(tick, TICK_MS);
  try {
    return await noted(task, [], (mark) => ({ value, marks: [mark] }));
  } finally {
    clearInterval(timer);
    tick();
  }
}

/** One of all of them at a time. */
export const alone = electron(
  { exclusive: true, concurrency: { key: 'alone', limit: 1 } },
  function alone(task: Task, value: number): Promise<Marked> {
    return ticking(task, 'all', value);
  },
);
/** Each by itself never twice at a time. */
export const single = electron({ exclusive: true }, function single(task: Task, value: number): Promise<Marked> {
  const { dispatchId, nodeId } = context();
  return ticking(task, `${dispatchId}/${nodeId}`, value);
});
export const lonely = lattice(function lonely(notes: string, width: number, ms: number) {
  const parts = Array.from({ length: width }, (_, at) => alone({ notes, name: `a${at}`, ms }, at));
  return sum({ notes, name: 'sum', ms: 1 }, parts);
});
export const singles = lattice(function singles(notes: string, width: number, ms: number) {
  const parts = Array.from({ length: width }, (_, at) => single({ notes, name: `s${at}`, ms }, at));
  return sum({ notes, name: 'sum', ms: 1 }, parts);
});

/** One step at each of these sites, one after the other. */
export const toured = lattice(function toured(notes: string, sites: readonly string[], ms: number) {
  const [first = '', ...rest] = sites;
  let x = start.with({ needs: [`site=${first}`] })({ notes, name: `0-${first}`, ms }, 0);
  for (const [at, site] of rest.entries())
    x = step.with({ needs: [`site=${site}`] })({ notes, name: `${at + 1}-${site}`, ms }, x);
  return x;
});

const gauss = (n: number): number => (n * (n - 1)) / 2;

/** Tours through these sites. */
export const tours =
  (sites: readonly string[]) =>
  (random: Random, notes: string): Ordered => {
    const way = Array.from(
      { length: random.between(2, 6) },
      () => sites[random.between(0, sites.length - 1)] ?? 'nowhere',
    );
    const ms = random.between(5, 400);
    const expected = { value: way.length - 1, electrons: way.length };
    return { kind: 'toured', strict: false, expected, send: (c) => c.dispatch(toured)(notes, way, ms) };
  };

/** What any agent may run, exclusive ones among it. */
export function anywhere(random: Random, notes: string): Ordered {
  const width = random.between(3, 8);
  const expected = { value: gauss(width), electrons: width + 1 };
  switch (random.between(0, 2)) {
    case 0: {
      const ms = random.between(100, 500);
      return { kind: 'lonely', strict: false, expected, send: (c) => c.dispatch(lonely)(notes, width, ms) };
    }
    case 1: {
      const ms = random.between(50, 400);
      return { kind: 'fanned', strict: false, expected, send: (c) => c.dispatch(fanned)(notes, width, ms) };
    }
    default: {
      const ms = random.between(5, 100);
      const chain = { value: width - 1, electrons: width };
      return { kind: 'strict', strict: true, expected: chain, send: (c) => c.dispatch(strict)(notes, width, ms) };
    }
  }
}

/** A chain whose every step makes so many bytes of the one before. */
export const heavier = electron(function heavier(
  task: Task,
  x: Marked & { readonly bytes: Uint8Array },
  size: number,
): Promise<Marked & { readonly bytes: Uint8Array }> {
  const bytes = crypto.getRandomValues(new Uint8Array(1_000));
  return noted(task, [x], (mark) => ({
    value: x.value + 1,
    marks: [...x.marks, mark],
    bytes: new Uint8Array(Buffer.alloc(size, bytes)),
  }));
});
export const heavyChain = lattice(function heavyChain(notes: string, length: number, size: number) {
  let x = heavier({ notes, name: 'h0', ms: 0 }, { value: -1, marks: [], bytes: new Uint8Array() }, size);
  for (let at = 1; at < length; at++) x = heavier({ notes, name: `h${at}`, ms: 0 }, x, size);
  return x;
});
