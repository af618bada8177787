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
export type {
  Arg,
  Args,
  Cancelled,
  Client,
  Codec,
  Completed,
  ConnectOptions,
  Deps,
  DispatchEvent,
  DispatchId,
  DispatchOptions,
  Duration,
  Electron,
  ElectronFactory,
  ElectronOptions,
  ElectronResult,
  ElectronStatus,
  ExecutorName,
  ExecutorSpec,
  Failed,
  Graph,
  GraphNode,
  Hook,
  Lattice,
  LatticeFactory,
  LatticeMustNotBeAsync,
  LatticeOptions,
  LeptonOptions,
  MapOptions,
  NodeError,
  Opaque,
  Out,
  Ref,
  RefArray,
  RefBase,
  Register,
  Resolved,
  Result,
  RetryOptions,
  Schemas,
  SyncOnly,
  TaskContext,
  Terminal,
  TerminalResult,
  TimeoutOptions,
  Unfinished,
  WaitOptions,
} from './types.ts';

/** Traces the lattice here, ships its code, submits; resolves with the dispatch id once the hub has stored everything. */
export const dispatch = sdk.dispatch;
/** `dispatch`, then waits for the end. Doesn't throw when the workflow fails: look at `result.status`. */
export const dispatchSync = sdk.dispatchSync;
/** A new dispatch made from an old one, in whatever state that one is: with the same arguments or others, and with the values of what didn't change. */
export const redispatch = sdk.redispatch;
/** All that is known of a dispatch, now or (`wait: true`) once it has ended. */
export const getResult = sdk.getResult;
/** The value of a dispatch once it is completed. Raises WorkflowFailed, WorkflowCancelled, WAIT_TIMEOUT. */
export const getValue = sdk.getValue;
/** Cancels a dispatch or some electrons of it. */
export const cancel = sdk.cancel;
/** The events of a dispatch, until it ends. */
export const watch = sdk.watch;
/** An explicit client. Raises NO_HUB, AUTH_FAILED. */
export const connect = sdk.connect;
