/**
 * The capture check: which primitive outer variables an electron reads, and their values here. The user's process sends its own, the runner compares.
 * It finds values that came out different when the module was evaluated again; being incomplete is harmless (objects, helpers' captures are not looked at).
 *
 * C1. The in-process inspector only evaluates and lists properties; no debugger domain is enabled, so a user's own debugger and breakpoints are not touched,
 *     and the session lives only within one synchronous call.
 * C2. A function is read once; what its variables held then counts (a later change of a `let` is not seen).
 * C3. Undefined is skipped: a variable that is not initialised yet looks like that.
 */
import { createHash } from 'node:crypto';
import { isMainThread, threadId } from 'node:worker_threads';
import { mentions } from './mentions.ts';
import { innermost } from './protocol/registry.ts';

export type CapturedValue = string | number | boolean | null;
export type Captures = Readonly<Record<string, CapturedValue>>;
type Fn = (...args: never[]) => unknown;

const KEY = Symbol.for('polaron.capture.v1');
const MAX_TEXT = 1_024;
/** Known to differ on an agent, or made by a module system. */
const IGNORED = new Set(['onAgent', '__filename', '__dirname']);

const known = new WeakMap<Fn, Captures>();

/** As sent: long text as its hash, a bigint as text. Undefined: not a primitive that is compared. */
function captured(value: unknown): CapturedValue | undefined {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return `${value}n`.length <= MAX_TEXT ? `${value}n` : hashed(`${value}n`);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string') return value.length <= MAX_TEXT ? value : hashed(value);
  return undefined;
}

const hashed = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')} (${text.length} characters)`;

interface Scope {
  readonly description: unknown;
  readonly object: object;
}
const isScope = (x: unknown): x is Scope =>
  typeof x === 'object' &&
  x !== null &&
  'description' in x &&
  'object' in x &&
  typeof x.object === 'object' &&
  x.object !== null;

/** The inner scope wins; the global object is left out. */
function pick(scopes: object, wanted: ReadonlySet<string>): Captures {
  const found: Record<string, CapturedValue> = {};
  const seen = new Set<string>();
  for (const scope of Object.values(scopes)) {
    if (!isScope(scope) || String(scope.description).startsWith('Global')) continue;
    for (const name of wanted) {
      if (seen.has(name) || !Object.hasOwn(scope.object, name)) continue;
      seen.add(name);
      const value = captured(readSafely(scope.object, name));
      if (value !== undefined) found[name] = value;
    }
  }
  return found;
}

function readSafely(scope: object, name: string): unknown {
  try {
    return Reflect.get(scope, name);
  } catch {
    return undefined;
  }
}

/** In the bundle a name that two modules use gets a suffix: `N$1`. */
export function wantedNames(fn: Fn): Set<string> {
  const names = mentions(Function.prototype.toString.call(innermost(fn)));
  for (const name of IGNORED) names.delete(name);
  return names;
}

/**
 * Captured primitives per name. Cached per function. A process without an inspector, or in another `vm` context, finds none.
 * 1 ms the first time, some 0.1 ms a function later.
 */
export async function readCaptures(
  fns: ReadonlyMap<string, Fn>,
): Promise<Record<string, Record<string, CapturedValue>>> {
  const fresh = new Set([...fns.values()].filter((fn) => !known.has(fn)));
  if (fresh.size > 0) await inspect([...fresh]);
  const all: Record<string, Record<string, CapturedValue>> = {};
  for (const [name, fn] of fns) add(all, name, known.get(fn));
  return all;
}

/** The same without waiting; undefined when one of them was not read yet. */
export function knownCaptures(
  electrons: readonly { readonly name: string; readonly fn: Fn }[],
): Record<string, Record<string, CapturedValue>> | undefined {
  const all: Record<string, Record<string, CapturedValue>> = {};
  for (const { name, fn } of electrons) {
    const values = known.get(fn);
    if (values === undefined) return undefined;
    add(all, name, values);
  }
  return all;
}

function add(all: Record<string, Record<string, CapturedValue>>, name: string, values: Captures | undefined): void {
  if (values !== undefined && Object.keys(values).length > 0) all[name] = { ...values };
}

