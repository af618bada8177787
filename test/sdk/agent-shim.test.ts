/** What bundles import on agents: it halts instead of dispatching, stays small, and lacks no name. */
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { rolldown } from 'rolldown';
import { registry } from '../../bus/protocol/registry.ts';
import * as shim from '../../sdk/agent-shim.ts';
import * as sdk from '../../sdk/index.ts';

const file = new URL('../../sdk/agent-shim.ts', import.meta.url).pathname;

afterEach(() => {
  registry().agent = undefined;
});

test('it exports every name of the SDK', () => {
  expect(Object.keys(sdk).filter((name) => !(name in shim))).toEqual([]);
});

test('bundled, it is small and has no bus client, codec or tracer in it', async () => {
  const bundle = await rolldown({ input: file, platform: 'node' });
  const { output } = await bundle.generate({
    format: 'esm',
    minify: { compress: true, codegen: { removeWhitespace: true }, mangle: false },
  });
  const inside = output[0].moduleIds.map((id) => id.slice(join(file, '../..').length + 1));
  expect(inside.filter((id) => /node_modules|^bus\/(?!protocol\/registry)|trace|local\.ts|draw/.test(id))).toEqual([]);
  expect(output[0].code.length).toBeLessThan(26 * 1024);
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
    signal: new AbortController().signal,
    scratchDir: '/x',
    log: () => undefined,
    progress: () => undefined,
  };
  registry().agent = { onHalt: () => undefined, currentTask: () => task };
  expect(shim.context()).toBe(task);
});
