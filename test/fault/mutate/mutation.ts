/** What a mutation is, and how it is laid on a copy of the source. Pure. Not here: which there are (mutations.ts), what runs on them (main.ts). */

/** A way to break one promise of docs/guarantees.md, by an edit of one place. */
export interface Mutation {
  /** Names it, in kebab-case. */
  readonly id: string;
  /** What the edit makes the code do, in a few words. */
  readonly breaks: string;
  /** From the repository's root. */
  readonly file: string;
  /** Text that stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Which run must notice it. */
  readonly caughtBy: Catcher;
}

/** `simulate`: the seeded simulation; `power-cut`: the power-cut test of the real LMDB store. */
export type Catcher = 'simulate' | 'power-cut';

/** The text with the mutation in it. Raises Error when its place isn't there, or there twice: then the list is out of date. */
export function mutated(text: string, { id, file, find, replace }: Mutation): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`mutation ${id}: its text stands ${places} times in ${file}, expected once`);
  return text.replace(find, () => replace);
}
