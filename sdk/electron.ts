/**
 * `electron`: makes a function a task. Registers it where a runner finds it by name, and gives back the handle that adds nodes to a trace.
 * Not here: what a call inside a lattice does (trace.ts), how options are read (options.ts).
 */
import { registry, type ElectronEntry } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import { attachElectron, currentBuilder, type ElectronInfo } from './builder.ts';
import { definitionSite, errorSite, type CallSite } from './call-site.ts';
import { withLocalTask } from './context.ts';
import { nameOf } from './definition-name.ts';
import { checkHooks, notePackages } from './definition-checks.ts';
import { withHooks } from './hooks.ts';
import { withInputs } from './input-schemas.ts';
import { checkSchemas } from './schema-check.ts';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { trusted } from '../model/trusted.ts';
import type { Electron, ElectronFactory, ElectronOptions } from './types.ts';

type Fn = (...args: never[]) => unknown;
type Options = ElectronOptions & { readonly input?: readonly StandardSchemaV1[] };

/** A definition as the registry keeps it: `at` is computed when somebody reads it. */
class Entry implements ElectronEntry {
  readonly name: string;
  readonly fn: Fn;
  readonly file: string | undefined;
  readonly #site: CallSite;

  constructor(name: string, fn: Fn, site: CallSite) {
    this.name = name;
    this.fn = fn;
    this.file = site.file;
    this.#site = site;
  }

  get at(): string {
    return this.#site.at;
  }
}

function handleOf(info: ElectronInfo): Electron<readonly unknown[], unknown> {
  const handle = (...args: unknown[]): unknown => {
    const builder = currentBuilder();
    if (builder !== undefined) return builder.callElectron(info, args);
    throw new PolaronError(
      'OUTSIDE_LATTICE',
      `electron "${info.name}" was called outside a lattice (${errorSite().at}). Call it inside a lattice, or run it here with ${info.name}.local(...).`,
    );
  };
  attachElectron(handle, info);
  Object.defineProperty(handle, 'name', { value: info.name });
  return trusted(
    Object.assign(handle, {
      kind: 'electron',
      electronName: info.name,
      options: info.options,
      local: (...args: unknown[]): unknown =>
        withLocalTask(info.name, info.name, () => Reflect.apply(info.entry.fn, undefined, args)),
      with: (options: ElectronOptions): unknown => changed(info, options),
    }),
  );
}

/** Same code, other options; another name is another definition for the agents. */
function changed(info: ElectronInfo, options: ElectronOptions): unknown {
  const merged = Object.freeze({ ...info.options, ...options });
  notePackages(options);
  const name = options.name ?? info.name;
  const { before, after } = info.options;
  const hooked = merged.before !== before || merged.after !== after;
  if (name === info.name && !hooked) return handleOf({ ...info, options: merged });
  const site = definitionSite(merged.module);
  if (name === info.name) {
    throw new PolaronError(
      'USAGE',
      `electron "${name}" is given other hooks by with() (${site.at}): agents find an electron and its hooks by its name, so it needs a name of its own`,
      { help: `Write .with({ name: '${name}Hooked', before: [...] }), at the top level of a module.` },
    );
  }
  const entry = new Entry(
    nameOf('electron', name, info.run, site),
    hooked ? hookedOf(name, site, merged, info.run) : info.entry.fn,
    site,
  );
  registry().electrons.push(entry);
  return handleOf({ ...info, name, entry, options: merged });
}

/** Raises USAGE for wrong hooks. */
function hookedOf(name: string, site: CallSite, options: Options, run: Fn): Fn {
  if (options.before === undefined && options.after === undefined) return run;
  const where = (): string => `electron "${name}" (${site.at})`;
  checkHooks(where, options);
  return withHooks(where, options, run);
}

function define(options: Options, fn: unknown): unknown {
  const site = definitionSite(options.module);
  if (typeof fn !== 'function') {
    throw new PolaronError('USAGE', `electron() got ${typeof fn} where a function is expected (${site.at})`, {
      help: 'Call electron(fn) or electron(options, fn).',
    });
  }
  const plain = trusted<Fn>(fn);
  const name = nameOf('electron', options.name, plain, site);
  const { input, ...rest } = options;
  notePackages(options);
  const where = (): string => `electron "${name}" (${site.at})`;
  if (input !== undefined) checkSchemas(where, input);
  const run = input === undefined ? plain : withInputs(where, input, plain);
  const entry = new Entry(name, hookedOf(name, site, rest, run), site);
  registry().electrons.push(entry);
  return handleOf({ name, entry, run, options: Object.freeze(rest), schemas: input });
}

function makeFactory(defaults: Options): ElectronFactory {
  const make = (first: unknown, second?: unknown): unknown =>
    typeof first === 'object' && first !== null
      ? define({ ...defaults, ...trusted<Options>(first) }, second)
      : define(defaults, first);
  return trusted(
    Object.assign(make, {
      generic: (fn: unknown, options: ElectronOptions = {}): unknown => define({ ...defaults, ...options }, fn),
      defaults: (options: ElectronOptions): ElectronFactory => makeFactory({ ...defaults, ...options }),
    }),
  );
}

/**
 * Makes a function an electron: `electron(fn)` or `electron(options, fn)`.
 * Raises NO_NAME for a function without a name. Its calls raise OUTSIDE_LATTICE outside a lattice.
 */
export const electron: ElectronFactory = makeFactory({});
