/**
 * Sending a function as its own text, for electrons that no module defines at load: in a REPL, under `node -e`, inside a test's `it()`.
 * Only for functions that use nothing from outside but what every Node process has. Not here: modules (build.ts).
 */
import { innermost } from '../../bus/protocol/registry.ts';
import { freeNames } from './free-names.ts';
import { isFunctionNode, child, list, type AstNode } from './ast.ts';
import type { ShippedElectron } from './shipped.ts';

/** A function's text as an expression, or why it can't be one. */
export type InlineText =
  | { readonly ok: true; readonly expression: string; readonly shims: readonly string[] }
  | { readonly ok: false; readonly uses: readonly string[]; readonly reason?: string };

/** Parses a script; throws on a syntax error. */
export type Parse = (source: string) => AstNode;

/** What a Node process offers under these names; taken from a list because a REPL and `node -e` put the user's own names on globalThis. */
const GLOBALS = new Set(
  (
    'globalThis Infinity NaN undefined eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape ' +
    'Object Function Boolean Symbol Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError Number BigInt Math Date ' +
    'String RegExp Array Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array Float32Array ' +
    'Float64Array Map Set WeakMap WeakSet WeakRef FinalizationRegistry ArrayBuffer SharedArrayBuffer DataView Atomics JSON Promise Proxy Reflect Intl ' +
    'Iterator WebAssembly console process Buffer global setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate queueMicrotask ' +
    'structuredClone atob btoa fetch FormData Headers Request Response URL URLSearchParams AbortController AbortSignal Event EventTarget TextEncoder ' +
    'TextDecoder TextEncoderStream TextDecoderStream ReadableStream WritableStream TransformStream CompressionStream DecompressionStream Blob File ' +
    'MessageChannel MessagePort BroadcastChannel DOMException performance crypto Crypto CryptoKey SubtleCrypto WebSocket'
  ).split(' '),
);

/** Names that a runner puts into a function's text, and what they mean on an agent. */
const SHIMS: Readonly<Record<string, string>> = {
  __name: 'const __name = (value) => value;',
  __vite_ssr_dynamic_import__: 'const __vite_ssr_dynamic_import__ = (id) => import(id);',
  __vi_dynamic_import__: 'const __vi_dynamic_import__ = (id) => import(id);',
  require:
    'import { createRequire as polaronCreateRequire } from "node:module";\nconst require = polaronCreateRequire(import.meta.url);',
};
const IMPORTED = /^__(?:vite_ssr|vi)_import_\d+__$/;

function parseFunction(
  source: string,
  parse: Parse,
): { readonly node: AstNode; readonly expression: string } | undefined {
  // A method's text (`f(x) {...}`, `async f() {...}`) only parses inside an object.
  for (const expression of [`(${source})`, `Object.values({${source}})[0]`]) {
    try {
      const [statement] = list(parse(expression), 'body');
      const outer = statement === undefined ? undefined : child(statement, 'expression');
      const node = outer === undefined ? undefined : findFunction(outer);
      if (node !== undefined) return { node, expression };
    } catch {
      // Not this form.
    }
  }
  return undefined;
}

function findFunction(node: AstNode): AstNode | undefined {
  if (isFunctionNode(node)) return node;
  if (node.type === 'ParenthesizedExpression') {
    const within = child(node, 'expression');
    return within === undefined ? undefined : findFunction(within);
  }
  const object = child(node, 'object');
  const [values] = object === undefined ? [] : list(object, 'arguments');
  const [property] = values === undefined ? [] : list(values, 'properties');
  const value = property === undefined || property['computed'] === true ? undefined : child(property, 'value');
  return value !== undefined && isFunctionNode(value) ? value : undefined;
}

/** What vitest calls `__vite_ssr_import_1__.helper`, the author called `helper`. */
function authorsNames(name: string, source: string): string[] {
  if (!IMPORTED.test(name)) return [name];
  const members = [...source.matchAll(new RegExp(`${name}\\.([\\w$]+)`, 'g'))].map((match) => match[1] ?? name);
  return members.length === 0 ? ['an import'] : members;
}

/** Can this function be sent on its own? */
export function inlineText(fn: ShippedElectron['fn'], parse: Parse): InlineText {
  if (innermost(fn) !== fn)
    return { ok: false, uses: [], reason: 'its hooks or input schemas are defined outside of it' };
  const source = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}$/.test(source))
    return { ok: false, uses: [], reason: 'it is a native or bound function' };
  const parsed = parseFunction(source, parse);
  if (parsed === undefined) return { ok: false, uses: [], reason: 'its text is not that of a plain function' };
  const free = freeNames(parsed.node);
  const uses = [...free].filter((name) => !GLOBALS.has(name) && !Object.hasOwn(SHIMS, name));
  if (uses.length > 0) return { ok: false, uses: [...new Set(uses.flatMap((name) => authorsNames(name, source)))] };
  return { ok: true, expression: parsed.expression, shims: [...free].filter((name) => Object.hasOwn(SHIMS, name)) };
}

/** One function of the inline module. */
export interface InlinePart {
  readonly electron: ShippedElectron;
  readonly text: InlineText;
}

/**
 * The module that offers these functions to the loader (executors/runner/loader.ts), under `Symbol.for('polaron.inline.v1')`: name → `{ fn }` or `{ uses }`.
 * The loader takes from it only what no module registered, and leptons.
 */
export function inlineModule(parts: readonly InlinePart[]): string {
  const shims = new Set(parts.flatMap(({ text }) => (text.ok ? text.shims : [])));
  return [
    ...[...shims].map((name) => SHIMS[name] ?? ''),
    "const inline = (globalThis[Symbol.for('polaron.inline.v1')] ??= new Map());",
    ...parts.map(({ electron, text }) => {
      const what = text.ok
        ? `{ fn: ${text.expression}${electron.text === undefined ? '' : ', lepton: true'} }`
        : `{ uses: ${JSON.stringify(text.uses)}${text.reason === undefined ? '' : `, reason: ${JSON.stringify(text.reason)}`} }`;
      return `inline.set(${JSON.stringify(electron.name)}, ${what});`;
    }),
    '',
  ].join('\n');
}
