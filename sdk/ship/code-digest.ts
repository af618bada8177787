/**
 * A digest of each electron's own code: of its function and of what this reaches in the bundle, so that a change elsewhere leaves it as it is. See docs/adr/020.
 * Not here: options and captured variables that belong to the code as well.
 *
 * K1. What the function names, and what that names, is its code, as far as it is the user's; packages are one unit, the SDK isn't code.
 * K2. What changes something reached is code, too: an assignment anywhere, a call with it while its module is evaluated, and, when it is data, a method that may
 *     change it in any function. What changes something global is everybody's code.
 * K3. Where the function can't be told (made by a factory, inside another function, under a computed name) or can't be followed (`eval`), its code is the whole bundle.
 */
import { DRAWING, HOOKING } from '../../model/graph.ts';
import type { Digest } from '../../model/ids.ts';
import { child, children, isFunctionNode, list, text, type AstNode } from './ast.ts';
import { sha256 } from './bundle-cache.ts';
import { calledName, itemsOf, type Item } from './code-items.ts';
import { blockNames, freeNames } from './free-names.ts';

/** One module as the bundler rendered it: names are unique in the bundle, comments are gone. */
export interface RenderedModule {
  readonly code: string;
  readonly from: 'user' | 'sdk' | 'package';
}

export interface CodeInput {
  readonly modules: readonly RenderedModule[];
  /** The imports that stay: `import fs from "node:fs"`. */
  readonly imports: string;
  /** Of the whole bundle. */
  readonly codeDigest: Digest;
}

interface Root {
  /** Of the function, and of who else takes part in making the electron. */
  readonly names: ReadonlySet<string>;
  readonly text: string;
}

type Parse = (source: string) => AstNode;

/** By the electrons' names. */
export function codeDigests(names: readonly string[], input: CodeInput, parse: Parse): ReadonlyMap<string, Digest> {
  const code = new BundleCode(input, parse);
  return new Map(names.map((name) => [name, code.digestOf(name)]));
}

class BundleCode {
  readonly #items: readonly Item[];
  readonly #declared = new Map<string, Item>();
  readonly #sdk = new Set<string>();
  readonly #imported = new Map<string, string>();
  readonly #packages: string;
  readonly #roots = new Map<string, Root | 'unclear'>();
  readonly #whole: Digest;

