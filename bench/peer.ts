/** What a peer says about itself: another engine that does W1–W4, in its most durable mode. Not responsible for what one is made of (peers/), and for when it runs. */
import type { Openings } from './openings.ts';
import type { Figures, Summary } from './statistics.ts';

export interface Peer {
  /** As a goal names it: `BullMQ always`. */
  readonly name: string;
  /** Durability, processes: what a reader must know to compare. */
  readonly what: string;
  /** Question → the ways to do it on this peer. The fastest is the one that is compared. */
  readonly forms: Readonly<Record<string, readonly string[]>>;
  /**
   * Finds and installs what is missing. What it starts, now or later, it opens in `openings`, so that an interrupt ends it.
   * Raises Error that says why it can't be: the peer is then named as not measured.
   */
  open(openings: Openings, say: (line: string) => void): Promise<OpenPeer>;
}

export interface OpenPeer {
  readonly versions: Readonly<Record<string, string>>;
  /**
   * One run of a workload in one of its forms: figures by the names of that question (W1 `step` in µs, W2 `rate` in tasks/s, W3 `rate` in workflows/s, W4 `p50` and
   * `p99` in ms). Raises Error when a value is wrong, or it takes too long.
   */
  measure(id: string, form: string): Promise<Figures>;
}

/** Peer → question → figure. */
export type PeerFigures = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Summary>>>>>>;
