/** `polaron show ID ELECTRON`: one electron with its attempts: where, when, how each ended, and what it wrote. */
import type { AttemptView } from '../../bus/protocol/api.ts';
import { entriesOf, entryText, streams, type Stream } from '../../model/log-entry.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { attemptJson, electronJson } from '../dispatch-json.ts';
import { electronArgument } from '../electrons.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { HubApi } from '../hub-api.ts';
import { cut, paint, paintStatus, plain } from '../style.ts';
import { fields, table } from '../table.ts';
import { agoAndLocal, duration, localTime } from '../times.ts';
import { namingNear } from '../unknown.ts';

export interface ShowElectronArguments {
  readonly id: string;
  /** Name or node id. */
  readonly electron: string;
  /** All that each attempt wrote, not only the last lines. */
  readonly all: boolean;
}

/** Lines of each stream of an attempt that people get without `--all`. */
const LINES = 10;
const NOTHING = { stdout: '', stderr: '', log: '' };

export async function showElectron(context: Context, asked: ShowElectronArguments): Promise<ExitCode> {
  await withHub(context, (hub) =>
    namingNear(hub, asked, () => (context.json ? showJson(context, hub, asked) : showLines(context, hub, asked))),
  );
  return exitCodes.ok;
}

type Wrote = Readonly<Record<Stream, string>>;

async function wroteOf(hub: HubApi, id: string, electron: number, attempt: AttemptView): Promise<Wrote> {
  const { status } = attempt;
  const atWork = status === 'assigned' || status === 'running' || status === 'cancelling';
  if (!atWork && attempt.stdout + attempt.stderr + attempt.log === 0) return NOTHING;
  const { stdout, stderr, log = '' } = await hub.logs({ id, electron, attempt: attempt.attempt });
  return { stdout, stderr, log };
}

async function showJson(context: Context, hub: HubApi, { id, electron: name }: ShowElectronArguments): Promise<void> {
  const { electron, attempts } = await hub.attempts({ id, electron: electronArgument(name) });
  const history: unknown[] = [];
  for (const attempt of attempts) history.push(attemptJson(attempt, await wroteOf(hub, id, electron.id, attempt)));
  writeJson(context, { dispatch: id, ...electronJson(electron), history });
}

async function showLines(context: Context, hub: HubApi, asked: ShowElectronArguments): Promise<void> {
  const { id } = asked;
  const { electron, attempts } = await hub.attempts({ id, electron: electronArgument(asked.electron) });
  const { colour } = context.terminal;
  const time = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : agoAndLocal(ms, context.now());
  const lines = [
    ...fields([
      ['dispatch', id],
      ['electron', plain(electron.name)],
      ['node', String(electron.id)],
      ['is', electron.inner],
      ['status', paintStatus(electron.status, colour)],
      ['ended', time(electron.endedAt)],
      [
        'reused from',
        electron.from === undefined ? undefined : `${electron.from.dispatch}, node ${electron.from.node}`,
      ],
      ['because of', electron.cause === undefined ? undefined : plain(electron.cause)],
    ]),
    ...(electron.error === undefined
      ? []
      : [paint(plain(`${electron.error.code}: ${electron.error.message}`), 'red', colour)]),
  ];
  if (attempts.length > 0) lines.push('', ...attemptLines(context, attempts));
  for (const line of lines) context.terminal.out(line);
  for (const attempt of attempts) {
    const wrote = await wroteOf(hub, id, electron.id, attempt);
    for (const stream of streams)
      writeOutput(
        context,
        `attempt ${attempt.attempt}, ${stream}`,
        stream === 'log' ? entriesOf(wrote.log).map(entryText).join('\n') : wrote[stream],
        asked.all,
      );
  }
}

function attemptLines(context: Context, attempts: readonly AttemptView[]): readonly string[] {
  const columns = [
    { title: 'ATTEMPT', right: true },
    { title: 'STATUS' },
    { title: 'AGENT' },
    { title: 'STARTED' },
    { title: 'TOOK', right: true },
    { title: 'NOTE' },
  ];
  const rows = attempts.map(({ attempt, status, agent, startedAt, endedAt, error }) => [
    String(attempt),
    { text: status, shown: status === 'lost' ? status : paintStatus(status, context.terminal.colour) },
    plain(agent ?? ''),
    startedAt === undefined ? '' : localTime(startedAt),
    startedAt === undefined ? '' : duration((endedAt ?? context.now()) - startedAt),
    error === undefined ? '' : cut(plain(`${error.code}: ${error.message}`), 80),
  ]);
  return table(columns, rows);
}

/** The last lines, under a title. */
function writeOutput(context: Context, title: string, text: string, all: boolean): void {
  if (text === '') return;
  const lines = text.replace(/\n$/, '').split('\n');
  const shown = all ? lines : lines.slice(-LINES);
  const left = lines.length - shown.length;
  context.terminal.out('');
  context.terminal.out(left === 0 ? `${title}:` : `${title}, the last ${shown.length} of ${lines.length} lines:`);
  for (const line of shown) context.terminal.out(line);
}
