/** The ways in which people write scripts (code-shipping.md §1.3): each is bundled and loaded for real. */
import { afterAll, describe, expect, it } from 'vitest';
import { load, removeProjects, shipAndLoad } from '../sdk/ship-support.ts';

afterAll(removeProjects);

const HEAD = "import { electron, lattice, dispatch, dispatchSync } from 'polaron';\n";

describe('scripts that load', () => {
  it('a single file that dispatches at its top level, with try/catch and process.exit, halts there unseen', async () => {
    const report = await shipAndLoad(
      {
        'train.ts': `${HEAD}
          const train = electron(async function trainSvm(c: number): Promise<number> { return c * 2; });
          const flow = lattice(function flow(c: number) { return train(c); });
          try {
            console.log('dispatching');
            await dispatch(flow)(3);
            console.log('never reached');
          } catch (error) { console.error(error); process.exit(1); }
          process.exit(0);`,
      },
      [['trainSvm', 'train.ts']],
      { calls: [['trainSvm', 21]] },
    );
    expect(report).toMatchObject({
      haltedAt: 'dispatch()',
      errors: [],
      results: [{ value: 42 }],
      output: 'dispatching\n',
    });
  });

  it('electrons of other modules leave the script itself out of the bundle', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `import { step } from './steps.ts'; throw new Error('main was evaluated'); void step;`,
        'steps.ts': `${HEAD}import { twice } from './math.ts'; export const step = electron(function step(x: number) { return twice(x); });`,
        'math.ts': `export const twice = (x: number): number => x * 2;`,
      },
      [['step', 'steps.ts']],
      { calls: [['step', 4]] },
    );
    expect(report).toMatchObject({ errors: [], results: [{ value: 8 }] });
  });

  it('wrapper factories, electron.defaults and electrons made in a loop', async () => {
    const report = await shipAndLoad(
      {
        'gpu.ts': `${HEAD}export const gpu = (fn: (...a: any[]) => unknown) => electron({ executor: 'gpu' }, fn);`,
        'steps.ts': `${HEAD}import { gpu } from './gpu.ts';
          export const wrapped = gpu(function wrapped(x: number) { return x + 1; });
          const slow = electron.defaults({ timeout: '1h' });
          export const defaulted = slow(function defaulted(x: number) { return x + 2; });
          export const made = [1, 2, 3].map((n) => electron({ name: \`gen\${n}\` }, (x: number) => x * n));`,
      },
      [
        ['wrapped', 'steps.ts'],
        ['defaulted', 'steps.ts'],
        ['gen1', 'steps.ts'],
        ['gen3', 'steps.ts'],
      ],
      {
        calls: [
          ['wrapped', 1],
          ['defaulted', 1],
          ['gen1', 5],
          ['gen3', 5],
        ],
      },
    );
    expect(report.errors).toEqual([]);
    expect(report.results.map(({ value }) => value)).toEqual([2, 3, 5, 15]);
  });

  it('a CommonJS script with a require.main guard', async () => {
    const report = await shipAndLoad(
      {
        'script.cjs': `const { electron, dispatch, lattice } = require('polaron'); const path = require('path');
          const { offset } = require('./offset.cjs');
          let optional; try { optional = require('not-installed-anywhere'); } catch { optional = 'none'; }
          const step = electron(function step(x) { return path.join(optional, String(x + offset)); });
          module.exports = { step };
          if (require.main === module) { console.log('main ran'); dispatch(lattice(function f() { return step(1); }))(); }`,
        'offset.cjs': `exports.offset = 10;`,
      },
      [['step', 'script.cjs']],
      { calls: [['step', 1]] },
    );
    expect(report).toMatchObject({ errors: [], results: [{ value: 'none/11' }], output: '' });
    expect(report.haltedAt).toBeUndefined();
  });

  it('an unguarded main() that awaits on its way to dispatch() runs up to there', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}import { setTimeout as sleep } from 'node:timers/promises';
          async function main() {
            await sleep(30);
            const factor = 3;
            const step = electron(function insideMain(x: number) { return x * factor; });
            await dispatch(lattice(function f(x: number) { return step(x); }))(1);
            throw new Error('after dispatch');
          }
          main().catch((error) => { console.error(error); process.exit(1); });`,
      },
      [['insideMain', 'main.ts']],
      { calls: [['insideMain', 5]] },
    );
    expect(report).toMatchObject({ errors: [], results: [{ value: 15 }] });
  });

  it('a floating dispatch(), a server and a late process.exit leave the runner alone', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}import { createServer } from 'node:http';
          const flow = lattice(function f(x: number) { return step(x); });
          const step = electron(function step(x: number) { return x; });
          void dispatch(flow)(1);
          const late = electron(function late(x: number) { return -x; });
          createServer().listen(0, '127.0.0.1');
          setTimeout(() => { console.log('late'); process.exit(3); }, 20);`,
      },
      [
        ['step', 'main.ts'],
        ['late', 'main.ts'],
      ],
      { calls: [['late', 1]], lingerMs: 60 },
    );
    expect(report).toMatchObject({ errors: [], results: [{ value: -1 }], output: 'late\n' });
  });

  it('process.exit at the top level ends the load, not the runner', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}export const a = electron(function a() { return 'a'; });\nprocess.exit(4);\nelectron(function b() {});`,
      },
      [['a', 'main.ts']],
      { calls: [['a']] },
    );
    expect(report).toMatchObject({ haltedAt: 'process.exit(4)', errors: [], results: [{ value: 'a' }] });
  });

  it('JSON imports and dynamic imports are part of the bundle', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}import config from './config.json' with { type: 'json' };
          export const step = electron(async function step() { const { extra } = await import('./extra.ts'); return config.scale * extra; });`,
        'config.json': '{ "scale": 7 }',
        'extra.ts': 'export const extra = 6;',
      },
      [['step', 'main.ts']],
      { calls: [['step']] },
    );
    expect(report).toMatchObject({ errors: [], results: [{ value: 42 }] });
  });

  it('electrons at the top level of a test file: the framework is a stub, and describe bodies do not run', async () => {
    const report = await shipAndLoad(
      {
        'train.test.ts': `${HEAD}import { describe, it, expect, vi } from 'vitest'; import test from 'node:test';
          import { expect as jestExpect } from '@jest/globals'; import * as bun from 'bun:test';
          vi.mock('./x'); bun.test('x', () => { throw new Error('ran'); }); jestExpect.extend({});
          export const top = electron(function top(x: number) { return x + 1; });
          describe('training', () => { throw new Error('describe body ran'); it('x', () => expect(1).toBe(1)); });
          test('y', () => { throw new Error('test body ran'); });
          beforeAll(() => { throw new Error('hook ran'); });`,
      },
      [['top', 'train.test.ts']],
      { calls: [['top', 1]] },
    );
    expect(report).toMatchObject({ errors: [], results: [{ value: 2 }] });
  });

  it('the command line is the one of the user, and a guard on the main module is false', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}import { pathToFileURL } from 'node:url';
          const n = Number(process.argv[2]);
          if (import.meta.url === pathToFileURL(process.argv[1]).href) throw new Error('main ran');
          export const step = electron(function step() { return n; });`,
      },
      [['step', 'main.ts']],
      { argv: ['42', '--fast'], calls: [['step']] },
    );
    expect(report.results).toEqual([{ value: 42 }]);
    expect(report.argv.slice(2)).toEqual(['42', '--fast']);
  });

  it('output of top-level code goes to the sink only, process.stdout.write and console alike', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}console.log('one'); process.stdout.write('two '); console.error('three'); process.stderr.write(Buffer.from('four'));
          export const step = electron(function step() { return 1; });`,
      },
      [['step', 'main.ts']],
    );
    expect(report.output).toBe('one\ntwo three\nfour');
  });

  it("an electron's stack names the author's file", async () => {
    const report = await shipAndLoad(
      {
        'src/x.ts': `${HEAD}\n// a comment\ninterface Config { readonly limit: number }\n\nexport const boom = electron(\n  function boom(config: Config) { if (config.limit > 1) throw new Error('too much'); },\n);\n`,
      },
      [['boom', 'src/x.ts']],
      { calls: [['boom', { limit: 2 }]] },
    );
    expect(report.results[0]?.stack).toMatch(/Error: too much\n\s+at boom \(polaron:\/\/\/src\/x\.ts:7:6[37]\)/);
  });

  it('a compiled module with a source map is traced to its source', async () => {
    const report = await shipAndLoad(
      {
        'dist/x.js': `import { electron } from 'polaron';\nexport const boom = electron(function boom() {\n    throw new Error('compiled');\n});\n//# sourceMappingURL=x.js.map\n`,
        // tsc's map for: line 3 column 10 of the output is line 5 column 8 of the source.
        'dist/x.js.map': `{"version":3,"file":"x.js","sourceRoot":"","sources":["../src/x.ts"],"names":[],"mappings":";;IAIQ,MAAM,IAAI,KAAK,CAAC,UAAU,CAAC,CAAC"}`,
      },
      [['boom', 'dist/x.js']],
      { calls: [['boom']] },
    );
    expect(report.results[0]?.stack).toMatch(/\(polaron:\/\/\/src\/x\.ts:5:\d+\)/);
  });

  it('without a bundle there is nothing to load', async () => {
    const report = await load({ index: ['step'] });
    expect(report.errors[0]?.error.code).toBe('ELECTRON_NOT_FOUND');
  });
});

