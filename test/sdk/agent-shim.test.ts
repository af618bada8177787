/** What bundles import on agents: it halts instead of dispatching, stays small, and lacks no name. */
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { registry } from '../../bus/protocol/registry.ts';
import { errorTable, isErrorCode, remedyOf } from '../../model/error-table.ts';
import * as shim from '../../sdk/agent-shim.ts';
import * as sdk from '../../sdk/index.ts';
import { load, project, removeProjects, ship, shipped } from './ship-support.ts';

afterAll(removeProjects);

afterEach(() => {
  registry().agent = undefined;
});

test('it exports every name of the SDK', () => {
  expect(Object.keys(sdk).filter((name) => !(name in shim))).toEqual([]);
});

async function bundleOf(source: string): Promise<{ readonly code: string; readonly sdkFiles: readonly string[] }> {
  const folder = project({ 'a.ts': source });
  const { code, map } = await ship(folder, [shipped('step', join(folder, 'a.ts'))]);
  const { sources }: { readonly sources: readonly string[] } = JSON.parse(Buffer.from(map ?? []).toString());
  const ours = 'polaron:///node_modules/polaron/';
  return {
    code: Buffer.from(code).toString(),
    sdkFiles: sources.flatMap((name) => (name.startsWith(ours) ? [name.slice(ours.length)] : [])),
  };
}
const EVERYTHING = `import * as polaron from 'polaron'; export const step = polaron.electron(function step() { return Object.keys(polaron); });`;

test('with an electron that does nothing it is small, its source map included', async () => {
  const { code } = await bundleOf(
    `import { electron } from 'polaron'; export const step = electron(function step() {});`,
  );
  expect(code.length).toBeLessThan(16 * 1024);
});

test('it has no bus client, value codec, tracer or table of all errors in it, even for a module that takes all names', async () => {
  const { code, sdkFiles } = await bundleOf(EVERYTHING);
  expect(sdkFiles).toContain('sdk/context.ts');
  expect(
    sdkFiles.filter((name) =>
      /^bus\/(?!protocol\/registry)|trace|local\.ts|sdk\/local-log|draw|sdk\/call-site|error-table/.test(name),
    ),
  ).toEqual([]);
  expect(code.length).toBeLessThan(21 * 1024);
});

test('it has the remedy of every error that it can raise', async () => {
  const { code } = await bundleOf(EVERYTHING);
  const codes = Object.keys(errorTable).filter(isErrorCode);
  // a code that is retryable stands in a list of them, too
  const raised = codes.filter((name) => new RegExp(`PolaronError\\(\`${name}\`|super\\(\`${name}\``).test(code));
  expect(raised).toContain('NO_NAME');
  expect(raised.filter((name) => !code.includes(remedyOf(name)))).toEqual([]);
});

test('an error on an agent names the line of the author, and says what to do', async () => {
  const folder = project({
    'a.ts': `import { context, electron } from 'polaron';
export const step = electron(function step() {
  try {
    context();
  } catch (error) {
    return [error.code, error.retryable, error.help, error.message];
  }
});`,
  });
  const { code } = await ship(folder, [shipped('step', join(folder, 'a.ts'))]);
  const { results } = await load({ bundle: code, calls: [['step']] });
  expect(results).toEqual([
    {
      value: [
        'OUTSIDE_ELECTRON',
        false,
        'Call it inside the function of an electron, while that runs.',
        'context() was called outside a running electron (a.ts:4)',
      ],
    },
  ]);
});

test('definitions are registered, with the function that a runner calls', () => {
  const before = registry().electrons.length;
  shim.electron(function twice(n: number) {
    return 2 * n;
  });
  const entry = registry().electrons[before];
  expect(entry?.name).toBe('twice');
  expect(Reflect.apply(entry?.fn ?? (() => 0), undefined, [4])).toBe(8);
  const drawn = shim.lattice({ name: 'l' }, () => 1);
  expect([drawn.latticeName, drawn.draw('mermaid'), drawn.graph()]).toEqual([
    'l',
    '',
    { nodes: [], output: undefined },
  ]);
  expect(shim.onAgent).toBe(true);
});

test('whatever would talk to a hub halts the loading and never settles', async () => {
  const halted: string[] = [];
  registry().agent = { onHalt: (what) => halted.push(what), currentTask: () => undefined };
  const pending: Promise<unknown>[] = [
    shim.dispatch()(),
    shim.dispatchSync()(),
    shim.redispatch()(),
    shim.getResult(),
    shim.getValue(),
    shim.cancel(),
    shim.connect(),
    shim.lattice({ name: 'l' }, () => 1).local(),
    shim.watch()[Symbol.asyncIterator]().next(),
  ];
  const settled = await Promise.race([
    ...pending.map((p) =>
      p.then(
        () => 'settled',
        () => 'rejected',
      ),
    ),
    new Promise((resolve) => setImmediate(resolve, 'pending')),
  ]);
  expect(settled).toBe('pending');
  expect(halted).toEqual([
    'dispatch',
    'dispatchSync',
    'redispatch',
    'getResult',
    'getValue',
    'cancel',
    'connect',
    'local',
    'watch',
  ]);
});

test("context() is the runner's", () => {
  const task = {
    dispatchId: 'd',
    nodeId: 'n',
    attempt: 2,
    electronName: 'e',
    latticeName: 'l',
    user: 'u',
    metadata: {},
    signal: new AbortController().signal,
    scratchDir: '/x',
    injected: {},
    log: () => undefined,
    progress: () => undefined,
  };
  registry().agent = { onHalt: () => undefined, currentTask: () => task };
  expect(shim.context()).toBe(task);
});
