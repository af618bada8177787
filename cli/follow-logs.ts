/**
 * What electrons write, as it comes, until the electron or the dispatch has ended. Events say that there may be more; what there is the hub is asked for, so that
 * a lost event loses nothing. Each stream of an attempt is a text that grows: what is beyond the last place is new.
 */
import type { LogsReply } from '../bus/protocol/api.ts';
import { streams, streamFrom } from '../model/log-entry.ts';
import type { HubApi } from './hub-api.ts';
import type { LogWriter } from './log-writer.ts';

/** Asked for at most so often, ms: many events make one look. */
const PACE_MS = 200;

const ends: ReadonlySet<string> = new Set([
  'electron.completed',
  'electron.failed',
  'electron.cancelled',
  'electron.skipped',
]);

/** How far an electron's streams are written. */
interface Place {
  readonly attempt: number;
  readonly ends: Record<(typeof streams)[number], number>;
}

/** `node`: only this one. Raises UNKNOWN_DISPATCH, NO_HUB; the signal's reason when it is aborted. */
export async function followLogs(
  hub: HubApi,
  { id, node: only }: { readonly id: string; readonly node?: number },
  writer: LogWriter,
  signal: AbortSignal,
): Promise<void> {
  const follower = new Follower(hub, id, writer);
  for await (const { type, node } of hub.watch(id, signal)) {
    if (node === undefined || (only !== undefined && node !== only)) continue;
    follower.touched(node);
    await follower.soon();
    if (node === only && ends.has(type)) break;
  }
  await follower.look();
}

class Follower {
  readonly #hub: HubApi;
  readonly #id: string;
  readonly #writer: LogWriter;
  readonly #touched = new Set<number>();
  readonly #places = new Map<number, Place>();
  #lookedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(hub: HubApi, id: string, writer: LogWriter) {
    this.#hub = hub;
    this.#id = id;
    this.#writer = writer;
  }

  touched(node: number): void {
    this.#touched.add(node);
  }

  /** Looks now if the last look is long ago, else a little later. Raises what a look raised. */
  async soon(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const wait = this.#lookedAt + PACE_MS - performance.now();
    if (wait <= 0) return this.look();
    this.#timer ??= setTimeout(() => {
      this.look().catch((error: unknown) => {
        this.#failure = error;
      });
    }, wait);
  }

  /** Writes all that is new of what was touched. */
  look(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lookedAt = performance.now();
    this.#looking = this.#looking.then(() => this.#lookAll());
    return this.#looking;
  }

  async #lookAll(): Promise<void> {
    for (const node of this.#touched) {
      this.#touched.delete(node);
      await this.#lookAt(node);
    }
  }

  async #lookAt(node: number): Promise<void> {
    const reply = await this.#hub.logs({ id: this.#id, electron: node });
    const { attempt, live } = reply;
    if (live === false) this.#again(node);
    if (attempt === undefined) return;
    let place = this.#places.get(node);
    if (place !== undefined && place.attempt !== attempt) {
      // it was retried: the rest of the one before
      this.#write(await this.#hub.logs({ id: this.#id, electron: node, attempt: place.attempt }), place);
      place = undefined;
    }
    if (place === undefined) this.#places.set(node, (place = { attempt, ends: { stdout: 0, stderr: 0, log: 0 } }));
    this.#write(reply, place);
  }

  /** Its agent gave no answer: it may have written more, and no event tell of it. */
  #again(node: number): void {
    setTimeout(() => {
      this.touched(node);
      void this.soon().catch(() => undefined); // told by the next call
    }, PACE_MS).unref();
  }

  #write(reply: LogsReply, { ends: written }: Place): void {
    for (const stream of streams) {
      const { text, end } = streamFrom(reply[stream] ?? '', written[stream]);
      // of what runs the last line may not be whole
      const whole = reply.live === true ? text.lastIndexOf('\n') + 1 : text.length;
      if (whole > 0) this.#writer.write(reply.electron, stream, text.slice(0, whole));
      written[stream] = end - (text.length - whole);
    }
  }
}
