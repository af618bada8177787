/**
 * What runs while parts die. Each execution appends a line to a file outside Polaron when it begins and when it ends, and its result carries
 * its mark and the marks of what it was given: the value of a lattice names every execution that it rests on.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, electron, lattice } from 'polaron';

/** A number, and the marks of all executions behind it. */
export interface Marked {
  readonly value: number;
  readonly marks: readonly string[];
}

/** Where to note, under which name (unlike a node's number it is the same whenever a map is expanded), and how long it takes. */
export interface Task {
  readonly notes: string;
  readonly name: string;
  readonly ms: number;
}

/** A killed runner is a failure of its electron. */
const retries = { max: 30, delay: '20ms', maxDelay: '200ms' } as const;

/** One write each: lines of different processes don't mix, and a kill leaves none half. */
function note(task: Task, kind: 'begin' | 'end' | 'fail' | 'abort', mark: string, given: readonly string[]): void {
  const { dispatchId, nodeId, attempt } = context();
  const fields = [kind, dispatchId, task.name, nodeId, attempt, process.pid, process.ppid, Date.now(), mark];
  appendFileSync(task.notes, `${[...fields, given.join(',')].join(' ')}\n`);
}

/** Notes around the work. */
export async function noted<T>(task: Task, given: readonly Marked[], work: (mark: string) => T): Promise<T> {
  const mark = `${task.name}#${context().attempt}.${process.pid}.${Math.floor(Math.random() * 2 ** 40).toString(36)}`;
  // what was made right before
  const last = given.map(({ marks }) => marks.at(-1) ?? '');
  note(task, 'begin', mark, last);
  try {
    await sleep(task.ms, undefined, { signal: context().signal });
    const result = work(mark);
    note(task, 'end', mark, last);
    return result;
  } catch (error) {
    note(task, context().signal.aborted ? 'abort' : 'fail', mark, last);
    throw error;
  }
}

const marksOf = (given: readonly Marked[]): string[] => given.flatMap(({ marks }) => marks);

export const start = electron({ retries }, function start(task: Task, value: number): Promise<Marked> {
  return noted(task, [], (mark) => ({ value, marks: [mark] }));
});
export const step = electron({ retries }, function step(task: Task, x: Marked): Promise<Marked> {
  return noted(task, [x], (mark) => ({ value: x.value + 1, marks: [...x.marks, mark] }));
});
export const sum = electron({ retries }, function sum(task: Task, xs: readonly Marked[]): Promise<Marked> {
  return noted(task, xs, (mark) => ({
    value: xs.reduce((total, { value }) => total + value, 0),
    marks: [...marksOf(xs), mark],
  }));
});
/** Throws in its first `fails` attempts. */
export const flaky = electron({ retries }, function flaky(task: Task, value: number, fails: number): Promise<Marked> {
  return noted(task, [], (mark) => {
    if (context().attempt <= fails) throw new Error(`attempt ${context().attempt} fails, as it was told to`);
    return { value, marks: [mark] };
  });
});

const chain = (notes: string, length: number, ms: number): ReturnType<typeof start> => {
  let x = start({ notes, name: 'c0', ms }, 0);
  for (let at = 1; at < length; at++) x = step({ notes, name: `c${at}`, ms }, x);
  return x;
};
export const pipelined = lattice(function pipelined(notes: string, length: number, ms: number) {
  return chain(notes, length, ms);
});
export const strict = lattice({ durability: 'strict' }, function strict(notes: string, length: number, ms: number) {
  return chain(notes, length, ms);
});
export const fanned = lattice(function fanned(notes: string, width: number, ms: number) {
  const parts = Array.from({ length: width }, (_, at) => start({ notes, name: `p${at}`, ms: ms * (1 + (at % 5)) }, at));
  return sum({ notes, name: 'sum', ms: 1 }, parts);
});
export const retried = lattice(function retried(notes: string, width: number, fails: number, ms: number) {
  const parts = Array.from({ length: width }, (_, at) => flaky({ notes, name: `f${at}`, ms }, at, fails));
  return sum({ notes, name: 'sum', ms: 1 }, parts);
});

interface Item {
  readonly name: string;
  readonly n: number;
}
export const items = electron({ retries }, function items(task: Task, count: number): Promise<
  Marked & { readonly items: readonly Item[] }
> {
  return noted(task, [], (mark) => ({
    value: count,
    marks: [mark],
    items: Array.from({ length: count }, (_, n) => ({ name: `i${n}`, n })),
  }));
});
export const doubled = electron(
  { retries },
  function doubled(notes: string, ms: number, item: Item, from: Marked): Promise<Marked> {
    return noted({ notes, name: item.name, ms }, [from], (mark) => ({ value: 2 * item.n, marks: [mark] }));
  },
);
export const addItems = electron(
  { retries },
  function addItems(task: Task, made: Marked, xs: readonly Marked[]): Promise<Marked> {
    return noted(task, [made, ...xs], (mark) => ({
      value: xs.reduce((total, { value }) => total + value, 0),
      marks: [...marksOf([made, ...xs]), mark],
    }));
  },
);
export const mapped = lattice(function mapped(notes: string, count: number, ms: number) {
  const made = items({ notes, name: 'items', ms }, count);
  const from = { value: made.value, marks: made.marks };
  const twice = made.items.map((item) => doubled(notes, ms, item, from));
  return addItems({ notes, name: 'sum', ms: 1 }, from, twice);
});

/** Byte at each place, so that any mix-up shows. */
const byteAt = (seed: number, at: number): number => (Math.imul(at + seed, 2_654_435_761) >>> 24) & 0xff;
export const large = electron({ retries }, function large(task: Task, size: number, seed: number): Promise<
  Marked & { readonly bytes: Uint8Array }
> {
  return noted(task, [], (mark) => ({
    value: size,
    marks: [mark],
    bytes: Uint8Array.from({ length: size }, (_, at) => byteAt(seed, at)),
  }));
});
/** The size, if each byte is right. */
export const looked = electron(
  { retries },
  function looked(task: Task, seed: number, x: Marked & { readonly bytes: Uint8Array }): Promise<Marked> {
    return noted(task, [x], (mark) => {
      const wrong = x.bytes.findIndex((byte, at) => byte !== byteAt(seed, at));
      return { value: wrong === -1 ? x.bytes.length : -wrong - 1, marks: [...x.marks, mark] };
    });
  },
);
export const bulky = lattice(function bulky(notes: string, size: number, count: number, ms: number) {
  const parts = Array.from({ length: count }, (_, at) =>
    looked({ notes, name: `l${at}`, ms: 1 }, at, large({ notes, name: `b${at}`, ms }, size, at)),
  );
  return sum({ notes, name: 'sum', ms: 1 }, parts);
});
