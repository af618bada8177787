/** What a check of a data folder says. Shapes only. */
import type { Digest } from '../model/ids.ts';

/** One thing that is wrong. */
export interface Problem {
  readonly problem: string;
  /** What it is about, where that can be told. */
  readonly dispatch?: string;
  readonly electron?: number;
  readonly value?: string;
  readonly key?: string;
}

export interface CheckCounts {
  readonly dispatches: number;
  readonly electrons: number;
  readonly values: number;
  readonly files: number;
  /** Batches of the journal that LMDB gets at the next start: they can be read, and what they hold was not looked at. */
  readonly journal: number;
}

export type Report = (problem: Problem) => void;

/** What is stored under a digest: its size, and whether its bytes are those of the digest. */
export interface StoredValues {
  find(digest: Digest): { readonly size: number; readonly whole: boolean } | undefined;
  bytes(digest: Digest): Uint8Array;
}
