/** `polaron watch ID`: a dispatch's events until it ends. On a terminal a live bar, and a line per electron that ended. */
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { HubApi, WatchEvent } from '../hub-api.ts';
import { Progress } from '../progress-bar.ts';
import { paintStatus, plain } from '../style.ts';
import { iso, localTime } from '../times.ts';
import { namingNear } from '../unknown.ts';
import { entryText } from '../../model/log-entry.ts';
import { electronStatuses, dispatchStatuses } from '../../model/lifecycle.ts';

export interface WatchArguments {
  readonly id: string;
}

/** Counts are asked for again at most so often, ms. */
const REFRESH_MS = 250;

/** 0 or 1 as the dispatch ended; 4 when interrupted before. */
export async function watch(context: Context, { id }: WatchArguments): Promise<ExitCode> {
  const signal = context.interrupted();
  return withHub(context, (hub) =>
    namingNear(hub, { id }, async () => {
      const bar = context.terminal.live && !context.json ? new Bar(context, hub, id) : undefined;
      let last = '';
      try {
        await bar?.refresh();
        for await (const event of hub.watch(id, signal)) {
          last = event.type;
          writeEvent(context, event, bar !== undefined);
          bar?.changed();
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        await bar?.close();
      }
      if (last === 'dispatch.completed') return exitCodes.ok;
      return last === 'dispatch.failed' || last === 'dispatch.cancelled' ? exitCodes.failed : exitCodes.notFinished;
    }),
  );
}

/** Redraws the bar from fresh counts, one request at a time. */
class Bar {
  readonly #context: Context;
  readonly #hub: HubApi;
  readonly #id: string;
  readonly #progress = new Progress();
  #since: number | undefined;
  /** When it ended; it may have before anybody watched. */
  #until: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> = Promise.resolve();

  constructor(context: Context, hub: HubApi, id: string) {
    this.#context = context;
    this.#hub = hub;
    this.#id = id;
  }

  /** Raises UNKNOWN_DISPATCH. */
  async refresh(): Promise<void> {
    const { dispatch } = await this.#hub.snapshot({ id: this.#id, brief: true, limit: 1 });
    this.#since ??= dispatch.startedAt ?? dispatch.acceptedAt;
    this.#until = dispatch.endedAt;
    this.#progress.reset(dispatch.counts);
    this.#draw();
  }

  /** Something happened: draw at once, ask soon. */
  changed(): void {
    this.#draw();
    this.#timer ??= setTimeout(() => {
      // The counts are an ornament: what goes wrong here shows in the events.
      this.#asking = this.refresh().catch(() => undefined);
      void this.#asking.then(() => {
        this.#timer = undefined;
      });
    }, REFRESH_MS);
  }

  /** Takes the bar away. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#asking;
    this.#context.terminal.status('');
  }

  #draw(): void {
    const { terminal } = this.#context;
    const until = this.#until ?? this.#context.now();
    const elapsed = until - (this.#since ?? until);
    terminal.status(this.#progress.line(elapsed, terminal.columns, terminal.colour));
  }
}

/** Events that make a line on a terminal; in a pipe all do. */
const lasting: ReadonlySet<string> = new Set([
  'electron.completed',
  'electron.failed',
  'electron.cancelled',
  'electron.skipped',
  'electron.retrying',
]);

function writeEvent(context: Context, event: WatchEvent, withBar: boolean): void {
  if (context.json) {
    writeJson(context, { ...event, at: iso(event.at) });
    return;
  }
  if (withBar && !lasting.has(event.type) && !event.type.startsWith('dispatch.')) return;
  context.terminal.out(eventLine(event, context.terminal.colour));
}

/** `12:04:05  completed  train[3]  on laptop.a, attempt 2`; a dispatch's own lines have `dispatch` in the place of the electron. */
export function eventLine(event: WatchEvent, colour: boolean): string {
  const [kind = '', word = ''] = event.type.split('.');
  const clock = localTime(event.at).slice(11);
  const name = kind === 'electron' ? plain(event.electron ?? '?') : 'dispatch';
  const status = [...electronStatuses, ...dispatchStatuses].find((known) => known === word);
  const padded = status === undefined ? word.padEnd(9) : paintStatus(status, colour) + ' '.repeat(9 - word.length);
  const notes = notesOf(event.data);
  return `${clock}  ${padded}  ${name}${notes === '' ? '' : `  ${plain(notes)}`}`;
}

const property = (data: unknown, key: string): unknown =>
  typeof data === 'object' && data !== null ? Reflect.get(data, key) : undefined;

/** What `context().log` was given. */
function entryOf(data: unknown): string | undefined {
  const message = property(data, 'message');
  const fields = property(data, 'fields');
  if (typeof message !== 'string') return undefined;
  return entryText(typeof fields === 'object' && fields !== null ? { message, fields: { ...fields } } : { message });
}

function notesOf(data: unknown): string {
  const error = property(data, 'error');
  const failure = property(error, 'error') ?? error; // a dispatch's event holds {node, error}
  const code = property(failure, 'code');
  const node = property(error, 'node');
  const text = property(data, 'text') ?? property(data, 'note') ?? entryOf(data);
  const fraction = property(data, 'fraction');
  const attempt = property(data, 'attempt');
  const parts = [
    typeof fraction === 'number' ? `${Math.round(fraction * 100)} %` : '',
    typeof text === 'string' ? text.trimEnd() : '',
    typeof code === 'string'
      ? `${typeof node === 'string' ? `${node}: ` : ''}${code}: ${String(property(failure, 'message'))}`
      : '',
    typeof property(data, 'agent') === 'string' ? `on ${String(property(data, 'agent'))}` : '',
    typeof attempt === 'number' && attempt > 1 ? `attempt ${attempt}` : '',
    typeof property(data, 'cause') === 'string' ? `because of ${String(property(data, 'cause'))}` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
