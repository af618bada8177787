/** What a lattice's state decides and its supervisor carries out, in order. */
import type { ExpansionRecord, ListElement } from '../../bus/protocol/results.ts';
import type { Digest } from '../../model/ids.ts';
import type { ElectronStatus } from '../../model/lifecycle.ts';
import type { ErrorInfo, ValueInfo, ValueOrigin } from '../../model/outcome.ts';

export type Effect =
  | { readonly type: 'ready'; readonly node: number }
  /** Its inputs are known: is its value, too? */
  | { readonly type: 'judge'; readonly node: number }
  /** A transition that the state decided and that must be recorded: an end, or `running` and `cancelling` of what has no actor. */
  | {
      readonly type: 'settled';
      readonly node: number;
      readonly was: ElectronStatus;
      readonly status: ElectronStatus;
      readonly value?: ValueInfo;
      /** It was taken over from there. */
      readonly from?: ValueOrigin;
      readonly error?: ErrorInfo;
      readonly cause?: number;
    }
  | { readonly type: 'withdraw'; readonly node: number }
  | { readonly type: 'cancel'; readonly node: number; readonly reason: string }
  | { readonly type: 'slice'; readonly map: number; readonly value: ValueInfo }
  | { readonly type: 'expanded'; readonly record: ExpansionRecord }
  /** `settled`: a list of how each item ended. */
  | {
      readonly type: 'compose';
      readonly map: number;
      readonly elements: readonly ListElement[];
      readonly settled: boolean;
    }
  /** The value that holds the graph of a lattice's node is there. */
  | { readonly type: 'enter'; readonly node: number; readonly digest: Digest }
  /** The dispatch of a lattice's node is wanted no more. */
  | { readonly type: 'leave'; readonly node: number; readonly reason: string }
  | { readonly type: 'ended' };
