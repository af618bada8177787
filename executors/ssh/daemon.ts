/**
 * What stays on a host while connections to it come and go: one daemon for each life of an agent, on a socket in a folder that only its user may enter. It holds a bridge and its stream.
 * Invariants: D1 a connection that comes takes the place of the one before; D2 when nothing has been heard of the agent for a lease, everything is killed and the daemon ends,
 * whether a connection is open or not; D3 its record (`daemon`: pid and start time) is there before its socket. Not here: starting it, and ending those of earlier lives (relay.ts).
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startTimeOf } from '../process/process-table.ts';
import { Bridge } from '../remote/bridge.ts';
import { placeClock, placeEnvironment } from '../remote/place-environment.ts';
import { Records, RECORD } from '../remote/records.ts';
import { ResumableStream } from '../remote/resumable-stream.ts';
import { decodeAttach, encodeAttachment, type Attach } from './attachment.ts';

/** sun_path of Linux holds 108 bytes, elsewhere 104, with a zero at the end. */
const LONGEST_SOCKET = 103;
const LOOKS_PER_LEASE = 10;
const LONGEST_LOOK_MS = 5_000;
/** Its last words have so long to reach the agent. */
const LAST_WORDS_MS = 1_000;

export interface DaemonOptions {
  /** Of this life of the agent. */
  readonly folder: string;
  readonly leaseMs: number;
  /** Folder of the carried files. */
  readonly program: string;
  readonly version: string;
}

interface Session {
  readonly id: string;
  readonly stream: ResumableStream;
  readonly bridge: Bridge;
}

/** Resolves when its socket listens. Raises the system's error (a full disk). */
export async function startDaemon(options: DaemonOptions): Promise<void> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'daemon'), `${process.pid} ${startTimeOf(process.pid) ?? ''}`, { mode: 0o600 });
  const path = socketPath(folder);
  rmSync(path, { force: true });
  const daemon = new Daemon(options, path);
  const server = createServer((socket) => daemon.connected(socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  writeFileSync(join(folder, 'socket'), path, { mode: 0o600 });
}

function socketPath(folder: string): string {
  const path = join(folder, 's');
  return Buffer.byteLength(path) <= LONGEST_SOCKET ? path : join(mkdtempSync(join(tmpdir(), 'polaron-')), 's');
}

class Daemon {
  readonly #options: DaemonOptions;
  readonly #socket: string;
  readonly #began = performance.now();
  #session: Session | undefined;
  #sessions = 0;
  #changing: Promise<void> = Promise.resolve();

  constructor(options: DaemonOptions, socket: string) {
    this.#options = options;
    this.#socket = socket;
    const every = Math.min(LONGEST_LOOK_MS, options.leaseMs / LOOKS_PER_LEASE);
    setInterval(() => this.#look(), every);
  }

  connected(socket: Socket): void {
    const records = new Records(socket);
    records.onRecord((type, payload) => {
      if (type !== RECORD.attach) return records.destroy();
      // what follows belongs to the stream
      records.pause();
      records.hold();
      let attach: Attach;
      try {
        attach = decodeAttach(payload);
      } catch {
        return records.destroy();
      }
      this.#changing = this.#changing.then(() => this.#attach(records, attach));
    });
  }

  /** One after the other (D1). */
  async #attach(records: Records, { session, received, resume }: Attach): Promise<void> {
    const answer = (message: Parameters<typeof encodeAttachment>[0]): void =>
      records.send(RECORD.attached, encodeAttachment(message));
    if (resume && this.#session?.id !== session) return answer({ received: 0, refused: 'unknown' });
    try {
      if (!resume) await this.#begin(session);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return answer({ received: 0, refused: 'failed', message });
    }
    const stream = this.#session?.stream;
    if (stream === undefined) return records.destroy();
    stream.detach();
    answer({ received: stream.received });
    records.resume();
    if (!stream.attach(records, received, () => undefined)) records.destroy();
  }

  async #begin(id: string): Promise<void> {
    const before = this.#session;
    this.#session = undefined;
    before?.stream.destroy();
    await before?.bridge.over;
    const { folder, program, version } = this.#options;
    const stream = new ResumableStream();
    const bridge = new Bridge({
      stream,
      folder: join(folder, `session-${++this.#sessions}`),
      program: [join(program, 'runner.cjs')],
      nodePath: process.execPath,
      env: placeEnvironment(),
      cwd: process.cwd(),
      version,
      clock: placeClock,
    });
    const session = { id, stream, bridge };
    this.#session = session;
    void bridge.over.then(() => this.#leave(session));
  }

  /** D2. */
  #look(): void {
    const heardAt = this.#session?.stream.heardAt ?? this.#began;
    if (performance.now() - heardAt < this.#options.leaseMs) return;
    if (this.#session === undefined) this.#exit();
    else this.#session.stream.destroy();
  }

  /** Unless another session has begun meanwhile. */
  #leave(session: Session): void {
    const { stream } = session;
    const exit = (): void => {
      if (this.#session === session) this.#exit();
    };
    if (stream.destroyed) return exit();
    stream.once('close', exit);
    setTimeout(exit, LAST_WORDS_MS);
  }

  #exit(): void {
    rmSync(this.#socket, { force: true });
    const { folder } = this.#options;
    if (dirname(this.#socket) !== folder) rmSync(dirname(this.#socket), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
    if (readdirSync(dirname(folder)).length === 0) rmSync(dirname(folder), { recursive: true, force: true });
    process.exit(0);
  }
}
