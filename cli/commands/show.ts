/** `polaron show ID`: one dispatch with its electrons. */
import type { DispatchDetail, ElectronView, NodeFailure, Unoffered } from '../../bus/protocol/api.ts';
import { IDENTITY_ELECTRON } from '../../model/graph.ts';
import { electronStatuses } from '../../model/lifecycle.ts';
import type { ElectronStatus } from '../../model/lifecycle.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { detailJson, electronJson } from '../dispatch-json.ts';
import { electronsOf, totalOf } from '../electrons.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { HubApi } from '../hub-api.ts';
import { cut, paint, paintStatus, plain } from '../style.ts';
import { fields, table } from '../table.ts';
import { agoAndLocal, duration } from '../times.ts';
import { namingNear } from '../unknown.ts';

export interface ShowArguments {
  readonly id: string;
  /** Only electrons of this status. */
  readonly status?: ElectronStatus;
  /** No limit on the rows. */
  readonly all: boolean;
}

/** Rows and errors that people get without `--all`. */
const ROWS = 50;
const ERRORS = 5;
const STACK_LINES = 3;

export async function show(context: Context, asked: ShowArguments): Promise<ExitCode> {
  await withHub(context, (hub) =>
    namingNear(hub, asked, async () => {
      if (context.json) await showJson(context, hub, asked);
      else await showLines(context, hub, asked);
    }),
  );
  return exitCodes.ok;
}

const filterOf = ({ id, status }: ShowArguments): { id: string; status?: ElectronStatus } => ({
  id,
  ...(status === undefined ? {} : { status }),
});

async function showJson(context: Context, hub: HubApi, asked: ShowArguments): Promise<void> {
  const { dispatch, unoffered } = await hub.snapshot({ id: asked.id, limit: 1 });
  const electrons: unknown[] = [];
  for await (const electron of electronsOf(hub, filterOf(asked))) electrons.push(electronJson(electron));
  writeJson(context, { ...detailJson(dispatch), ...(unoffered === undefined ? {} : { unoffered }), electrons });
}

async function showLines(context: Context, hub: HubApi, asked: ShowArguments): Promise<void> {
  const { dispatch, unoffered = [] } = await hub.snapshot({ id: asked.id, brief: true, limit: 1 });
  const rows: ElectronView[] = [];
  let more = false;
  for await (const electron of electronsOf(hub, filterOf(asked))) {
    more = !asked.all && rows.length === ROWS;
    if (more) break;
    rows.push(electron);
  }
  const lines = [
    ...headLines(context, dispatch),
    ...unoffered.map(unofferedLine),
    ...errorLines(context, dispatch.errors, asked.all),
  ];
  if (rows.length > 0) lines.push('', ...electronLines(context, rows));
  for (const line of lines) context.terminal.out(line);
  if (!more) return;
  const total = asked.status === undefined ? totalOf(dispatch) : (dispatch.counts[asked.status] ?? 0);
  const rest = Math.max(1, total - rows.length);
  context.terminal.out(`… ${rest} more; see them with --all, --status STATUS or --json`);
}

function headLines(context: Context, dispatch: DispatchDetail): readonly string[] {
  const { startedAt, endedAt, metadata } = dispatch;
  const time = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : agoAndLocal(ms, context.now());
  const notes = Object.entries(metadata).map(([name, value]) => plain(`${name}=${value}`));
  return fields([
    ['dispatch', dispatch.id],
    ['lattice', plain(dispatch.lattice)],
    ['inside', dispatch.outer],
    ...originFields(dispatch),
    ['status', paintStatus(dispatch.status, context.terminal.colour)],
    ['user', plain(dispatch.user)],
    ['accepted', time(dispatch.acceptedAt)],
    ['started', time(startedAt)],
    ['ended', time(endedAt)],
    ['took', startedAt === undefined ? undefined : duration((endedAt ?? context.now()) - startedAt)],
    ['metadata', notes.length === 0 ? undefined : notes.join(' ')],
    ['electrons', countsText(dispatch)],
  ]);
}

/** `made from  ID, first ID`: of a redispatch. */
function originFields({ origin }: DispatchDetail): readonly (readonly [string, string | undefined])[] {
  if (origin === undefined) return [];
  return [['made from', origin.of === origin.root ? origin.of : `${origin.of}, first ${origin.root}`]];
}

/** `waits      2 electrons: no agent offers gpu`. */
function unofferedLine({ needs, missing, electrons }: Unoffered): string {
  const together = missing.length === 0;
  const what = plain((together ? needs : missing).join(' and '));
  return `waits      ${electrons} ${electrons === 1 ? 'electron' : 'electrons'}: no agent offers ${what}${together ? ' together' : ''}`;
}

/** `12: 10 completed, 2 running`, in the order of the lifecycle. */
function countsText(dispatch: DispatchDetail): string {
  const parts = electronStatuses.flatMap((status) => {
    const n = dispatch.counts[status] ?? 0;
    return n === 0 ? [] : [`${n} ${status}`];
  });
  return parts.length === 0 ? '0' : `${totalOf(dispatch)}: ${parts.join(', ')}`;
}

function errorLines(context: Context, errors: readonly NodeFailure[], all: boolean): readonly string[] {
  const shown = all ? errors : errors.slice(0, ERRORS);
  const lines = shown.flatMap(({ node, error }) => {
    const [, ...frames] = (error.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line) || !line.startsWith(' '));
    const title = plain(`${node}: ${error.code}: ${error.message}`);
    const stack = frames.filter((line) => /^\s+at /.test(line)).slice(0, all ? undefined : STACK_LINES);
    return ['', paint(title, 'red', context.terminal.colour), ...stack.map((line) => `    ${plain(line.trim())}`)];
  });
  return shown.length < errors.length ? [...lines, `… ${errors.length - shown.length} more errors`] : lines;
}

function electronLines(context: Context, electrons: readonly ElectronView[]): readonly string[] {
  const columns = [
    { title: 'NODE', right: true },
    { title: 'ELECTRON' },
    { title: 'STATUS' },
    { title: 'TRIES', right: true },
    { title: 'AGENT' },
    { title: 'TOOK', right: true },
    { title: 'NOTE' },
  ];
  const rows = electrons.map((electron) => [
    String(electron.id),
    cut(plain(electron.name === IDENTITY_ELECTRON ? 'identity' : electron.name), 40),
    { text: electron.status, shown: paintStatus(electron.status, context.terminal.colour) },
    String(electron.attempts),
    plain(electron.agent ?? ''),
    electron.startedAt === undefined ? '' : duration((electron.endedAt ?? context.now()) - electron.startedAt),
    cut(plain(noteOf(electron)), 60),
  ]);
  return table(columns, rows);
}

function noteOf({ error, cause, inner }: ElectronView): string {
  if (error !== undefined) return `${error.code}: ${error.message}`;
  if (cause !== undefined) return `because of ${cause}`;
  return inner === undefined ? '' : `is ${inner}`;
}
