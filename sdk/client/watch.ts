/**
 * `watch`: the events of one dispatch in order, over lost messages, reconnections and hub restarts.
 *
 * W1. The subscription stands before the snapshot is asked for: what is newer than the snapshot is published after it.
 * W2. A durable event is yielded when its seq is the next one; seq <= last is dropped; a hole makes a snapshot since `last`.
 * W3. A transient event that carries a later seq than `last` tells of a hole, too.
 * W4. The buffer is bounded: when the reader is too slow it is dropped, and a snapshot fills the hole.
 * W5. When nothing comes for a while a snapshot is asked for: the last event may have been lost.
 */
import type { Subscription } from '../../bus/bus.ts';
import type { DispatchDetail, ElectronView, EventBody } from '../../bus/protocol/api.ts';
import { entriesOf } from '../../model/log-entry.ts';
import type { DispatchEvent } from '../types.ts';
import type { ApiClient } from './api.ts';
import { abortable, WAITING, withPatience } from './patience.ts';
import { closingEvent, electronEvents, isClosing, openingEvents } from './replay.ts';

export interface WatchOptions {
  /** @default 'now' */
  readonly from?: 'start' | 'now';
  readonly signal?: AbortSignal;
}

/** For tests; the defaults are right elsewhere. */
export interface WatchLimits {
  /** Events held for a slow reader. @default 10000 */
  readonly buffered?: number;
  /** First silence after which a snapshot is asked for, ms; doubles up to 10 s. @default 1000 */
  readonly quietMs?: number;
}

const LONGEST_QUIET_MS = 10_000;

/** Raises UNKNOWN_DISPATCH, NO_HUB; the signal's reason when it is aborted. */
export async function* watchDispatch(
  api: ApiClient,
  id: string,
  options: WatchOptions = {},
  limits: WatchLimits = {},
): AsyncGenerator<DispatchEvent, void> {
  const { signal } = options;
  signal?.throwIfAborted();
  const feed = new Feed(api, id, limits.buffered ?? 10_000);
  const firstQuietMs = limits.quietMs ?? 1_000;
  try {
    let last = -1;
    // Given back once; a hole that the snapshot couldn't fill is passed over.
    let given: EventBody | undefined;
    for (let quietMs = firstQuietMs; ; ) {
      if (feed.broken) {
        await feed.attach(signal);
        const { dispatch, electrons } = await feed.snapshot(
          Math.max(last, 0),
          last >= 0 || options.from === 'start',
          signal,
        );
        if (last < 0) {
          if (options.from === 'start') yield* openingEvents(dispatch);
          else last = dispatch.seq;
        }
        yield* electronEvents(dispatch, electrons, last);
        last = Math.max(last, dispatch.seq);
        const end = closingEvent(dispatch);
        if (end !== undefined) {
          yield end;
          return;
        }
        continue;
      }
      const event = feed.next();
      if (event === undefined) {
        if (await feed.somethingCame(quietMs, signal)) continue;
        feed.broken = true;
        quietMs = Math.min(quietMs * 2, LONGEST_QUIET_MS);
        continue;
      }
      quietMs = firstQuietMs;
      if (event.seq > last + (event.transient ? 0 : 1) && event !== given) {
        given = event;
        feed.giveBack(event);
      } else if (event.transient) yield* publicEvents(event);
      else if (event.seq > last) {
        last = event.seq;
        yield publicEvent(event);
        if (isClosing(event.type)) return;
      }
    }
  } finally {
    feed.close();
  }
}

/** The live side: a subscription, a bounded buffer, and the flag that says that something is missing. */
class Feed {
  /** Something may be missing: attach and ask for a snapshot. */
  broken = true;
  readonly #api: ApiClient;
  readonly #id: string;
  readonly #most: number;
  readonly #release: () => void;
  readonly #offLost: () => void;
  #subscription: Subscription | undefined;
  #buffer: EventBody[] = [];
  #read = 0;
  #wake: (() => void) | undefined;

  constructor(api: ApiClient, id: string, most: number) {
    this.#api = api;
    this.#id = id;
    this.#most = most;
    this.#release = api.connection.hold();
    this.#offLost = api.connection.onLost(() => {
      this.#subscription = undefined;
      this.#break();
    });
  }

  /** Subscribes on a live line, unless that stands; waits over outages. Clears `broken`; a loss from here on sets it again. */
  async attach(signal: AbortSignal | undefined): Promise<void> {
    this.broken = false;
    if (this.#subscription !== undefined) return;
    const patience = signal === undefined ? WAITING : { ...WAITING, signal };
    await withPatience(this.#api.connection, patience, async (line) => {
      this.#subscription = this.#api.events(line, this.#id, (event) => this.#put(event));
    });
  }

  /** The records newer than `since`. */
  async snapshot(
    since: number,
    withElectrons: boolean,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly dispatch: DispatchDetail; readonly electrons: readonly ElectronView[] }> {
    const patience = signal === undefined ? WAITING : { ...WAITING, signal };
    const request = { id: this.#id, brief: true, since, limit: withElectrons ? 1_000 : 1 };
    const electrons: ElectronView[] = [];
    let first: DispatchDetail | undefined;
    for await (const page of this.#api.snapshotPages(request, patience)) {
      first ??= page.dispatch;
      if (!withElectrons) break;
      electrons.push(...page.electrons);
    }
    // A generator of pages yields at least one.
    return { dispatch: first ?? (await this.#api.snapshot(request, patience)).dispatch, electrons };
  }

  next(): EventBody | undefined {
    const event = this.#buffer[this.#read];
    if (event === undefined) return undefined;
    if (++this.#read === this.#buffer.length) {
      this.#buffer = [];
      this.#read = 0;
    }
    return event;
  }

  /** An event that came before one that is missing: it is judged again after the snapshot. */
  giveBack(event: EventBody): void {
    this.#buffer = [event, ...this.#buffer.slice(this.#read)];
    this.#read = 0;
    this.broken = true;
  }

  /** False when nothing came within `quietMs`. */
  async somethingCame(quietMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const came = new Promise<boolean>((resolve) => {
        this.#wake = () => resolve(true);
        timer = setTimeout(() => resolve(false), quietMs);
      });
      return await abortable(came, signal);
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }

  close(): void {
    this.#offLost();
    this.#subscription?.unsubscribe();
    this.#release();
  }

  #put(event: EventBody): void {
    if (this.#buffer.length - this.#read >= this.#most) {
      this.#buffer = [];
      this.#read = 0;
      this.#break();
      return;
    }
    this.#buffer.push(event);
    this.#wake?.();
  }

  #break(): void {
    this.broken = true;
    this.#wake?.();
  }
}

const publicEvent = (e: EventBody): DispatchEvent => ({
  seq: e.seq,
  at: new Date(e.at),
  type: e.type,
  ...(e.electron === undefined ? {} : { electron: e.electron }),
  ...(e.node === undefined ? {} : { node: e.node }),
  ...(e.data === undefined ? {} : { data: e.data }),
});

/** Entries of `context().log` come several in one event of the hub's: one event each, with `{ stream, at, message, fields? }` as its data. */
function publicEvents(event: EventBody): readonly DispatchEvent[] {
  const told = publicEvent(event);
  const { data } = event;
  if (event.type !== 'electron.log' || data?.['stream'] !== 'log') return [told];
  const { text, ...rest } = data;
  return entriesOf(String(text)).map((entry) => ({ ...told, data: { ...rest, ...entry } }));
}
