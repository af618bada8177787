/**
 * The disk under a recorded process: what a power cut at a line of the recording may have left of a folder (docs/adr/012-chaos.md).
 * Only calls that the model knows may touch the folder. Not here: single files (file.ts).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { DiskFile, type Mark } from './file.ts';
import type { Arg, Call } from './trace.ts';

/** A change of names, in order. */
interface Naming {
  readonly act: 'create' | 'mkdir' | 'unlink' | 'rename';
  readonly path: string;
  readonly from?: string;
  readonly file?: DiskFile;
  returned: boolean;
  safe: boolean;
}

const MUTATING =
  /^(creat|truncate|fallocate|sync_file_range|msync|sendfile|copy_file_range|symlink|symlinkat|linkat|renameat|renameat2|unlinkat|mkdirat|rmdir|pwritev|pwritev2|io_uring_enter)$/;

export class Disk {
  readonly #root: string;
  /** As the running process sees it. */
  readonly #files = new Map<string, DiskFile>();
  readonly #namings: Naming[] = [];
  /** Where the next write of a descriptor goes. */
  readonly #offsets = new Map<number, number>();
  #next = 0;
  #returns: { readonly at: number; readonly act: () => void }[] = [];
  readonly #direct = new Set<number>();
  readonly #appending = new Set<number>();
  /** Begun, and not returned. */
  readonly #writing = new Set<Call>();

  /** `root` and what lies in it; its parent is there. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Carries out all that began and returned up to the line, from where it stands. Raises RangeError for what the model doesn't know. */
  run(calls: readonly Call[], line: number): void {
    for (let call = calls[this.#next]; call !== undefined && call.began <= line; call = calls[++this.#next]) {
      this.#settle(call.began - 1);
      // what failed did nothing
      const act = call.result !== undefined && call.result < 0 ? undefined : this.#begin(call);
      if (act !== undefined && Number.isFinite(call.ended)) this.#returns.push({ at: call.ended, act });
    }
    this.#settle(line);
  }

  #settle(line: number): void {
    const due = this.#returns.filter(({ at }) => at <= line).sort((a, b) => a.at - b.at);
    if (due.length === 0) return;
    this.#returns = this.#returns.filter(({ at }) => at > line);
    for (const { act } of due) act();
  }

