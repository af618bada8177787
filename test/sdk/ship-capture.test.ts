/** The capture check: what it reads, and that it raises no false alarm, whatever ran the user's module. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareCaptures, readCaptures } from '../../bus/capture.ts';
import { mentions } from '../../bus/mentions.ts';
import { load, project, removeProjects, REPO, run, ship, shipped, tempFolder } from './ship-support.ts';

afterAll(removeProjects);

const N = Number('42');
const T = ['hot'].join('');
const big = BigInt('12345678901234567890');
const long = 'x'.repeat(5_000);
const nothing = JSON.parse('null');
let count = 0;
const shadowed = Math.random();
const property = Math.random();
const inText = Math.random();

describe('mentions', () => {
  it.each([
    ['(x) => x + N', ['N']],
    ['function f(N) { return N; }', []],
    ['({ a, b: [c = d] }) => a + c + e', ['e']],
    ['() => { const { N, m: M } = o, k = L; return N + M + k; }', ['L', 'o']],
    ['() => o.N + o?.M + o[K]', ['K', 'o']],
    ['() => ({ N: 1, M, k: L })', ['L', 'M']],
    ['() => "N" + `M ${K} ${`${L}`}` + /O"/.test(P) // Q\n + R /* S */', ['K', 'L', 'P', 'R']],
    ['() => (a ? N : M) / K / 2', ['K', 'M', 'N', 'a']],
    ['async (x) => { for (const i of xs) await g(i); }', ['g', 'xs']],
    ['m(x) { try { return x; } catch (N) { return N; } }', ['m']],
    ['() => { if (N) { return M; } }', ['M', 'N']],
    ['() => f(...N)', ['N', 'f']],
  ])('of %s', (source, expected) => {
    expect([...mentions(source)].sort()).toEqual(expected);
  });
});

describe('captured variables', () => {
  it('are the primitives that the text reads, from module and closure', async () => {
    const made = ((K: number) => () => [K, N, T, big, long, nothing])(7);
    const { f } = await readCaptures(new Map([['f', made]]));
    expect(f).toEqual({
      K: 7,
      N: 42,
      T: 'hot',
      big: '12345678901234567890n',
      long: expect.stringMatching(/^sha256:[0-9a-f]{64} \(5000 characters\)$/),
      nothing: null,
    });
  });

  it('leave out what is shadowed, a property, only text, an object or not yet defined', async () => {
    const object = { property: 1 };
    const f = (shadowed: number) => [shadowed, object.property, 'inText', later];
    const g = () => [shadowed, property, inText];
    const { f: found } = await readCaptures(
      new Map<string, (...args: never[]) => unknown>([
        ['f', f],
        ['g', g],
      ]),
    );
    expect(found).toBeUndefined();
    const later = N;
  });

  it('are read once per function', async () => {
    const f = () => count;
    expect(await readCaptures(new Map([['f', f]]))).toEqual({ f: { count: 0 } });
    count++;
    expect(await readCaptures(new Map([['f', f]]))).toEqual({ f: { count: 0 } });
  });

  it('cost little', async () => {
    const fns = new Map(Array.from({ length: 100 }, (_, i) => [`f${i}`, () => N + i] as const));
    const before = process.cpuUsage();
    await readCaptures(fns);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(500);
    // the best of some: others may have the machine meanwhile
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 10; run++) {
      const again = performance.now();
      await readCaptures(fns);
      best = Math.min(best, performance.now() - again);
    }
    expect(best).toBeLessThan(5);
  });
});

describe('comparing', () => {
  it('names the variable and both values', () => {
    expect(compareCaptures('useArgv', { N: 42 }, { N: -1 })?.message).toBe(
      "electron 'useArgv' reads N, which was 42 in your process and is -1 on the agent. Its module is evaluated again there: argv, env, files, time and random values differ. Pass N as an argument.",
    );
    expect(compareCaptures('f', { T: 'hot' }, { T: 'unset' })?.message).toContain(
      "was 'hot' in your process and is 'unset' on the agent",
    );
  });

  it.each([
    [{ N: 1 }, {}],
    [{ N: 1 }, { N$1: 1 }],
    [{ N: 1 }, { N$1: 2, N$2: 3 }],
    [{ N: 0 }, { N: -0 }],
    [{ N: 'NaN' }, { N: 'NaN' }],
    [{}, { N: 1 }],
  ])('%j and %j are no difference', (sent, here) => {
    expect(compareCaptures('f', sent, here)).toBeUndefined();
  });

  it('sees through a suffix of the bundler', () => {
    expect(compareCaptures('f', { N: 1 }, { N$1: 2 })).toMatchObject({ name: 'N', there: 1, here: 2 });
  });
});

/** Defines electrons in the ways that could fool the check, with values that only argv decides. */
const MODULE = `
import { other, N as importedN } from './other.js';
const N = Number(process.argv[2] ?? -1);
const text = 'the ' + process.argv.length + ' N';
const stamp = Date.now();
let changing = 0;
export const electrons = {
  plain: function plain(x) { return x + N; },
  property: function property(o) { return o.stamp + 'stamp'; },
  shadow: (stamp) => stamp + 1,
  imported: () => importedN + other(),
  several: async function several() { const { sep } = await import('node:path'); return sep + text + N; },
  late: () => LATE,
  uses: () => stamp + changing,
};
const LATE = N + 1;
`;
const OTHER = "export const N = 'another';\nexport const other = () => N + 1;\n";