async function inspect(fns: readonly Fn[]): Promise<void> {
  const wanted = fns.map(wantedNames);
  fns.forEach((fn, at) => {
    if (wanted[at]?.size === 0) known.set(fn, {});
  });
  const read = fns.flatMap((fn, at) => (known.has(fn) ? [] : [{ fn, names: wanted[at] ?? new Set<string>() }]));
  if (read.length === 0) return;
  const inspector = await import('node:inspector').catch(() => undefined);
  if (inspector === undefined) return;
  const session = new inspector.Session();
  try {
    session.connect();
    Reflect.set(globalThis, KEY, {
      fns: read.map(({ fn }) => innermost(fn)),
      take: (at: number, scopes: object) => {
        const one = read[at];
        if (one !== undefined) known.set(one.fn, pick(scopes, one.names));
      },
    });
    for (const [at] of read.entries()) readScopes(session, at);
  } catch {
    // No inspector here (a policy, another vm context): nothing is compared.
  } finally {
    Reflect.deleteProperty(globalThis, KEY);
    session.disconnect();
  }
}

type InspectorSession = import('node:inspector').Session;
const HOLDER = `globalThis[Symbol.for('polaron.capture.v1')]`;

/** `post` calls back before it returns, since the session is of this very thread. */
function readScopes(session: InspectorSession, at: number): void {
  let fnId: string | undefined;
  session.post('Runtime.evaluate', { expression: `${HOLDER}.fns[${at}]`, silent: true }, (_error, reply) => {
    fnId = reply?.result.objectId;
  });
  if (fnId === undefined) return;
  let scopesId: string | undefined;
  session.post('Runtime.getProperties', { objectId: fnId, ownProperties: true }, (_error, reply) => {
    scopesId = reply?.internalProperties?.find(({ name }) => name === '[[Scopes]]')?.value?.objectId;
  });
  if (scopesId === undefined) return;
  session.post('Runtime.callFunctionOn', {
    objectId: scopesId,
    functionDeclaration: `function (at) { ${HOLDER}.take(at, this); }`,
    arguments: [{ value: at }],
    silent: true,
  });
}

export interface CaptureDifference {
  readonly name: string;
  readonly there: unknown;
  readonly here: CapturedValue;
  readonly message: string;
}

const shown = (value: unknown): string => {
  const text =
    typeof value === 'string'
      ? /^-?\d+n$/.test(value) || value.startsWith('sha256:')
        ? value
        : `'${value}'`
      : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

/**
 * The first variable that differs: `sent` from the user's process, `here` on the agent. A variable that only one side shows is no difference
 * (a bundler may have replaced it by its value).
 */
export function compareCaptures(
  electron: string,
  sent: Readonly<Record<string, unknown>>,
  here: Captures,
): CaptureDifference | undefined {
  for (const [name, there] of Object.entries(sent)) {
    const found = Object.hasOwn(here, name) ? here[name] : renamed(name, here);
    if (found === undefined || found === there || !isComparable(there) || isOfThread(name, found)) continue;
    return {
      name,
      there,
      here: found,
      message:
        `electron '${electron}' reads ${name}, which was ${shown(there)} in your process and is ${shown(found)} on the agent. ` +
        `Its module is evaluated again there: argv, env, files, time and random values differ. Pass ${name} as an argument.`,
    };
  }
  return undefined;
}

/** What `node:worker_threads` exports under this name: who asks it wants to know it of the place where he is. */
const isOfThread = (name: string, value: CapturedValue): boolean =>
  (name === 'isMainThread' && value === isMainThread) || (name === 'threadId' && value === threadId);

const isComparable = (value: unknown): boolean =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** The bundler gave it a suffix because another module has that name too; more than one candidate is no answer. */
function renamed(name: string, here: Captures): CapturedValue | undefined {
  const candidates = Object.keys(here).filter(
    (other) => other.startsWith(`${name}$`) && /^\d+$/.test(other.slice(name.length + 1)),
  );
  const [only] = candidates;
  return candidates.length === 1 && only !== undefined ? here[only] : undefined;
}
