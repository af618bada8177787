/**
 * An agent's state folder on a simulated disk. Boot number, id and history are flushed as they are written; of the spool a power cut may lose or zero any suffix,
 * of the shelves any file or its end. A kill of the process loses nothing. Not here: what runs on the machine (sim-executor.ts).
 */
import type { Shelf } from '../../../executors/agent/shelf.ts';
import type { SpoolFile } from '../../../executors/agent/spool-file.ts';
import type { StateFolder } from '../../../executors/agent/state-folder.ts';
import type { SimProcess } from './machine.ts';
import type { Rng } from './random.ts';

const none = new Uint8Array();

/** The file has its length, or not, and what was written last isn't there: cut off, or zeros. */
function damaged(bytes: Uint8Array, random: Rng): Uint8Array {
  const whole = random.between(0, bytes.length);
  if (random.chance(0.5)) return bytes.subarray(0, whole);
  return Uint8Array.from(bytes).fill(0, whole);
}

export class AgentFolder {
  readonly id: string;
  readonly #files = new Map<string, Uint8Array>();
  #epoch = 0;
  #history = '';
  #spool: Uint8Array = none;

  constructor(id: string) {
    this.id = id;
  }

  /** Bytes that an executor on this machine left for the agent to take over. */
  leave(path: string, bytes: Uint8Array): void {
    this.#files.set(path, bytes);
  }

  powerCut(random: Rng): void {
    const spool = this.#spool.subarray(0, random.between(0, this.#spool.length));
    this.#spool = random.chance(0.7) ? spool : damaged(spool, random);
    for (const [path, bytes] of [...this.#files])
      if (random.chance(0.5)) this.#files.delete(path);
      else if (random.chance(0.4)) this.#files.set(path, damaged(bytes, random));
  }

  /** Counts the boot. */
  open(process: SimProcess): StateFolder {
    this.#epoch++;
    return {
      dir: this.id,
      id: this.id,
      epoch: this.#epoch,
      history: this.#history,
      setEpoch: (epoch) => {
        if (process.alive) this.#epoch = epoch;
      },
      setHistory: (history) => {
        if (process.alive) this.#history = history;
      },
      release: () => undefined,
    };
  }

  spool(process: SimProcess): SpoolFile {
    const set = (bytes: Uint8Array): void => {
      if (process.alive) this.#spool = bytes;
    };
    return {
      name: `${this.id}/spool`,
      read: () => this.#spool,
      append: (bytes) => set(Buffer.concat([this.#spool, bytes])),
      truncate: (length) => set(this.#spool.slice(0, length)),
      replace: (bytes) => set(bytes.slice()),
      close: () => undefined,
    };
  }

  shelf(process: SimProcess, dir: string): Shelf {
    const pathOf = (name: string): string => `${this.id}/${dir}/${name}`;
    const files = this.#files;
    return {
      pathOf,
      list: () =>
        [...files]
          .filter(([path]) => path.startsWith(pathOf('')))
          .map(([path, bytes]) => ({ name: path.slice(pathOf('').length), size: bytes.length })),
      whole: (name) => Promise.resolve(files.get(pathOf(name))),
      part: (name, offset, length) => Promise.resolve(files.get(pathOf(name))?.subarray(offset, offset + length)),
      write: (name, bytes) => {
        if (process.alive) files.set(pathOf(name), bytes);
        return Promise.resolve();
      },
      begin: () => {
        let pieces: Uint8Array[] = [];
        return {
          begin: () => {
            pieces = [];
            return Promise.resolve();
          },
          write: (bytes) => {
            pieces.push(bytes.slice());
            return Promise.resolve();
          },
          finish: (name) => {
            if (process.alive) files.set(pathOf(name), Buffer.concat(pieces));
            return Promise.resolve();
          },
          abort: () => Promise.resolve(),
        };
      },
      adopt: (name, file) => {
        const bytes = files.get(file);
        if (!process.alive) return;
        if (bytes === undefined) throw new Error(`ENOENT: ${file}`);
        files.delete(file);
        files.set(pathOf(name), bytes);
      },
      remove: (name) => {
        if (process.alive) files.delete(pathOf(name));
      },
    };
  }
}