  /** Writes one of the states that the disk may be in below `target`. Empty when the folder itself was lost. */
  image(target: string, pick: (low: number, high: number) => number): void {
    const files = new Map<string, DiskFile>();
    const folders = new Set<string>();
    for (const { act, path, from, file, safe } of this.#namings) {
      if (!safe && pick(0, 1) === 0) continue;
      if (act === 'mkdir') folders.add(path);
      else if (act === 'unlink') files.delete(path);
      else if (file !== undefined) {
        if (from !== undefined && files.get(from) === file) files.delete(from);
        files.set(path, file);
      }
    }
    const at = (path: string): string => join(target, relative(this.#root, path));
    const there = (path: string): boolean => folders.has(path) && (path === this.#root || there(dirname(path)));
    mkdirSync(target, { recursive: true });
    for (const folder of folders) if (there(folder)) mkdirSync(at(folder), { recursive: true });
    for (const [path, file] of files) {
      // LMDB's lock file is shared memory: it means nothing after a restart
      if (there(dirname(path)) && !path.endsWith('/lock.mdb')) writeFileSync(at(path), file.image(pick));
    }
  }

  /** What happens when the call begins; returns what happens when it has returned. */
  #begin(call: Call): (() => void) | undefined {
    const [first, second, third] = call.args;
    const path = pathOf(first);
    switch (call.name) {
      case 'openat':
        return this.#open(call, pathOf(second), wordOf(third));
      case 'mkdir':
        return this.#name({ act: 'mkdir', path });
      case 'unlink':
        return this.#name({ act: 'unlink', path });
      case 'rename':
      case 'link':
        return this.#move(call.name === 'rename', path, pathOf(second));
      case 'lseek':
        return () => first?.type === 'fd' && this.#offsets.set(first.fd, call.result ?? 0);
      case 'write':
      case 'writev':
      case 'pwrite64':
        return this.#write(call);
      case 'ftruncate':
        this.#files.get(path)?.truncate(Number(wordOf(second)));
        return undefined;
      case 'fdatasync':
      case 'fsync':
        return this.#sync(path);
      case 'mmap':
        if (
          /PROT_WRITE/.test(wordOf(third)) &&
          /MAP_SHARED/.test(wordOf(call.args[3])) &&
          this.#isOurs(pathOf(call.args[4])) &&
          !pathOf(call.args[4]).endsWith('/lock.mdb')
        )
          throw unknown(call);
        return undefined;
      default:
        if (MUTATING.test(call.name) && call.args.some((arg) => this.#isOurs(pathOf(arg)))) throw unknown(call);
        return undefined;
    }
  }

  #isOurs(path: string): boolean {
    return path === this.#root || path.startsWith(`${this.#root}/`);
  }

  #open(call: Call, path: string, flags: string): (() => void) | undefined {
    if (!this.#isOurs(path)) return undefined;
    let file = this.#files.get(path);
    let named: (() => void) | undefined;
    if (file === undefined && flags.includes('O_CREAT')) {
      file = new DiskFile();
      named = this.#name({ act: 'create', path, file });
      this.#files.set(path, file);
    }
    if (flags.includes('O_TRUNC')) file?.truncate(0);
    return () => {
      named?.();
      const fd = call.result ?? -1;
      this.#offsets.set(fd, 0);
      for (const [set, flag] of [
        [this.#direct, 'O_DSYNC'],
        [this.#direct, 'O_SYNC'],
        [this.#appending, 'O_APPEND'],
      ] as const)
        if (flags.includes(flag)) set.add(fd);
        else if (flag !== 'O_SYNC') set.delete(fd);
    };
  }

  #move(takesAway: boolean, from: string, path: string): (() => void) | undefined {
    const file = this.#files.get(from);
    if (file === undefined) return undefined;
    this.#files.set(path, file);
    if (takesAway) this.#files.delete(from);
    return this.#name({ act: takesAway ? 'rename' : 'create', path, file, ...(takesAway ? { from } : {}) });
  }

  #name(naming: Omit<Naming, 'returned' | 'safe'>): (() => void) | undefined {
    if (!this.#isOurs(naming.path)) return undefined;
    const one = { ...naming, returned: false, safe: false };
    this.#namings.push(one);
    if (naming.act === 'unlink') this.#files.delete(naming.path);
    return () => {
      one.returned = true;
    };
  }

  #write(call: Call): (() => void) | undefined {
    const [to, what] = call.args;
    if (to?.type !== 'fd' || (what?.type !== 'bytes' && what?.type !== 'parts')) return undefined;
    const file = this.#files.get(to.path);
    if (file === undefined) return undefined;
    const { length } = what.bytes;
    if (call.result !== undefined && call.result !== length) throw unknown(call); // a part of it
    const given = call.name === 'pwrite64' ? Number(wordOf(call.args[3])) : undefined;
    const at = given ?? (this.#appending.has(to.fd) ? file.length : (this.#offsets.get(to.fd) ?? 0));
    if (given === undefined) this.#offsets.set(to.fd, at + length);
    const mark = file.write(at, what.bytes);
    this.#writing.add(call);
    return () => {
      this.#writing.delete(call);
      if (this.#direct.has(to.fd)) file.safe(mark);
    };
  }

  /** Of a file, or of a folder's names. */
  #sync(path: string): (() => void) | undefined {
    const file = this.#files.get(path);
    if (file !== undefined) {
      const mark: Mark = file.mark();
      // what of a write that is under way is in a sync beside it nobody can say
      for (const call of this.#writing) if (pathOf(call.args[0]) === path) throw unknown(call);
      return () => file.safe(mark);
    }
    const now = this.#namings.filter(({ path: named, returned }) => returned && dirname(named) === path);
    return () => {
      for (const naming of now) naming.safe = true;
    };
  }
}

const pathOf = (arg: Arg | undefined): string =>
  arg?.type === 'fd' ? arg.path : arg?.type === 'bytes' ? arg.bytes.toString('utf8') : '';
const wordOf = (arg: Arg | undefined): string => (arg?.type === 'word' ? arg.word : '');
const unknown = (call: Call): RangeError =>
  new RangeError(`the model of the disk doesn't know ${call.name}(${call.args.map(pathOf).join(', ')})`);