describe('scripts that fail to load say why', () => {
  it('ELECTRON_NOT_FOUND: an electron inside a guarded main()', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}
          electron(function mul() {}); electron(function addInTest() {});
          async function main() { const step = electron(function insideMain() {}); void step; }
          if (process.argv[1] === import.meta.filename) await main();
          await dispatch(lattice(function f() {}))();`,
      },
      [['insideMain', 'main.ts']],
    );
    expect(report.errors).toEqual([
      {
        electron: 'insideMain',
        error: {
          code: 'ELECTRON_NOT_FOUND',
          message:
            "electron 'insideMain' was not defined when its module was loaded on the agent. It has to be created at the top level of a module (or before the first dispatch() on the way there), not inside a function that only your script runs (main(), a request handler, if (import.meta.main)). Defined here: mul, addInTest. Loading stopped at dispatch().",
        },
      },
    ]);
  });

  it('ELECTRON_NOT_FOUND comes at once when nothing is under way, although a server listens', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}import { createServer } from 'node:http';
          createServer(() => electron(function inHandler() {})).listen(0, '127.0.0.1');`,
      },
      [['inHandler', 'main.ts']],
    );
    expect(report.errors[0]?.error).toMatchObject({
      code: 'ELECTRON_NOT_FOUND',
      message: expect.stringContaining('Defined here: none.'),
    });
  });

  it('ELECTRON_AMBIGUOUS: two electrons of one name in the loaded modules', async () => {
    const report = await shipAndLoad(
      {
        'a.ts': `${HEAD}import './b.ts'; export const x = electron(function step() { return 1; });`,
        'b.ts': `${HEAD}export const y = electron(function step() { return 2; });`,
      },
      [['step', 'a.ts']],
    );
    expect(report.errors[0]?.error).toMatchObject({
      code: 'ELECTRON_AMBIGUOUS',
      message: "two different electrons are called 'step' (b.ts:2, a.ts:2): give one of them { name: '...' }",
    });
  });

  it('BUNDLE_LOAD: a local file that is read at the top level', async () => {
    const report = await shipAndLoad(
      {
        'src/localfile.ts': `${HEAD}import { readFileSync } from 'node:fs';
const cfg = JSON.parse(readFileSync(new URL('./cfg.json', import.meta.url), 'utf8'));
export const useCfg = electron(function useCfg() { return cfg.a; });`,
        'src/cfg.json': '{}',
      },
      [['useCfg', 'src/localfile.ts']],
      { agent: 'gpu-1' },
    );
    const error = report.errors[0]?.error;
    expect(error?.code).toBe('BUNDLE_LOAD');
    expect(error?.message).toMatch(
      /^the module of electron 'useCfg' failed to load on agent gpu-1: ENOENT: .*cfg\.json' \(polaron:\/\/\/src\/localfile\.ts:3:\d+\)\. Top-level code runs again on the agents; local files are not there\. Import the file, or read it before dispatch\(\)/,
    );
    expect(error?.cause).toMatchObject({ userCode: 'ENOENT' });
    expect(report.error?.code).toBe('BUNDLE_LOAD');
  });

  it('BUNDLE_LOAD: a module that fails after its electrons fails them too', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}export const a = electron(function a() { return 1; });\nthrow new Error('after the definition');`,
      },
      [['a', 'main.ts']],
    );
    expect(report.errors[0]?.error.message).toMatch(/after the definition \(polaron:\/\/\/main\.ts:3:\d+\)/);
  });

  it('BUNDLE_LOAD: a main() that fails on its way', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}async function main() { await null; throw new Error('no database'); electron(function later() {}); }\nvoid main();`,
      },
      [['later', 'main.ts']],
    );
    expect(report.errors[0]?.error).toMatchObject({
      code: 'BUNDLE_LOAD',
      message: expect.stringContaining('no database'),
    });
  });

  it('BUNDLE_LOAD: a package that is not installed on the agent', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}import { createRequire } from 'node:module'; createRequire(import.meta.url)('sharp');\nelectron(function a() {});`,
      },
      [['a', 'main.ts']],
    );
    expect(report.errors[0]?.error.message).toContain('electron({ deps: { npm:');
  });

  it('BUNDLE_LOAD: a top-level await that never ends, at once; one that goes on, at the deadline', async () => {
    const source = (wait: string) => ({ 'main.ts': `${HEAD}export const a = electron(function a() {});\n${wait}` });
    const stuck = await shipAndLoad(source('await new Promise(() => {});'), [['a', 'main.ts']]);
    expect(stuck.errors[0]?.error.message).toMatch(
      /did not finish loading on the agent within .* s: it waits for something at its top level/,
    );
    const slow = await shipAndLoad(
      source('await new Promise((resolve) => setInterval(resolve.bind, 1000));'),
      [['a', 'main.ts']],
      {
        deadlineMs: 300,
      },
    );
    expect(slow.errors[0]?.error.code).toBe('BUNDLE_LOAD');
    expect(slow.loadMs).toBeGreaterThan(290);
  });

  it('DEFINED_AFTER_DISPATCH: a constant and a class declared after the call', async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}
          const e1 = electron(function e1() { return LATER + 1; });
          const e2 = electron(function e2() { return new Late().x; });
          await dispatch(lattice(function f() { e1(); e2(); }))();
          const LATER = Number('7');
          class Late { x = LATER; }`,
      },
      [
        ['e1', 'main.ts'],
        ['e2', 'main.ts'],
      ],
      { calls: [['e1'], ['e2']] },
    );
    expect(report.errors).toEqual([]);
    expect(report.results[0]?.tdz).toMatchObject({
      code: 'DEFINED_AFTER_DISPATCH',
      message:
        "electron 'e1' uses 'LATER', which its module only defines after dispatch(); on agents a module is evaluated up to that call. Move the definition of 'LATER' above it, or dispatch from another file or function.",
    });
    expect(report.results[1]?.tdz?.message).toContain("uses 'Late'");
  });

  it("an electron's own use before definition is not blamed on dispatch() in a module that never called it", async () => {
    const report = await shipAndLoad(
      {
        'main.ts': `${HEAD}export const own = electron(function own() { const y = z + 1; let z = Number('1'); return y + z; });`,
      },
      [['own', 'main.ts']],
      { calls: [['own']] },
    );
    expect(report.results[0]?.stack).toContain("Cannot access 'z' before initialization");
    expect(report.results[0]?.tdz).toBeUndefined();
  });

  it('CAPTURE_MISMATCH: a variable that came out different', async () => {
    const files = {
      'main.ts': `${HEAD}const N = Number(process.env.SOME_N ?? -1); const same = 'x'.repeat(3);
        export const useEnv = electron(function useEnv(x: number) { return x + N + same; });`,
    };
    const captures = { useEnv: { N: 42, same: 'xxx' } };
    const report = await shipAndLoad(files, [['useEnv', 'main.ts']], { captures });
    expect(report.errors).toEqual([
      {
        electron: 'useEnv',
        error: {
          code: 'CAPTURE_MISMATCH',
          message:
            "electron 'useEnv' reads N, which was 42 in your process and is -1 on the agent. Its module is evaluated again there: argv, env, files, time and random values differ. Pass N as an argument.",
        },
      },
    ]);
    const same = await shipAndLoad(files, [['useEnv', 'main.ts']], { captures, env: { SOME_N: '42' } });
    expect(same.errors).toEqual([]);
  });
});
