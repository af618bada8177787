/** What a redispatch asks for: `polaron.api.USER.redispatch`. Shapes only; wire-redispatch.ts checks them. */
import type { ExecutorChoices } from '../../model/executor-choice.ts';
import type { ElectronDef } from '../../model/graph.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';

/** Another electron in the place of all that have this name. */
export interface Replacement {
  readonly name: string;
  readonly def: ElectronDef;
  /** Of the new one; absent: the code stays what it is. */
  readonly bundle?: ValueInfo;
  readonly code?: Digest;
  readonly captures?: Readonly<Record<string, unknown>>;
}

/** A submit of what the hub has from another dispatch, whatever state that one is in. */
export interface RedispatchRequest {
  /** As a submit's. */
  readonly key: string;
  readonly id: string;
  /** Take over values of that dispatch where code and inputs are the same. */
  readonly reuse: boolean;
  /** @default that of the other */
  readonly priority?: number;
  readonly replace?: readonly Replacement[];
  /** Other executors, by the electron's name. */
  readonly executors?: ExecutorChoices;
  /** Other arguments, with the graph and the code that they need. */
  readonly graph?: ValueInfo;
  readonly args?: ValueInfo;
  readonly bundle?: ValueInfo;
}
