/** The Result that users hold: everything that is known of a dispatch, made of the hub's detail. What is large is asked for when it is read. */
import type { DispatchDetail } from '../../bus/protocol/api.ts';
import { assertNever } from '../../model/errors.ts';
import { trusted } from '../../model/trusted.ts';
import type { Cancelled, Completed, Failed, Result, ResultBase, Unfinished } from '../types.ts';
import { electronsOf } from './electron-result.ts';
import { rootErrors } from './failures.ts';
import type { Hub } from './hub.ts';
import { decodeReply } from './outputs.ts';

/** The lattice's text and graph: of the user's own trace, or fetched. */
export type LatticeFacts = Pick<ResultBase['lattice'], 'source' | 'graph'>;

/** `value`: the decoded output; only read when the dispatch is completed. */
export function resultOf<T>(hub: Hub, detail: DispatchDetail, facts: LatticeFacts, value: unknown): Result<T> {
  const base = baseOf(hub, detail, facts);
  switch (detail.status) {
    case 'completed': {
      const completed: Completed<T> = extended(base, { status: 'completed', value: trusted<T>(value) });
      return completed;
    }
    case 'failed': {
      const errors = rootErrors(detail);
      const failed: Failed = extended(base, { status: 'failed', error: errors[0], errors });
      return failed;
    }
    case 'cancelled': {
      const cancelled: Cancelled = extended(base, { status: 'cancelled' });
      return cancelled;
    }
    case 'accepted':
    case 'running': {
      const unfinished: Unfinished = extended(base, { status: detail.status });
      return unfinished;
    }
    default:
      return assertNever(detail.status, `dispatch ${detail.id}`);
  }
}

/** Adds to the same object. */
const extended = <A extends object, const B extends object>(base: A, more: B): A & B => Object.assign(base, more);

function baseOf(hub: Hub, detail: DispatchDetail, facts: LatticeFacts): ResultBase {
  const { id } = detail;
  return {
    id,
    lattice: {
      name: detail.lattice,
      source: facts.source,
      get graph() {
        return facts.graph;
      },
    },
    ...(detail.origin === undefined ? {} : { redispatchOf: detail.origin.of }),
    acceptedAt: new Date(detail.acceptedAt),
    ...(detail.startedAt === undefined ? {} : { startedAt: new Date(detail.startedAt) }),
    ...(detail.endedAt === undefined ? {} : { endedAt: new Date(detail.endedAt) }),
    metadata: detail.metadata,
    ...(detail.outer === undefined ? {} : { parent: detail.outer }),
    electrons: electronsOf(hub, id, detail.counts),
    args: async () => {
      const args = await decodeReply(hub, await hub.api.value({ id }), `the arguments of dispatch ${id}`);
      return Array.isArray(args) ? args : [args];
    },
  };
}
