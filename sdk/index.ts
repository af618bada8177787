/**
 * The package's front door: everything that `import … from 'polaron'` gives, listed. Agents get agent-shim.ts instead.
 */
import './client/node-version.ts';
import { sdk } from './client/default-sdk.ts';

export { after } from './after.ts';
export { registerCodec } from './codec.ts';
export { context } from './context.ts';
export { electron } from './electron.ts';
export { SdkError, WorkflowCancelled, WorkflowFailed } from './errors.ts';
export type { ErrorCode } from './errors.ts';
export { lattice } from './lattice.ts';
export { lepton } from './lepton.ts';
export { onAgent } from './on-agent.ts';
export { replacement } from './replacement.ts';
export type {
  Arg,
  Args,
  CacheOptions,
  Cancelled,
  Client,
  Codec,
  Completed,
  ConnectOptions,
  Deps,
  DispatchEvent,
  DispatchId,
  DispatchOptions,
  DrawFormat,
  Duration,
  Electron,
  ElectronFactory,
  ElectronOptions,
  ElectronResult,
  ElectronStatus,
  ExecutorName,
  ExecutorSpec,
  Failed,
  FulfilledItem,
  Graph,
  GraphNode,
  Hook,
  Lattice,
  LatticeFactory,
  LatticeMustNotBeAsync,
  LatticeOptions,
  LeptonOptions,
  MapOptions,
  Mapped,
  NodeError,
  OnItemError,
  Opaque,
  Out,
  RedispatchOptions,
  Ref,
  RefArray,
  RefBase,
  Register,
  RejectedItem,
  Resolved,
  Result,
  RetryOptions,
  Schemas,
  SettledItem,
  SyncOnly,
  TaskContext,
  Terminal,
  TerminalResult,
  TimeoutOptions,
  Unfinished,
  WaitOptions,
} from './types.ts';

/**
 * Traces the lattice here, ships its code, submits; resolves with the dispatch id once the hub has stored everything.
 * Raises what tracing raises (REF_USED_AS_VALUE, NOT_SERIALISABLE, …), what packing raises (NO_SOURCE, BUNDLE_FAILED, NATIVE_ADDON, ELECTRON_AMBIGUOUS, …), NO_HUB, IDEMPOTENCY_MISMATCH, VALUE_TOO_LARGE, DISK_FULL.
 */
export const dispatch = sdk.dispatch;
/** `dispatch`, then waits for the end. Doesn't throw when the workflow fails: look at `result.status`. Raises what `dispatch` raises. */
export const dispatchSync = sdk.dispatchSync;
/**
 * A new dispatch made from an old one, in whatever state that one is: with the same arguments or others, and with the values of what didn't change. The old one stays as it is.
 * Raises UNKNOWN_DISPATCH, UNKNOWN_ELECTRON and SIGNATURE_MISMATCH (of replaced electrons), NO_SOURCE (new arguments, and the stored code has no such lattice), USAGE, and with a lattice what `dispatch` raises.
 */
export const redispatch = sdk.redispatch;
/** All that is known of a dispatch, now or (`wait: true`) once it has ended. Raises UNKNOWN_DISPATCH, WAIT_TIMEOUT, NO_HUB, and the signal's reason. */
export const getResult = sdk.getResult;
/** The value of a dispatch once it is completed. Raises WorkflowFailed (WORKFLOW_FAILED), WorkflowCancelled (WORKFLOW_CANCELLED), UNKNOWN_DISPATCH, WAIT_TIMEOUT, NO_HUB, and the signal's reason. */
export const getValue = sdk.getValue;
/**
 * Cancels a dispatch, or some electrons of it with what depends on them. Resolves when it is true: each agent has confirmed or its lease has ended; `unconfirmed` names the electrons of the latter.
 * What has ended stays as it is. Raises UNKNOWN_DISPATCH, UNKNOWN_ELECTRON, NO_HUB.
 */
export const cancel = sdk.cancel;
/** The events of a dispatch, from now on or from the beginning, until it ends; survives a reconnection without a gap. Raises UNKNOWN_DISPATCH, NO_HUB. */
export const watch = sdk.watch;
/** An explicit client, where one default isn't enough: two hubs, other credentials, tests. Raises NO_HUB, AUTH_FAILED. */
export const connect = sdk.connect;
