/**
 * Finds the executor that an agent is told to have: one that comes with Polaron, a file (TypeScript as well), or a package. A file is bundled with what it imports by path;
 * packages stay where they are, and `polaron/executor` is this package's own. Not here: what it does then (job-executor.ts).
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PolaronError } from '../../model/errors.ts';
import { builtIn, takeSettings } from '../built-in.ts';
import type { ExecutorFactory } from '../executor-ground.ts';
import { moduleFile } from '../program.ts';
import { isCustomExecutor, type CustomExecutor } from './definition.ts';
import { jobExecutor } from './job-executor.ts';

const OWN = 'polaron/executor';

/** What an agent is told to run electrons with. */
export interface ExecutorUse {
  /** One of Polaron's own, a file or a package. */
  readonly name: string;
  /** Of whoever runs the agent, for the executor. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** `from`: the folder that a path or package is looked up in. Raises EXECUTOR_INVALID. */
export async function loadExecutor(use: ExecutorUse, from: string): Promise<ExecutorFactory> {
  const { name, settings = {} } = use;
  const [given] = Object.keys(settings);
  if (given !== undefined && builtIn.has(name) && !takeSettings.has(name))
    throw invalid(name, `it takes no settings, and was given ${given}; options are said by electrons`);
  const make = await factoryOf(name, from);
  return (ground) => make({ ...ground, settings });
}

async function factoryOf(what: string, from: string): Promise<ExecutorFactory> {
  const own = builtIn.get(what);
  if (own !== undefined) return own;
  const isFile = isAbsolute(what) || what.startsWith('.') || /\.[cm]?[jt]s$/.test(what);
  const custom = isFile ? await fromFile(resolve(from, what)) : await fromPackage(what, from);
  if (builtIn.has(custom.name))
    throw invalid(what, `it is called "${custom.name}", as one of Polaron's own is; give it another name`);
  return jobExecutor(custom);
}

async function fromFile(file: string): Promise<CustomExecutor> {
  if (!existsSync(file)) throw invalid(file, 'there is no such file');
  const folder = mkdtempSync(join(tmpdir(), 'polaron-executor-'));
  try {
    const module = join(folder, 'executor.mjs');
    writeFileSync(module, await bundled(file));
    return await imported(file, pathToFileURL(module).href, dirname(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundled(file: string): Promise<string> {
  const { rolldown } = await import('rolldown');
  try {
    const bundle = await rolldown({
      input: file,
      platform: 'node',
      logLevel: 'silent',
      plugins: [
        {
          name: 'polaron-packages',
          async resolveId(source, importer) {
            if (importer === undefined || source.startsWith('.') || isAbsolute(source)) return null;
            if (source.startsWith('node:')) return { id: source, external: true };
            if (source === OWN) return { id: pathToFileURL(moduleFile('executors/index')).href, external: true };
            const found = await this.resolve(source, importer, { skipSelf: true });
            return found !== null && isAbsolute(found.id)
              ? { id: pathToFileURL(found.id).href, external: true }
              : { id: source, external: true };
          },
        },
      ],
    });
    const { output } = await bundle.generate({ format: 'esm', sourcemap: 'inline', codeSplitting: false });
    await bundle.close();
    return output[0].code;
  } catch (cause) {
    throw invalid(file, `it can't be read as a module: ${textOf(cause)}`, cause);
  }
}

async function fromPackage(name: string, from: string): Promise<CustomExecutor> {
  let file: string;
  try {
    file = createRequire(join(from, 'package.json')).resolve(name);
  } catch (cause) {
    // one without an entry for `require` may have one for `import`
    const found = isNotExported(cause) ? await importEntry(name, from) : undefined;
    if (found !== undefined) return imported(name, pathToFileURL(found).href);
    const known = [...builtIn.keys()].join(', ');
    const why = isNotExported(cause)
      ? `the package is installed in ${from}, and its "exports" have no entry for it`
      : `it is none of Polaron's own (${known}), no file, and no package installed in ${from}`;
    throw invalid(name, why, cause);
  }
  return imported(name, pathToFileURL(file).href);
}

const isNotExported = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';

/** What `import` of it gives in this folder: `import.meta.resolve` of Node.js takes no other folder than the module's own. */
async function importEntry(name: string, from: string): Promise<string | undefined> {
  const { rolldown } = await import('rolldown');
  let file: string | undefined;
  const bundle = await rolldown({
    input: name,
    platform: 'node',
    // Node's own, and not those of bundlers
    resolve: { conditionNames: ['node', 'import', 'default'] },
    logLevel: 'silent',
    plugins: [
      {
        name: 'polaron-import-entry',
        async resolveId(source, importer) {
          if (importer !== undefined) return null;
          const found = await this.resolve(source, join(from, 'agent.mjs'), { skipSelf: true });
          file = found?.id;
          return { id: source, external: false };
        },
        load: () => '',
      },
    ],
  });
  try {
    await bundle.generate();
  } finally {
    await bundle.close();
  }
  return file !== undefined && isAbsolute(file) ? file : undefined;
}

/** `folder`: of a file, which itself is loaded from elsewhere. */
async function imported(what: string, url: string, folder?: string): Promise<CustomExecutor> {
  let module: unknown;
  try {
    module = await import(url);
  } catch (cause) {
    const [, missing] = (folder !== undefined && /^Cannot find package '([^']+)'/.exec(textOf(cause))) || [];
    if (missing === undefined) throw invalid(what, `it can't be loaded: ${textOf(cause)}`, cause);
    throw invalid(what, `it imports ${missing}, which is not installed there`, cause, {
      help: `In ${folder}: npm install ${missing}`,
    });
  }
  // what a CommonJS module exports is the default, and may itself have one
  for (let found = module; ; ) {
    if (isCustomExecutor(found)) return found;
    if (typeof found !== 'object' || found === null || !('default' in found) || found.default === found) break;
    found = found.default;
  }
  throw invalid(what, 'its default export is not what defineExecutor gives');
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const invalid = (what: string, why: string, cause?: unknown, more: { readonly help?: string } = {}): PolaronError =>
  new PolaronError('EXECUTOR_INVALID', `executor ${JSON.stringify(what)}: ${why}`, { cause, ...more });
