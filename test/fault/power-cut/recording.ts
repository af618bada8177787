/** Records a process that writes to a store (load.ts), and makes of the recording a disk after a power cut. Needs strace. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { Disk } from './disk.ts';
import { parseTrace, type Call } from './trace.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const LOAD = fileURLToPath(new URL('load.ts', import.meta.url));
/** All that can change a file or its name; what the model of the disk doesn't know is an error there. */
const CALLS =
  'openat,creat,write,writev,pwrite64,pwritev,pwritev2,lseek,ftruncate,truncate,fallocate,fdatasync,fsync,sync_file_range,msync,mmap,mkdir,mkdirat,rmdir,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,sendfile,copy_file_range,io_uring_enter';

/** Undefined where there is none, or it may not trace. */
export const strace = ((): string | undefined => {
  try {
    execFileSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=fsync', '-o', '/dev/null', 'true']);
    return 'strace';
  } catch {
    return undefined;
  }
})();

/** A change of one file of a copy of the store. Raises RangeError when the text isn't there exactly once. */
export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Acknowledged {
  readonly opened: boolean;
  /** The newest; -1: none. */
  readonly batch: number;
  readonly blobs: readonly number[];
}

export interface Recording {
  /** Lines at which something happened that a cut may fall on. */
  readonly lines: readonly number[];
  /** What had been acknowledged by then. */
  acknowledged(line: number): Acknowledged;
  /** Writes what a power cut at that line may have left. Lines must not go back from call to call. */
  cut(line: number, target: string, pick: (low: number, high: number) => number): void;
}

/** Records the store in `folder`, changed as asked. */
export async function record(folder: string, mutation?: Mutation): Promise<Recording> {
  mkdirSync(folder);
  const [data, acks, trace] = ['data', 'acks', 'trace'].map((name) => join(folder, name));
  if (data === undefined || acks === undefined || trace === undefined) throw new RangeError('three names');
  const { load, store } = await packed(folder, mutation);
  const args = [load, pathToFileURL(store).href, data, acks];
  await promisify(execFile)(
    'strace',
    [
      '-f',
      '-y',
      '-xx',
      '--seccomp-bpf',
      '-s',
      '1048576',
      '-e',
      `trace=${CALLS}`,
      '-o',
      trace,
      process.execPath,
      ...args,
    ],
    { env: { ...process.env, UV_USE_IO_URING: '0' } },
  );
  return recordingOf(parseTrace(readFileSync(trace, 'latin1')), data, acks);
}

/** The program and the store as one file each: under strace every file that is loaded costs time. */
async function packed(
  folder: string,
  mutation: Mutation | undefined,
): Promise<{ readonly load: string; readonly store: string }> {
  const dir = join(folder, 'packed');
  let changed = mutation === undefined;
  const bundle = await rolldown({
    input: { load: LOAD, store: join(root, 'store', 'lmdb-store.ts') },
    external: 'lmdb',
    platform: 'node',
    logLevel: 'warn',
    plugins: [
      {
        name: 'mutation',
        transform: (text, path) => {
          if (mutation === undefined || path !== join(root, 'store', mutation.file)) return undefined;
          changed = true;
          return mutated(text, mutation);
        },
      },
    ],
  });
  await bundle.write({ dir, format: 'esm', entryFileNames: '[name].mjs' });
  await bundle.close();
  if (!changed) throw new RangeError(`${mutation?.file}: the store doesn't import it`);
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  return { load: join(dir, 'load.mjs'), store: join(dir, 'store.mjs') };
}

function mutated(text: string, { file, from, to }: Mutation): string {
  if (text.split(from).length !== 2) throw new RangeError(`${file}: ${JSON.stringify(from)} isn't there once`);
  return text.replace(from, to);
}

function recordingOf(calls: readonly Call[], data: string, acks: string): Recording {
  const said = calls.flatMap(({ name, args: [to, what], began }) =>
    name === 'write' && to?.type === 'fd' && to.path === acks && what?.type === 'bytes'
      ? [{ began, word: what.bytes.toString('utf8').trim() }]
      : [],
  );
  const path = Buffer.from(data);
  const touches = calls.filter(({ args }) =>
    args.some((arg) =>
      arg.type === 'fd'
        ? arg.path.startsWith(data)
        : arg.type === 'bytes' && arg.bytes.subarray(0, path.length).equals(path),
    ),
  );
  const disk = new Disk(data);
  return {
    lines: [...touches.flatMap(({ began, ended }) => [began, ended]), ...said.map(({ began }) => began)].filter(
      Number.isFinite,
    ),
    acknowledged: (line) => {
      const words = said.filter(({ began }) => began <= line).map(({ word }) => word);
      const numbers = (kind: string): number[] =>
        words.flatMap((word) => (word.startsWith(`${kind} `) ? [Number(word.slice(kind.length + 1))] : []));
      return { opened: words.includes('open'), batch: Math.max(-1, ...numbers('batch')), blobs: numbers('blob') };
    },
    cut: (line, target, pick) => {
      disk.run(calls, line);
      disk.image(target, pick);
    },
  };
}
