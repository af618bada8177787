/**
 * Outcomes that no hub has acknowledged, on disk (A2): an append-only file of records, each a length, a CRC-32 and an encoded batch.
 * One write per batch, without fsync: a power cut on the agent's machine costs a re-run. Acknowledgements aren't written: what is reported
 * twice after a restart is answered `duplicate` or `stale`.
 * Invariants: P1 a record is whole in the page cache before its outcomes are reported; P2 a cut or corrupt tail is cut off and said;
 * P3 the file holds every unacknowledged outcome, and shrinks to those when it has grown; what a full disk didn't take is written as soon as it has room.
 */
import { crc32 } from 'node:zlib';
import { decodeBody } from '../../bus/codec.ts';
import type { FinishedTask } from '../../bus/protocol/agent.ts';
import { parseDone } from '../../bus/protocol/wire-agent.ts';
import { encodeOutcomes, type EncodedTask } from '../../bus/protocol/write-done.ts';
import type { TaskId } from '../../model/ids.ts';
import type { Log } from '../../model/log.ts';
import { sameToken, type Token } from '../../model/outcome.ts';
import type { SpoolFile } from './spool-file.ts';

/** An empty spool's file is cut to nothing above this; one with live records is rewritten above REWRITE_BYTES. */
const TRUNCATE_BYTES = 64 * 1024;
const REWRITE_BYTES = 8 * 1024 * 1024;
const HEADER_BYTES = 8;

export interface SpoolRecord {
  readonly bytes: Uint8Array;
  readonly tasks: readonly EncodedTask[];
}

export class Spool {
  readonly #file: SpoolFile;
  readonly #live = new Map<TaskId, FinishedTask>();
  #bytes: number;
  /** Rewrite when the file passes this. */
  #rewriteAt = REWRITE_BYTES;
  /** The file lacks some that are live (P3). */
  #lacks = false;

  /** Reads what the file holds; a tail that can't be read is cut off. Raises the system's error when it can't be read at all. */
  constructor(file: SpoolFile, log: Log) {
    this.#file = file;
    const data = file.read();
    this.#bytes = this.#read(data);
    if (this.#bytes < data.length) {
      file.truncate(this.#bytes);
      log('warn', `spool: cut off ${data.length - this.#bytes} bytes that can't be read`, {
        file: file.name,
        kept: this.#live.size,
      });
    }
  }

  /** Everything unacknowledged, oldest first. */
  get outcomes(): readonly FinishedTask[] {
    return [...this.#live.values()];
  }

  get size(): number {
    return this.#live.size;
  }

  /** Writes a batch; when it returns, a crash of this process doesn't lose it. Raises the system's error (a full disk); then it is written with a later one. */
  append({ bytes, tasks }: SpoolRecord): void {
    if (tasks.length === 0) return;
    for (const finished of tasks) this.#live.set(finished.task, finished);
    if (this.#lacks) return this.#rewrite();
    try {
      this.#file.append(bytes);
    } catch (error) {
      this.#lacks = true;
      // half a record would hide what follows it
      this.#file.truncate(this.#bytes);
      throw error;
    }
    this.#bytes += bytes.length;
  }

  /** Forgets an outcome and returns it. Cheap: the file is tidied by `tidy`. */
  acknowledge(task: TaskId, token: Token): FinishedTask | undefined {
    const finished = this.#live.get(task);
    if (finished === undefined || !sameToken(finished.token, token)) return undefined;
    this.#live.delete(task);
    return finished;
  }

  /** Forgets everything: the history changed. */
  clear(): void {
    this.#live.clear();
    this.#truncate();
  }

  /** Shrinks the file when that is worth it; call it after a batch of acknowledgements. Raises the system's error (a full disk); nothing is lost then. */
  tidy(): void {
    if (this.#live.size === 0) {
      if (this.#bytes > TRUNCATE_BYTES) this.#truncate();
      this.#lacks = false;
    } else if (this.#lacks || this.#bytes >= this.#rewriteAt) this.#rewrite();
  }

  #rewrite(): void {
    const record = spoolRecord([...this.#live.values()]).bytes;
    this.#file.replace(record);
    this.#bytes = record.length;
    this.#rewriteAt = Math.max(REWRITE_BYTES, record.length * 2);
    this.#lacks = false;
  }

  close(): void {
    if (this.#live.size === 0) this.#truncate();
    this.#file.close();
  }

  #truncate(): void {
    this.#file.truncate(0);
    this.#bytes = 0;
    this.#rewriteAt = REWRITE_BYTES;
    this.#lacks = false;
  }

  /** Reads records until one isn't whole; returns where the good ones end. */
  #read(data: Uint8Array): number {
    const headers = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let at = 0;
    while (data.length - at >= HEADER_BYTES) {
      const length = headers.getUint32(at);
      const body = data.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
      if (body.length < length || crc32(body) !== headers.getUint32(at + 4)) break;
      try {
        for (const finished of parseDone(decodeBody(body)).outcomes) this.#live.set(finished.task, finished);
      } catch {
        break;
      }
      at += HEADER_BYTES + length;
    }
    return at;
  }
}

/** A batch of outcomes as the spool writes it, and each with its bytes, to be reported. */
export function spoolRecord(outcomes: readonly FinishedTask[]): SpoolRecord {
  const { bytes, tasks } = encodeOutcomes(outcomes, HEADER_BYTES);
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  header.setUint32(0, bytes.length - HEADER_BYTES);
  header.setUint32(4, crc32(bytes.subarray(HEADER_BYTES)));
  return { bytes, tasks };
}