describe('what different runners show', () => {
  let capture = '';
  beforeAll(async () => {
    const folder = tempFolder();
    capture = join(folder, 'capture.mjs');
    const bundler = await rolldown({ input: join(REPO, 'bus/capture.ts'), platform: 'node', logLevel: 'silent' });
    await bundler.write({ file: capture, format: 'esm', codeSplitting: false });
    await bundler.close();
  });

  const reader = (): string => `
import { readCaptures } from ${JSON.stringify(capture)};
import { electrons } from './module.js';
console.log(JSON.stringify(await readCaptures(new Map(Object.entries(electrons)))));
`;
  const minified = async (text: string): Promise<string> =>
    (await transform(text, { minify: true, keepNames: true, format: 'esm' })).code;
  const tsx = ['--import', join(REPO, 'node_modules/tsx/dist/esm/index.mjs')];

  async function captured(
    files: Readonly<Record<string, string>>,
    flags: readonly string[],
    main: string,
  ): Promise<Record<string, Record<string, unknown>>> {
    const folder = project(files);
    const done = await run(process.execPath, [...flags, join(folder, main), '42'], { cwd: folder });
    expect(done.stderr).toBe('');
    const found: Record<string, Record<string, unknown>> = JSON.parse(done.stdout);
    return found;
  }

  it.each([
    [
      'plain .mjs',
      [],
      (): Record<string, string> => ({ 'main.mjs': reader(), 'module.js': MODULE, 'other.js': OTHER }),
      'main.mjs',
    ],
    [
      'tsx',
      tsx,
      (): Record<string, string> => ({ 'main.ts': reader(), 'module.ts': MODULE, 'other.ts': OTHER }),
      'main.ts',
    ],
  ])('%s: right values on the agent, and an alarm only for what differs', async (_name, flags, files, main) => {
    const sent = await captured(files(), flags, main);
    expect(sent['plain']).toEqual({ N: 42 });
    expect(sent['property']).toBeUndefined();
    expect(sent['shadow']).toBeUndefined();
    expect(sent['several']).toMatchObject({ N: 42, text: 'the 3 N' });
    expect(sent['uses']).toMatchObject({ changing: 0, stamp: expect.any(Number) });

    const folder = project({
      'module.ts': `import { electron } from 'polaron';\n${MODULE}\nfor (const [name, fn] of Object.entries(electrons)) electron({ name }, fn);`,
      'other.ts': OTHER,
    });
    const names = Object.keys(sent).concat('shadow', 'property', 'imported');
    const { code } = await ship(folder, names.map((name) => shipped(name, join(folder, 'module.ts'))).slice(0, 1));
    const same = await load({ bundle: code, argv: ['42'], index: names, captures: sent });
    expect(same.errors.map(({ electron, error }) => [electron, error.code])).toEqual([['uses', 'CAPTURE_MISMATCH']]);
    expect(same.errors[0]?.error.message).toContain('reads stamp');
    const other = await load({ bundle: code, argv: ['43'], index: names, captures: sent });
    expect(other.errors.map(({ electron }) => electron)).toContain('plain');
  });

  it('code that its author minified raises no alarm either', async () => {
    const files = { 'module.js': await minified(MODULE), 'other.js': OTHER };
    const sent = await captured({ ...files, 'main.mjs': reader() }, [], 'main.mjs');
    const folder = project({
      ...files,
      'entry.js':
        "import { electron } from 'polaron';\nimport { electrons } from './module.js';\nfor (const [name, fn] of Object.entries(electrons)) electron({ name }, fn);",
    });
    const { code } = await ship(folder, [shipped('plain', join(folder, 'entry.js'))]);
    const { uses: _differs, ...rest } = sent;
    expect(Object.keys(rest)).toContain('plain');
    const report = await load({ bundle: code, argv: ['42'], index: Object.keys(rest), captures: rest });
    expect(report.errors).toEqual([]);
  });

  it('a REPL-like script finds the variables of its script scope, and the process ends by itself', async () => {
    const source = `const K = 4; function h() { return K; } import(${JSON.stringify(capture)}).then(async ({ readCaptures }) => { console.log(JSON.stringify(await readCaptures(new Map([['h', h]])))); });`;
    const done = await run(process.execPath, ['-e', source]);
    expect(done).toEqual({ code: 0, stdout: '{"h":{"K":4}}\n', stderr: '' });
  });

  it("a user's own inspector session goes on", async () => {
    const folder = tempFolder();
    const file = join(folder, 'main.mjs');
    writeFileSync(
      file,
      `import inspector from 'node:inspector';
       import { readCaptures } from ${JSON.stringify(capture)};
       const session = new inspector.Session(); session.connect();
       let paused = 0; session.post('Debugger.enable'); session.on('Debugger.paused', () => { paused++; });
       const K = 1; const f = () => K;
       const found = await readCaptures(new Map([['f', f]]));
       debugger;
       session.post('Runtime.evaluate', { expression: '1 + 1' }, (error, reply) => console.log(JSON.stringify({ found, paused, value: reply.result.value })));`,
    );
    const done = await run(process.execPath, [file]);
    expect(JSON.parse(done.stdout)).toEqual({ found: { f: { K: 1 } }, paused: 1, value: 2 });
  });
});
