/**
 * What a question of the bench says about itself, and what it is given to answer it. Each question is a file that exports one, and a line in questions.ts.
 * Not responsible for who asks it (ask.ts), and for making what it is given (bed.ts).
 */
import type { BenchBus } from './bench-bus.ts';
import type { CeilingClient } from './ceiling-client.ts';
import type { Goal } from './goal.ts';
import type { BenchHub, HubWishes } from './hub.ts';
import type { PeerFigures } from './peer.ts';

export interface Question {
  /** As `--only` names it. */
  readonly id: string;
  /** One line for people. */
  readonly asks: string;
  /** `each`: asked on every bus of the run; `one`: the bus makes no difference, asked on the first. */
  readonly bus: 'each' | 'one';
  /** It is asked only when `--only` names it; why. */
  readonly onlyNamed?: string;
  readonly goals: readonly Goal[];
  /** Are peers asked it, too? */
  readonly comparesWithPeers?: boolean;
  /** What the answer leaves open. */
  readonly notMeasured: readonly string[];
  /** Raises Error when a value is wrong or something is lost: a question without an answer is shown, and fails the bench. */
  measure(bed: Bed): Promise<Answer>;
}

export interface Answer {
  /** Kept in the JSON as it is. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** For people: the figures in a line or a few. */
  readonly text: string;
  /** Figure by goal, by `Goal.what`. A goal that is missing here was not measured, and isn't met. */
  readonly got: Readonly<Record<string, number | undefined>>;
}

export interface Bed {
  readonly bus: BenchBus;
  /** How often what is repeated is measured. */
  readonly runs: number;
  /** How often a workload is run at most before that, until it gets better no more. */
  readonly warmUps: number;
  /** Agents of a hub and of the ceiling, unless a question asks for others. */
  readonly agents: number;
  /** The largest size that a question with sizes tries; undefined: its own. A smaller one than a goal is about can't meet it. */
  readonly most: number | undefined;
  /** Figures of the peers; empty without `--peers`. */
  readonly peers: PeerFigures;
  readonly say: (line: string) => void;
  /** The hub that is shared by what is compared with the bare loop, so that both are equally warm. POLARON_HOME names it from now on. */
  sharedHub(): Promise<BenchHub>;
  /** A hub of this question alone, removed after it; one at a time, since two on one nats-server would mix. POLARON_HOME names it from now on. */
  freshHub(wishes?: HubWishes): Promise<BenchHub>;
  /** The bare loop on this bus, shared. */
  ceiling(): Promise<CeilingClient>;
  /** Opens anything else that must be closed after the question, or when the bench is interrupted. */
  open<T>(open: () => Promise<T>, close: (one: T) => Promise<void>): Promise<T>;
}
