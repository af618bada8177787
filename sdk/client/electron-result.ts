/** The electrons of a dispatch as a Result shows them: listed in pages, found by name or id; value and logs are asked for when read. */
import type { ElectronView, LogsReply, StatusCounts } from '../../bus/protocol/api.ts';
import { entriesOf } from '../../model/log-entry.ts';
import { isTerminalElectron, type ElectronStatus } from '../../model/lifecycle.ts';
import { PolaronError } from '../../model/errors.ts';
import type { ElectronResult, ResultBase } from '../types.ts';
import { nodeErrorOf, noValue } from './failures.ts';
import type { Hub } from './hub.ts';
import { decodeReply } from './outputs.ts';

const PAGE = 1_000;

/** `counts` are those of the moment when the result was asked for; `list` and `get` ask anew. */
export function electronsOf(hub: Hub, id: string, counts: StatusCounts): ResultBase['electrons'] {
  return {
    counts,
    list: (o = {}) => listed(hub, id, o),
    get: (nameOrId) => found(hub, id, nameOrId),
  };
}

async function* listed(
  hub: Hub,
  id: string,
  o: { readonly status?: ElectronStatus; readonly name?: string },
): AsyncGenerator<ElectronResult, void> {
  const request = {
    id,
    brief: true,
    limit: PAGE,
    ...(o.status === undefined ? {} : { status: o.status }),
    ...(o.name === undefined ? {} : { name: o.name }),
  };
  for await (const page of hub.api.snapshotPages(request)) {
    for (const view of page.electrons) yield electronResult(hub, id, view);
  }
}

/** By id, by node name, or the first of an electron's name. Raises UNKNOWN_ELECTRON with near matches, which the hub knows. */
async function found(hub: Hub, id: string, nameOrId: string | number): Promise<ElectronResult> {
  const request = { id, brief: true, limit: 1 };
  const page = await hub.api.snapshot(
    typeof nameOrId === 'number' ? { ...request, from: nameOrId } : { ...request, name: nameOrId },
  );
  const [view] = page.electrons;
  if (view !== undefined && (typeof nameOrId === 'string' || view.id === nameOrId))
    return electronResult(hub, id, view);
  return electronResult(hub, id, (await hub.api.logs({ id, electron: nameOrId })).electron);
}

function electronResult(hub: Hub, id: string, view: ElectronView): ElectronResult {
  const error = view.error === undefined ? undefined : nodeErrorOf(view.name, view.error);
  let kept: Promise<LogsReply> | undefined;
  /** Logs of an electron that has ended don't change any more. */
  const logs = (): Promise<LogsReply> => {
    if (kept !== undefined) return kept;
    const asked = hub.api.logs({ id, electron: view.id });
    if (isTerminalElectron(view.status)) {
      kept = asked;
      asked.catch(() => {
        kept = undefined;
      });
    }
    return asked;
  };
  return {
    id: view.id,
    name: view.name,
    status: view.status,
    attempts: view.attempts,
    ...(view.agent === undefined ? {} : { agent: view.agent }),
    ...(view.startedAt === undefined ? {} : { startedAt: new Date(view.startedAt) }),
    ...(view.endedAt === undefined ? {} : { endedAt: new Date(view.endedAt) }),
    ...(error === undefined ? {} : { error }),
    ...(view.inner === undefined ? {} : { subDispatch: view.inner }),
    value: async () => {
      const ended = isTerminalElectron(view.status) && view.status !== 'completed' && view.status !== 'reused';
      if (ended) throw noValue(view.name, view.status, error);
      try {
        return await decodeReply(
          hub,
          await hub.api.value({ id, electron: view.id }),
          `the value of electron "${view.name}"`,
        );
      } catch (cause) {
        if (isTerminalElectron(view.status) || !(cause instanceof PolaronError) || cause.code !== 'VALUE_MISSING')
          throw cause;
        throw noValue(view.name, view.status, undefined);
      }
    },
    stdout: async () => (await logs()).stdout,
    stderr: async () => (await logs()).stderr,
    logs: async () => entriesOf((await logs()).log ?? '').map(({ at, ...entry }) => ({ at: new Date(at), ...entry })),
  };
}
