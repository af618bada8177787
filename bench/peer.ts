/** What a peer says about itself: another engine that does W1–W4, in its most durable mode. Not responsible for what one is made of (peers/), and for when it runs. */
import type { Openings } from './openings.ts';
import type { Figures, Summary } from './statistics.ts';

export interface Peer {
  /** As a goal names it: `BullMQ always`. */
  readonly name: string;
  /** Versions, durability, processes: what a reader must know to compare. */
  readonly what: string;
  /**
   * Installs what is missing and starts it. What it starts it opens in `openings`, so that an interrupt ends it.
   * Raises Error that says why it can't be: the peer is then named as not measured.
   */
  open(openings: Openings, say: (line: string) => void): Promise<OpenPeer>;
}

export interface OpenPeer {
  readonly versions: Readonly<Record<string, string>>;
  /**
   * One run of the workload, warm: figures by the names of that question (W1 `step` in µs, W2 `rate` in tasks/s, W3 `rate` in workflows/s, W4 `p50` and `p99` in ms).
   * Undefined: this peer can't do it. Raises Error when a value is wrong.
   */
  measure(id: string): Promise<Figures | undefined>;
}

/** Peer → question → figure. */
export type PeerFigures = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Summary>>>>>>;
