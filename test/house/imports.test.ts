/** Import directions of architecture.md ("Folders, and who may import whom"), and no cycles, types included. */
import { describe, expect, it } from 'vitest';
import { type Import, importsOf, sourceFiles } from './sources.ts';

/** Folder → folders it may import from, itself aside. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  model: [],
  bus: ['model'],
  store: ['model'],
  actors: ['model', 'bus', 'store'],
  leptons: ['model', 'bus'],
  executors: ['model', 'bus', 'leptons'],
  sdk: ['model', 'bus', 'leptons'],
  host: ['model', 'bus', 'store', 'actors', 'executors', 'web'],
  cli: ['sdk', 'model', 'host'],
  testing: ['model', 'bus', 'store', 'executors', 'sdk', 'host'],
  web: ['sdk', 'model'],
};
const layers = Object.keys(allowed);
/** Folders that use the package as its users do. */
const outside = ['examples', 'bench'];
const folderOf = (path: string): string => path.split('/')[0] ?? '';

const files = sourceFiles();
const graph = new Map<string, Import[]>(files.map((path) => [path, importsOf(path)]));

/** What is wrong with one import, or undefined. */
function complaint(path: string, { target, typeOnly, specifier }: Import): string | undefined {
  const from = folderOf(path);
  if (outside.includes(from)) {
    const reaches = target !== undefined && layers.includes(folderOf(target));
    return reaches ? `${from}/ uses the package by its name, not ${specifier}` : undefined;
  }
  const may = allowed[from];
  if (may === undefined) return undefined;
  if (target === undefined) return specifier === 'polaron' ? 'inside the repository import the file' : undefined;
  const to = folderOf(target);
  if (to === from) return actorComplaint(path, target);
  if (!layers.includes(to)) return target.endsWith('package.json') ? undefined : `${from}/ may not import ${target}`;
  // The command line speaks the wire's words: their shapes, not the transport.
  if (from === 'cli' && target.startsWith('bus/protocol/')) return undefined;
  if (!may.includes(to)) return `${from}/ may not import from ${to}/`;
  const contract = ['store/store.ts', 'store/records.ts'].includes(target);
  return from === 'actors' && to === 'store' && !typeOnly && !contract
    ? 'actors/ know the contract and the records of store/, no adapter'
    : undefined;
}

/** Two actors never import each other: they share bus/protocol. The actor system is for all of them. */
function actorComplaint(path: string, target: string): string | undefined {
  const [from, one, ...rest] = path.split('/');
  const [, other, ...others] = target.split('/');
  if (from !== 'actors' || rest.length === 0 || others.length === 0) return undefined;
  return one === other || other === 'system' ? undefined : `the actor ${one} may not import the actor ${other}`;
}

/** One cycle as a path of files, or undefined. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    const at = path.indexOf(file);
    if (at !== -1) return [...path.slice(at), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe('imports', () => {
  it('run one way', () => {
    const wrong = files.flatMap((path) =>
      (graph.get(path) ?? []).flatMap((one) => {
        const text = complaint(path, one);
        return text === undefined ? [] : [`${path}:${one.line} ${text}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('have no cycle, types included', () => {
    const edges = new Map(files.map((path) => [path, (graph.get(path) ?? []).flatMap((one) => one.target ?? [])]));
    expect(findCycle(edges)).toBeUndefined();
  });

  it('are relative with their extension, and name an existing file', () => {
    const known = new Set(files);
    const missing = files.flatMap((path) =>
      (graph.get(path) ?? []).flatMap(({ target, line }) =>
        target === undefined || known.has(target) || /\.(json|mjs)$/.test(target) ? [] : [`${path}:${line} ${target}`],
      ),
    );
    expect(missing).toEqual([]);
  });

  it.each(['sdk/index.ts', 'testing/index.ts'])(
    'of %s load no package: bundler, bus, store and native parts come when they are used',
    (entry) => {
      const seen = new Set<string>();
      const packages = new Set<string>();
      const load = (path: string): void => {
        seen.add(path);
        for (const { specifier, target, typeOnly, call } of graph.get(path) ?? []) {
          if (typeOnly || call) continue;
          if (target === undefined) packages.add(specifier);
          else if (!seen.has(target)) load(target);
        }
      };
      load(entry);
      expect(seen).toContain('model/error-table.ts');
      expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual([]);
    },
  );

  it('are all seen by the scanner, and a comment or a string is none', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { B } from './b.ts';",
      "import './c.ts';",
      "export { d } from './d.ts';",
      "export * from './e.ts';",
      "type F = import('./f.ts').F;",
      "const g = await import('./g.ts');",
      "import {\n  h,\n  type I,\n} from './h.ts';",
      "// import './no.ts';",
      "/* import './no.ts'; */",
      "const text = `import './no.ts'`;",
    ].join('\n');
    const seen = importsOf('model/x.ts', text).map(({ target }) => target);
    expect(new Set(seen)).toEqual(new Set(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `model/${name}.ts`)));
    expect(
      findCycle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b']);
    expect(
      complaint('model/x.ts', {
        specifier: '../bus/bus.ts',
        target: 'bus/bus.ts',
        typeOnly: true,
        call: false,
        line: 1,
      }),
    ).toMatch('may not import from bus/');
  });
});
