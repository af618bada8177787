/** What a mutation is, and how it is laid over the source. Pure. Not here: which there are (mutations.ts), what runs on them (main.ts). */

export interface Edit {
  /** From the repository's root. */
  readonly file: string;
  /** Text that stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

/** A way to break a promise of docs/guarantees.md. */
export interface Mutation {
  /** Names it, in kebab-case. */
  readonly id: string;
  /** What the code does then, in a few words. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** The run that must notice it. */
  readonly caughtBy: 'simulate' | 'chaos';
  /** Seeds, when it takes a rare coincidence and more of them than the others. */
  readonly seeds?: number;
}

/** A file's text with an edit in it. Raises Error when its place isn't there once: then the list is out of date. */
export function edited(text: string, { file, from, to }: Edit): string {
  const places = text.split(from).length - 1;
  if (places !== 1) throw new Error(`${file}: this stands there ${places} times, expected once: ${from}`);
  return text.replace(from, () => to);
}
