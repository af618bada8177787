/** `polaron ls`: dispatches, newest first. */
import type { DispatchStatus } from '../../model/lifecycle.ts';
import type { DispatchSummary } from '../../bus/protocol/api.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { summaryJson } from '../dispatch-json.ts';
import { totalOf } from '../electrons.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { cut, paintStatus, plain } from '../style.ts';
import { table } from '../table.ts';
import { ago, duration } from '../times.ts';

export interface ListArguments {
  readonly limit: number;
  readonly status?: DispatchStatus;
  readonly before?: string;
  /** Lattices inside others, too. */
  readonly inner?: boolean;
}

export async function list(context: Context, request: ListArguments): Promise<ExitCode> {
  const reply = await withHub(context, (hub) => hub.list(request));
  // Ids sort by time; the hub's order is no part of its contract.
  const newestFirst = [...reply.dispatches].sort((a, b) => b.acceptedAt - a.acceptedAt || (a.id < b.id ? 1 : -1));
  if (context.json) {
    writeJson(context, { dispatches: newestFirst.map(summaryJson), more: reply.more });
    return exitCodes.ok;
  }
  const last = newestFirst.at(-1);
  if (last === undefined) {
    context.terminal.err('no dispatches');
    return exitCodes.ok;
  }
  const inner = request.inner === true;
  const rows = newestFirst.map((dispatch) => rowOf(context, dispatch, inner));
  const columns = [
    { title: 'ID' },
    { title: 'LATTICE' },
    ...(inner ? [{ title: 'INSIDE' }] : []),
    { title: 'STATUS' },
    { title: 'ELECTRONS', right: true },
    { title: 'ACCEPTED' },
    { title: 'TOOK', right: true },
    { title: 'ERROR' },
  ];
  for (const line of table(columns, rows)) context.terminal.out(line);
  if (reply.more) context.terminal.err(`older ones: polaron ls${inner ? ' --inner' : ''} --before ${last.id}`);
  return exitCodes.ok;
}

function rowOf(
  context: Context,
  dispatch: DispatchSummary,
  inner: boolean,
): readonly ({ text: string; shown?: string } | string)[] {
  const { counts, status, error, startedAt, endedAt } = dispatch;
  const done = (counts.completed ?? 0) + (counts.reused ?? 0);
  const until = endedAt ?? context.now();
  return [
    dispatch.id,
    cut(plain(dispatch.lattice), 40),
    ...(inner ? [dispatch.outer ?? ''] : []),
    { text: status, shown: paintStatus(status, context.terminal.colour) },
    `${done}/${totalOf(dispatch)}`,
    ago(dispatch.acceptedAt, context.now()),
    startedAt === undefined ? '' : duration(until - startedAt),
    error === undefined ? '' : cut(plain(`${error.node}: ${error.error.code}: ${error.error.message}`), 60),
  ];
}
