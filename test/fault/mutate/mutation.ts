/** What a mutation is, and how it is laid over a source file. Pure. Not here: which there are (mutations.ts), what runs on them (main.ts). */

/** A way to break a promise of docs/guarantees.md by one edit. */
export interface Mutation {
  /** Names it, in kebab-case. */
  readonly id: string;
  /** What the code does then, in a few words. */
  readonly breaks: string;
  /** From the repository's root. */
  readonly file: string;
  /** Text that stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** The run that must notice it. */
  readonly caughtBy: 'simulate' | 'chaos';
}

/** The file's text with the mutation in it. Raises Error when its place isn't there once: then the list is out of date. */
export function mutated(text: string, { id, file, from, to }: Mutation): string {
  const places = text.split(from).length - 1;
  if (places !== 1) throw new Error(`mutation ${id}: its text stands ${places} times in ${file}, expected once`);
  return text.replace(from, () => to);
}
