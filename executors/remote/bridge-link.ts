/**
 * The agent's end of a bridge: one stream, many runners. Gives each frame to the runner whose it is, keeps the two clocks' difference, and tells all runners when the stream is gone.
 * Not here: one runner (remote-runner.ts), how the stream comes about and whether there will be another.
 */
import type { Duplex } from 'node:stream';
import { deferred } from '../../model/deferred.ts';
import type { Clock, Timer } from '../../model/clock.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Log } from '../../model/log.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { systemMs } from '../runner/system-clock.ts';
import { FarFiles } from './far-files.ts';
import { FrameStream } from './frame-stream.ts';
import { decodeFromBridge, FRAME, type FromBridge } from './wire.ts';

const PING_MS = 10_000;
/** A bridge that has been told to end is waited for so long. */
const BYE_MS = 5_000;

export interface BridgeLinkOptions {
  readonly stream: Duplex;
  /** `host gpu1`, `container a1b2`: for messages. */
  readonly place: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The bridge hears of us at least this often. @default 10000 */
  readonly pingMs?: number;
  /** What an electron hears that ran there when the stream ended. */
  readonly lost: (reason: Error | undefined) => ErrorInfo;
}

/** A runner, as the link knows it. */
export interface LinkedRunner {
  frames(bytes: Buffer): void;
  printed(stream: 'stdout' | 'stderr', bytes: Buffer): void;
  piece(bytes: Buffer): void;
  told(message: Extract<FromBridge, { readonly runner: number }>): void;
  /** The bridge is gone, and the runner with it. */
  lost(error: ErrorInfo): void;
}

export type Hello = Extract<FromBridge, { type: 'hello' }>;

export class BridgeLink {
  readonly stream: FrameStream;
  readonly files: FarFiles;
  readonly #options: BridgeLinkOptions;
  readonly #runners = new Map<number, LinkedRunner>();
  readonly #ready = deferred<Hello>();
  readonly #ended = deferred<ErrorInfo>();
  #numbers = 0;
  #closing = false;
  /** How far the other clock is ahead at least, ms. */
  #ahead: number | undefined;
  #ping: Timer | undefined;

  constructor(options: BridgeLinkOptions) {
    this.#options = options;
    this.#ready.promise.catch(() => undefined);
    this.stream = new FrameStream(options.stream, {
      frame: (kind, number, payload) => this.#frame(kind, number, payload),
      ended: (error) => this.#end(error),
    });
    this.files = new FarFiles(this.stream);
  }

  /** Rejects when the stream ends before the bridge has said anything. */
  get ready(): Promise<Hello> {
    return this.#ready.promise;
  }

  /** Why it is over. */
  get ended(): Promise<ErrorInfo> {
    return this.#ended.promise;
  }

  get over(): boolean {
    return this.stream.over;
  }

  /** Gives the runner its number. */
  add(runner: LinkedRunner): number {
    const number = ++this.#numbers;
    this.#runners.set(number, runner);
    return number;
  }

  remove(number: number): void {
    this.#runners.delete(number);
  }

  /** A moment of this machine's clock as one of the other's, rather too early than too late. */
  there(ms: number): number {
    return ms + (this.#ahead ?? 0);
  }

  /** Has everything over there killed. False: the bridge hasn't said so in time. */
  async close(): Promise<boolean> {
    this.#closing = true;
    this.stream.tell({ type: 'bye' });
    const { clock } = this.#options;
    let heard = true;
    const late = clock.after(BYE_MS, () => {
      heard = false;
      this.stream.destroy();
    });
    await this.#ended.promise;
    late.cancel();
    return heard;
  }

  #frame(kind: number, number: number, payload: Buffer): void {
    if (kind === FRAME.control) return this.#control(decodeFromBridge(payload));
    const runner = this.#runners.get(number);
    if (kind === FRAME.runner) runner?.frames(payload);
    else if (kind === FRAME.stdout) runner?.printed('stdout', payload);
    else if (kind === FRAME.stderr) runner?.printed('stderr', payload);
    else if (kind === FRAME.result) runner?.piece(payload);
  }

  #control(message: FromBridge): void {
    switch (message.type) {
      case 'hello':
        // how long it was on the way nobody knows: at least nothing
        this.#ahead = message.now - systemMs();
        this.#ready.resolve(message);
        this.#pingLater();
        return;
      case 'pong':
        this.#ahead = message.now - systemMs();
        return;
      case 'kept':
      case 'not-kept':
        this.files.answered(message);
        return;
      case 'log':
        this.#options.log(message.level, `${this.#options.place}: ${message.message}`);
        return;
      case 'heard':
      case 'leaving':
      case 'exit':
      case 'garbled':
      case 'result':
      case 'result-end':
        this.#runners.get(message.runner)?.told(message);
    }
  }

  #pingLater(): void {
    this.#ping = this.#options.clock.after(
      this.#options.pingMs ?? PING_MS,
      () => {
        if (this.over) return;
        this.stream.tell({ type: 'ping', sent: systemMs() });
        this.#pingLater();
      },
      'routine',
    );
  }

  #end(reason: Error | undefined): void {
    this.#ping?.cancel();
    const error = this.#options.lost(reason);
    if (!this.#closing) this.#options.log('warn', `${this.#options.place}: ${error.message}`, { code: error.code });
    const raised = new PolaronError('EXECUTOR_FAILED', error.message);
    this.#ready.reject(raised);
    this.files.end(raised);
    for (const runner of [...this.#runners.values()]) runner.lost(error);
    this.#runners.clear();
    this.#ended.resolve(error);
  }
}
