/** The hosts that this agent may have left something on, in a file of its state folder: a killed agent finds them when it starts again. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export class VisitedHosts {
  readonly #file: string;
  readonly #failed: (error: unknown) => void;
  readonly #options = new Map<string, object>();
  /** As an earlier life left them. */
  readonly earlier: readonly object[];

  /** `failed`: a record can't be written, as on a full disk; then the lease ends what is left there. */
  constructor(file: string, failed: (error: unknown) => void) {
    this.#file = file;
    this.#failed = failed;
    this.earlier = readList(file);
  }

  /** Before it is visited. */
  add(key: string, options: object): void {
    if (this.#options.has(key)) return;
    this.#options.set(key, options);
    this.#write();
  }

  /** Nothing is left there. */
  remove(key: string): void {
    if (this.#options.delete(key)) this.#write();
  }

  #write(): void {
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify([...this.#options.values()]), { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (error) {
      this.#failed(error);
    }
  }
}

function readList(file: string): readonly object[] {
  try {
    const read: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(read) ? read.filter((each: unknown) => typeof each === 'object' && each !== null) : [];
  } catch {
    return []; // there was none
  }
}