  constructor({ modules, imports, codeDigest }: CodeInput, parse: Parse) {
    this.#whole = codeDigest;
    const of = (from: RenderedModule['from']): string[] =>
      modules.filter((one) => one.from === from).map(({ code }) => code);
    for (const source of of('sdk')) for (const name of blockNames(list(parse(source), 'body'))) this.#sdk.add(name);
    this.#packages = sha256(of('package').join('\n'));
    for (const statement of list(parse(imports), 'body'))
      for (const specifier of list(statement, 'specifiers')) {
        const local = text(child(specifier, 'local'), 'name');
        if (local !== undefined) this.#imported.set(local, imports.slice(statement.start, statement.end));
      }
    this.#items = of('user').flatMap((source) =>
      itemsOf(parse(source), source, (name) => this.#sdk.has(name) && !name.startsWith('registerCodec')),
    );
    for (const item of this.#items) for (const name of item.declares) this.#declared.set(name, item);
    for (const item of this.#items) this.#findRoots(item);
  }

  digestOf(name: string): Digest {
    const root = this.#roots.get(name);
    if (root === undefined || root === 'unclear') return this.#whole;
    const reach = this.#reach(root.names);
    if (reach === undefined) return this.#whole;
    return sha256([root.text, ...reach].join('\n\0'));
  }

  /** Texts of what is reached, in the bundle's order; undefined when it can't be followed. */
  #reach(from: ReadonlySet<string>): string[] | undefined {
    const names = new Set<string>();
    const items = new Set<Item>();
    const others = new Set<string>();
    const take = (wanted: Iterable<string>): void => {
      const left = [...wanted];
      for (let name = left.pop(); name !== undefined; name = left.pop()) {
        if (names.has(name) || this.#sdk.has(name)) continue;
        names.add(name);
        const item = this.#declared.get(name);
        if (item === undefined) others.add(this.#imported.get(name) ?? (name in globalThis ? '' : this.#packages));
        else if (!items.has(item)) {
          items.add(item);
          left.push(...item.uses, ...item.declares);
        }
      }
    };
    take(from);
    for (let before = -1; before !== items.size; ) {
      before = items.size;
      for (const item of this.#items) {
        if (items.has(item) || !this.#changes(item, names)) continue;
        items.add(item);
        take([...item.uses, ...item.declares]);
      }
    }
    if (names.has('eval')) return undefined;
    return [...[...others].sort(), ...this.#items.filter((item) => items.has(item)).map((item) => item.text)];
  }

  /** K2. */
  #changes(item: Item, names: ReadonlySet<string>): boolean {
    const isGlobal = (name: string): boolean => !this.#declared.has(name) && name in globalThis && name !== 'console';
    for (const name of item.assigns) if (names.has(name) || isGlobal(name)) return true;
    for (const name of item.handles) if (names.has(name) && !isGlobal(name)) return true;
    for (const name of item.handlesLater) if (names.has(name) && this.#declared.get(name)?.isData === true) return true;
    return false;
  }

  #findRoots(item: Item): void {
    const visit = (node: AstNode, nested: boolean): void => {
      if (node.type === 'CallExpression') this.#rootOf(node, item, nested);
      for (const part of children(node)) visit(part, nested || isFunctionNode(node));
    };
    visit(item.node, false);
  }

  /** `electron(function f() {})`, `electron({ name: 'f' }, () => 1)`, `ours(function f() {})`. */
  #rootOf(call: AstNode, item: Item, nested: boolean): void {
    const parts = list(call, 'arguments');
    const fn = parts.find((part) => isFunctionNode(part) || this.#isFunction(part));
    const callee = child(call, 'callee');
    if (fn === undefined || callee === undefined || calledName(call) === undefined) return;
    const name = nameIn(parts) ?? text(child(fn, 'id') ?? fn, 'name');
    if (name === undefined) return;
    const options = parts.filter((part) => part !== fn);
    const set = (what: string, code: readonly AstNode[]): void => {
      const made: Root = {
        text: code
          .map(({ start, end }) => item.text.slice(start - item.node.start, end - item.node.start))
          .join('\n\0'),
        names: new Set([callee, ...code].flatMap((part) => [...freeNames(part)])),
      };
      this.#roots.set(what, nested || this.#roots.has(what) ? 'unclear' : made);
    };
    set(name, [fn, ...options.flatMap(codeInOptions)]);
    // all options of a lattice are part of what it draws
    set(`${DRAWING}${name}`, [fn, ...options]);
    const hooks = options.flatMap(codeInDefaults);
    if (hooks.length > 0) set(`${HOOKING}${name}`, hooks);
  }

  /** The name of a declared function. */
  #isFunction(node: AstNode): boolean {
    const name = node.type === 'Identifier' ? text(node, 'name') : undefined;
    return name !== undefined && this.#declared.get(name)?.node.type === 'FunctionDeclaration';
  }
}

/** Options that travel with the graph: whether they matter to the value is the hub's business (bus/reuse-key.ts). */
const PLAIN = new Set(
  'name needs concurrency exclusive executor retries timeout memoryMb isolation deps env module cache'.split(' '),
);

/** Hooks, schemas, and what can't be told: `electron({ before: [{ run: fetch }] }, …)`, `electron(options, …)`. */
function codeInOptions(part: AstNode): readonly AstNode[] {
  if (part.type !== 'ObjectExpression') return [part];
  return list(part, 'properties').filter((property) => {
    const key = text(child(property, 'key'), 'name');
    return property['computed'] === true || key === undefined || !PLAIN.has(key);
  });
}

/** Hooks among a lattice's defaults, and what can't be told: `lattice({ electrons: { before: [{ run: fetch }] } }, …)`. */
function codeInDefaults(part: AstNode): readonly AstNode[] {
  if (part.type !== 'ObjectExpression') return [part];
  return list(part, 'properties').flatMap((property) => {
    const key = text(child(property, 'key'), 'name');
    if (property['computed'] === true || key === undefined) return [property];
    const value = child(property, 'value');
    return key === 'electrons' && value !== undefined ? codeInOptions(value) : [];
  });
}

function nameIn(parts: readonly AstNode[]): string | undefined {
  for (const part of parts) {
    if (part.type !== 'ObjectExpression') continue;
    for (const property of list(part, 'properties'))
      if (text(child(property, 'key'), 'name') === 'name') return text(child(property, 'value'), 'value') ?? '';
  }
  return undefined;
}
