/**
 * A job's folder as one piece of bytes, for places that see no disk of the agent's: what its runner reads, packed, and unpacked over there.
 * Not here: what comes back (answer.ts), running it (function/run-packed.ts).
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { int, object, optional, parse, text } from '../../bus/protocol/shape.ts';
import { PolaronError } from '../../model/errors.ts';
import { packageVersion } from '../program.ts';
import { JOB_FILE, SETTINGS_FILE } from '../runner/job-files.ts';
import { readJob } from '../runner/job-link.ts';

/** Unpacked. What is larger belongs where the function can read it by itself. */
const MOST_BYTES = 512 * 1024 * 1024;
const MAGIC = Buffer.from('polaron-job/1\n');
const LENGTH_BYTES = 4;
const FILE = /^(job|settings\.json|bundle\.mjs|inputs\/\d{1,9})$/;

interface Head {
  readonly version: string;
  readonly memoryMb?: number;
  readonly files: readonly { readonly name: string; readonly size: number }[];
}

const readHead = object(
  (o): Head => ({
    version: text(o, 'version'),
    ...optional(o, 'memoryMb', (all, key) => int(all, key, 1)),
    files: (Array.isArray(o['files']) ? o['files'] : []).map((file: unknown) =>
      parse(
        'a file of a job',
        object((f) => ({ name: text(f, 'name'), size: int(f, 'size') })),
        file,
      ),
    ),
  }),
);

/** Raises VALUE_TOO_LARGE, DEPS_REFUSED when its code lies beside what was installed for it, and the system's error. */
export async function packJob(dir: string, memoryMb: number | undefined): Promise<Uint8Array> {
  for (const message of readJob(dir))
    if (message.type === 'load' && message.bundleFile !== undefined && !message.bundleFile.startsWith(join(dir, '/')))
      throw new PolaronError(
        'DEPS_REFUSED',
        "what it asks for by `deps` is installed on the agent's machine, and this executor runs it elsewhere; have the packages there, or take another executor",
      );
  const inputs = readdirSync(join(dir, 'inputs')).map((name) => `inputs/${name}`);
  const files = [JOB_FILE, SETTINGS_FILE, 'bundle.mjs', ...inputs].flatMap((name) => {
    const size = statSync(join(dir, name), { throwIfNoEntry: false })?.size;
    return size === undefined ? [] : [{ name, size }];
  });
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MOST_BYTES) throw tooLarge(bytes, MOST_BYTES);
  const head: Head = { version: packageVersion(), ...(memoryMb === undefined ? {} : { memoryMb }), files };
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(json.length);
  return promisify(gzip)(
    Buffer.concat([MAGIC, length, json, ...files.map(({ name }) => readFileSync(join(dir, name)))]),
    { level: 1 },
  );
}

/** Of a job that goes away as one message. */
export const tooLarge = (bytes: number, limit: number): PolaronError =>
  new PolaronError(
    'VALUE_TOO_LARGE',
    `code and inputs take ${bytes} bytes; its executor takes at most ${limit}. Pass the path or address of the data instead`,
    { details: { bytes, limit } },
  );

export interface UnpackedJob {
  readonly memoryMb?: number;
}

/** Writes it into a folder. Raises BAD_MESSAGE when it is none, or of another version of Polaron: agent and runner must be of the same. */
export async function unpackJob(packed: Uint8Array, dir: string): Promise<UnpackedJob> {
  let bytes: Buffer;
  try {
    bytes = await promisify(gunzip)(packed, { maxOutputLength: 2 * MOST_BYTES });
  } catch (cause) {
    throw new PolaronError('BAD_MESSAGE', `what was sent is no packed job: ${String(cause)}`, { cause });
  }
  const from = MAGIC.length + LENGTH_BYTES;
  if (bytes.length < from || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new PolaronError('BAD_MESSAGE', 'what was sent is no packed job');
  let at = from + bytes.readUInt32BE(MAGIC.length);
  const head = parse('a packed job', readHead, JSON.parse(bytes.subarray(from, at).toString('utf8')));
  if (head.version !== packageVersion())
    throw new PolaronError(
      'BAD_MESSAGE',
      `the job is of polaron ${head.version}, the function has ${packageVersion()}; deploy the function with the version of the agent`,
    );
  mkdirSync(join(dir, 'inputs'), { recursive: true, mode: 0o700 });
  for (const { name, size } of head.files) {
    if (!FILE.test(name) || size > bytes.length - at)
      throw new PolaronError('BAD_MESSAGE', `a packed job holds ${JSON.stringify(name)} of ${size} bytes`);
    writeFileSync(join(dir, name), bytes.subarray(at, at + size), { mode: 0o600 });
    at += size;
  }
  return head;
}
