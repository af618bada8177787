/** Small projects in temp folders, bundled for real and loaded by the real loader in a process of its own. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { bundleElectrons, type Bundle, type BundleOptions, type ShippedElectron } from '../../sdk/ship/bundle.ts';

export const REPO = fileURLToPath(new URL('../..', import.meta.url));

const made: string[] = [];
/** For afterAll. */
export function removeProjects(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export function tempFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'polaron-ship-')));
  made.push(folder);
  return folder;
}

/** Writes the files; `package.json` is made unless given. Packages of the repository can be linked by name. */
export function project(files: Readonly<Record<string, string>>, packages: readonly string[] = []): string {
  const folder = tempFolder();
  const all = { 'package.json': '{ "name": "user-project", "type": "module" }', ...files };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  for (const name of packages) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(join(REPO, 'node_modules', name), join(folder, 'node_modules', name));
  }
  return folder;
}

/** An electron as `dispatch` would find it in the trace, without running the user's module here. */
export const shipped = (name: string, file: string | undefined, at = 'train.ts:1'): ShippedElectron => ({
  name,
  fn: Object.defineProperty(() => undefined, 'name', { value: name }),
  at,
  file,
});

export const ship = (
  folder: string,
  electrons: readonly ShippedElectron[],
  options: Partial<BundleOptions> = {},
): Promise<Bundle> =>
  bundleElectrons(electrons, {
    cwd: folder,
    cacheDir: join(folder, '.cache'),
    inlineFallback: false,
    revalidateMs: 0,
    ...options,
  });

export interface ProcessResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const run = (
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ProcessResult> =>
  new Promise((resolve) => {
    const child = execFile(
      command,
      [...args],
      { ...options, timeout: 30_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : child.exitCode, stdout, stderr });
      },
    );
  });

export interface LoadRequest {
  readonly bundle?: Uint8Array;
  readonly argv?: readonly string[];
  readonly index?: readonly string[];
  readonly captures?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly calls?: readonly (readonly [electron: string, ...args: unknown[]])[];
  readonly agent?: string;
  readonly deadlineMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** How long to go on after the calls, ms: for what top-level code does late. */
  readonly lingerMs?: number;
}

interface ErrorShape {
  readonly code: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorShape;
}
export interface LoadReport {
  readonly error?: ErrorShape;
  readonly haltedAt?: string;
  readonly errors: readonly { readonly electron: string; readonly error: ErrorShape }[];
  /** Per call: its value, or what it threw. */
  readonly results: readonly { readonly value?: unknown; readonly stack?: string; readonly tdz?: ErrorShape }[];
  /** What the sink got. */
  readonly output: string;
  readonly argv: readonly string[];
  readonly loadMs: number;
}

const CHILD = `
import { writeSync } from 'node:fs';
import { loadBundle } from ${JSON.stringify(join(REPO, 'executors/runner/loader.ts'))};
const request = JSON.parse(process.argv[2]);
let output = '';
const started = performance.now();
const loaded = await loadBundle(request.file, request.argv ?? [], { agent: request.agent, deadlineMs: request.deadlineMs, sink: (stream, text) => { output += text; } });
const loadMs = performance.now() - started;
const errors = request.index ? await loaded.index(request.index, request.captures ?? {}) : [];
const results = [];
for (const [name, ...args] of request.calls ?? []) {
  try {
    const found = await loaded.find(name);
    if ('error' in found) throw new Error(found.error.message);
    const { fn } = found;
    results.push({ value: await fn(...args) });
  } catch (error) {
    results.push({ stack: error.stack, tdz: loaded.explainTdz(error, name) });
  }
}
await new Promise((resolve) => setTimeout(resolve, request.lingerMs ?? 0));
writeSync(1, JSON.stringify({ error: loaded.error, haltedAt: loaded.haltedAt, errors, results, output, loadMs, argv: process.argv }));
process.reallyExit(0);
`;

let childFile: Promise<string> | undefined;

/** The loader as one file, so that each child starts in the time of a bare Node. */
async function makeChild(): Promise<string> {
  const folder = tempFolder();
  const entry = join(folder, 'child.ts');
  writeFileSync(entry, CHILD);
  const bundler = await rolldown({ input: entry, platform: 'node', logLevel: 'silent' });
  await bundler.write({ file: join(folder, 'child.mjs'), format: 'esm', codeSplitting: false });
  await bundler.close();
  return join(folder, 'child.mjs');
}

/** What the process printed besides the report is a leak, and fails. */
export async function load(request: LoadRequest): Promise<LoadReport> {
  childFile ??= makeChild();
  const folder = tempFolder();
  const file = request.bundle === undefined ? undefined : join(folder, 'bundle.mjs');
  if (file !== undefined && request.bundle !== undefined) writeFileSync(file, request.bundle);
  const { bundle: _bundle, env, ...rest } = request;
  const done = await run(
    process.execPath,
    ['--enable-source-maps', await childFile, JSON.stringify({ ...rest, file })],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...env },
    },
  );
  if (done.code !== 0 || done.stderr !== '')
    throw new Error(`child exited with ${done.code}\n${done.stdout}\n${done.stderr}`);
  const report: LoadReport = JSON.parse(done.stdout);
  return report;
}

/** Bundles one electron's module and loads it. */
export async function shipAndLoad(
  files: Readonly<Record<string, string>>,
  electrons: readonly (readonly [name: string, file: string])[],
  request: LoadRequest = {},
): Promise<LoadReport> {
  const folder = project(files);
  const list = electrons.map(([name, file]) => {
    if (!existsSync(join(folder, file))) throw new Error(`no ${file} in the fixture`);
    return shipped(name, join(folder, file));
  });
  const { code } = await ship(folder, list);
  return load({ index: electrons.map(([name]) => name), ...request, bundle: code });
}
