/** The JSON shapes of dispatches, electrons and agents; docs/cli.md describes them. Kept stable: fields are added, never changed. */
import type {
  AgentStatus,
  AttemptView,
  DispatchDetail,
  DispatchSummary,
  ElectronView,
  NodeFailure,
} from '../bus/protocol/api.ts';
import { entriesOf, type Stream } from '../model/log-entry.ts';
import { iso } from './times.ts';

const times = (of: { readonly startedAt?: number; readonly endedAt?: number }): Readonly<Record<string, string>> => ({
  ...(of.startedAt === undefined ? {} : { startedAt: iso(of.startedAt) }),
  ...(of.endedAt === undefined ? {} : { endedAt: iso(of.endedAt) }),
});

/** A failure with the node's name beside what is known of the error. */
export const failureJson = (failure: NodeFailure): Readonly<Record<string, unknown>> => ({
  node: failure.node,
  ...failure.error,
});

export const summaryJson = (dispatch: DispatchSummary): Readonly<Record<string, unknown>> => ({
  id: dispatch.id,
  lattice: dispatch.lattice,
  user: dispatch.user,
  status: dispatch.status,
  acceptedAt: iso(dispatch.acceptedAt),
  ...times(dispatch),
  counts: dispatch.counts,
  metadata: dispatch.metadata,
  ...(dispatch.outer === undefined ? {} : { parent: dispatch.outer }),
  ...(dispatch.origin === undefined ? {} : { redispatchOf: dispatch.origin.of, root: dispatch.origin.root }),
  ...(dispatch.error === undefined ? {} : { error: failureJson(dispatch.error) }),
});

export const detailJson = (dispatch: DispatchDetail): Readonly<Record<string, unknown>> => ({
  ...summaryJson(dispatch),
  errors: dispatch.errors.map(failureJson),
  ...(dispatch.source === undefined ? {} : { source: dispatch.source }),
});

export const electronJson = (electron: ElectronView): Readonly<Record<string, unknown>> => ({
  id: electron.id,
  name: electron.name,
  status: electron.status,
  attempts: electron.attempts,
  ...(electron.agent === undefined ? {} : { agent: electron.agent }),
  ...times(electron),
  ...(electron.error === undefined ? {} : { error: electron.error }),
  ...(electron.cause === undefined ? {} : { cause: electron.cause }),
  ...(electron.value === undefined ? {} : { value: electron.value }),
  ...(electron.from === undefined ? {} : { from: electron.from }),
  ...(electron.inner === undefined ? {} : { subDispatch: electron.inner }),
});

/** With what it wrote in place of how much. */
export const attemptJson = (
  attempt: AttemptView,
  wrote: Readonly<Record<Stream, string>>,
): Readonly<Record<string, unknown>> => ({
  attempt: attempt.attempt,
  status: attempt.status,
  ...(attempt.agent === undefined ? {} : { agent: attempt.agent }),
  ...times(attempt),
  ...(attempt.error === undefined ? {} : { error: attempt.error }),
  stdout: wrote.stdout,
  stderr: wrote.stderr,
  log: entriesOf(wrote.log).map(({ at, ...entry }) => ({ at: iso(at), ...entry })),
});

export const agentJson = (agent: AgentStatus): Readonly<Record<string, unknown>> => ({
  name: agent.name,
  site: agent.site,
  host: agent.host,
  pid: agent.pid,
  slots: agent.slots,
  running: agent.running,
  queued: agent.queued,
  state: agent.state,
  capabilities: agent.capabilities,
  version: agent.version,
  lastSyncMs: agent.lastSyncMs,
  roundTripMs: agent.roundTripMs,
  load: agent.load,
  clockMs: agent.clockMs,
});
