/**
 * Compiles the package into dist/ and links its command, so that `npx polaron` in this folder is the one just built. Does nothing when no source has changed.
 *
 * B1. dist/ is replaced as a whole by a rename: a process that starts meanwhile sees the old build or the new one, and no file of a deleted source stays.
 * B2. A failed build leaves the old dist/ as it was.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runFolded } from './child.mjs';
import { ensureInstalled, root } from './ensure-installed.mjs';
import { slimPackages, withoutNative } from './packing.mjs';

const config = join(root, 'tsconfig.build.json');
const dist = join(root, 'dist');
const stampFile = join(root, '.cache', 'build-stamp');
const command = join('cli', 'main.cjs');
const programs = [
  'cli/main',
  'host/agent-process',
  'host/check-process',
  'host/results-process',
  'executors/runner/job',
  'executors/runner/main',
  'executors/runner/thread',
  'executors/runner/threads',
];
/** What is brought to places where no package is installed: each one file, with nothing beside it but Python's side of leptons. */
const carried = {
  bridge: 'executors/remote/bridge-main',
  ssh: 'executors/ssh/host-main',
  runner: 'executors/runner/main',
};
/** What people import. `sdk/index` tells its own frames in a stack by the folder, and its bundler finds the agents' part by its place: its pieces stay below sdk/. */
const imported = ['sdk/index', 'testing/index'];
const licences =
  '// With code of @nats-io (Apache-2.0), xstate and commander (MIT) and yaml (ISC); their licences are in these packages.';
/** Packages with native parts, and what such a package loads as well. */
const unpacked = /^(lmdb|msgpackr|rolldown|koffi)(\/|$)/;
const remotePack = join('executors', 'remote', 'pack');
const link = join(root, 'node_modules', '.bin', 'polaron');

/** Python's side of leptons is shipped as it is, without what an interpreter left there. */
const isPython = (path) => /(^|[\\/])python$|\.py$/.test(path);

/** Builds when a source is newer than the last build. Ends the process with the compiler's words when that fails. */
export async function build(say = (line) => process.stderr.write(`${line}\n`)) {
  const stamp = sourcesStamp();
  if (isBuilt(stamp)) return;
  const began = Date.now();
  const fresh = join(root, `dist.${process.pid}`);
  clearAbandoned();
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await runFolded(process.execPath, [tsc, '-p', config, '--outDir', fresh], { cwd: root });
  if (code !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    process.stderr.write(`${output.trimEnd()}\nthe build failed (tsc -p tsconfig.build.json)\n`);
    process.exit(1);
  }
  await pack(fresh);
  for (const place of ['leptons', remotePack])
    cpSync(join(root, 'leptons', 'python'), join(fresh, place, 'python'), { filter: isPython, recursive: true });
  if (existsSync(join(fresh, command))) chmodSync(join(fresh, command), 0o755);
  replaceDist(fresh);
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(stampFile, stamp);
  linkCommand();
  say(`built in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/**
 * Few files instead of several hundred: loading them is most of what a start does (docs/adr/014-packed-programs.md). The entry of every process with all that it imports,
 * packages too, is CommonJS, which Node loads with less ado; what people import is packed apart, as modules. The other files in dist/ are as the compiler wrote them.
 */
async function pack(folder) {
  const { rolldown } = await import('rolldown');
  const write = async (input, output, external = (id) => unpacked.test(id), plugins = [slimPackages()]) => {
    const bundle = await rolldown({ input, external, platform: 'node', logLevel: 'warn', plugins });
    await bundle.write({ dir: folder, comments: false, postBanner: licences, ...output });
    await bundle.close();
  };
  for (const name of programs)
    await write(join(root, `${name}.ts`), {
      format: 'cjs',
      entryFileNames: `${name}.cjs`,
      chunkFileNames: 'programs/[name]-[hash].cjs',
    });
  for (const [file, name] of Object.entries(carried))
    await write(
      join(root, `${name}.ts`),
      { dir: join(folder, remotePack), format: 'cjs', entryFileNames: `${file}.cjs`, codeSplitting: false },
      () => false,
      [withoutNative()],
    );
  await write(Object.fromEntries(imported.map((name) => [name, join(root, `${name}.ts`)])), {
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'sdk/ship/[name]-[hash].js',
  });
  for (const name of imported) rmSync(join(folder, `${name}.js.map`), { force: true }); // the compiler's
}

function isBuilt(stamp) {
  try {
    return readFileSync(stampFile, 'utf8') === stamp && [join(dist, command), link].every((path) => existsSync(path));
  } catch {
    return false;
  }
}

/** Hash of every source's path, size and time of change, of the compiler's configuration and of the package's version. */
function sourcesStamp() {
  const hash = createHash('sha256');
  const add = (path) => {
    const { mtimeMs, size } = statSync(join(root, path));
    hash.update(`${path}\0${mtimeMs}\0${size}\n`);
  };
  for (const file of [
    'tsconfig.json',
    'tsconfig.build.json',
    'package.json',
    'package-lock.json',
    'scripts/build.mjs',
    'scripts/packing.mjs',
  ])
    add(file);
  for (const folder of JSON.parse(readFileSync(config, 'utf8')).include) {
    if (!existsSync(join(root, folder))) continue;
    const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) add(file.slice(root.length));
  }
  return hash.digest('hex');
}

function replaceDist(fresh) {
  const old = join(root, `dist.${process.pid}.old`);
  try {
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another build, of the same moment, was faster.
    if (!existsSync(join(dist, command))) throw error;
  }
  rmSync(old, { recursive: true, force: true });
}

/** Removes what a killed build left. */
function clearAbandoned() {
  for (const name of readdirSync(root)) {
    const pid = /^dist\.(\d+)(\.old)?$/.exec(name)?.[1];
    if (pid !== undefined && !alive(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function linkCommand() {
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join('..', '..', 'dist', command), link);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureInstalled();
  await build();
}
