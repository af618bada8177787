/** Packing modules for agents: what comes out, what is refused and how, what is warned of, and what is kept. */
import { packagesOf } from '../../bus/protocol/bundle-packages.ts';
import { readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PolaronError } from '../../model/errors.ts';
import { bundleElectrons, recentBundle, type Bundle } from '../../sdk/ship/bundle.ts';
import { load, project, removeProjects, REPO, run, ship, shipped, tempFolder } from './ship-support.ts';

afterAll(removeProjects);

const HEAD = "import { electron } from 'polaron';\n";
const STEP = `${HEAD}export const step = electron(function step(x: number) { return x + 1; });\n`;

async function refusal(promise: Promise<unknown>): Promise<PolaronError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PolaronError)) throw new Error(`expected a PolaronError, got ${String(error)}`);
  return error;
}

describe('a bundle', () => {
  it('has the same hash wherever the checkout lies', async () => {
    const files = {
      'src/a.ts': `${HEAD}import { b } from './b.ts'; import { c } from './c.cjs';\nexport const a = electron(function a() { return b + c; });`,
      'src/b.ts': 'export const b: number = 1;',
      'src/c.cjs': 'exports.c = require("path").sep.length;',
    };
    const bundles = await Promise.all(
      [project(files), project(files)].map((folder) => ship(folder, [shipped('a', join(folder, 'src/a.ts'))])),
    );
    expect(bundles[0]?.digest).toBe(bundles[1]?.digest);
    expect(Buffer.from(bundles[0]?.code ?? []).toString()).not.toContain('polaron-ship-');
  });

  it('keeps its codeDigest when only a comment changes, but not its digest', async () => {
    const [one, two] = await Promise.all(
      [STEP, `// more\n\n${STEP}`].map((text) => {
        const folder = project({ 'a.ts': text });
        return ship(folder, [shipped('step', join(folder, 'a.ts'))]);
      }),
    );
    expect(one?.codeDigest).toBe(two?.codeDigest);
    expect(one?.digest).not.toBe(two?.digest);
  });

  it('takes the agent shim for the SDK, imported by name or by path, and carries no bus client', async () => {
    const folder = project({
      'a.ts': STEP,
      'b.ts': `import { electron } from ${JSON.stringify(join(REPO, 'sdk/index.ts'))};\nimport './a.ts';\nexport const other = electron(function other() {});`,
    });
    const { code, map } = await ship(folder, [
      shipped('other', join(folder, 'b.ts')),
      shipped('step', join(folder, 'a.ts')),
    ]);
    expect(code.length).toBeLessThan(60_000);
    const { sources } = JSON.parse(Buffer.from(map ?? []).toString());
    expect(sources).toContain('polaron:///a.ts');
    expect(sources).toContain('polaron:///node_modules/polaron/sdk/agent-shim.ts');
    expect(sources).not.toContain('polaron:///node_modules/polaron/sdk/index.ts');
    const report = await load({ bundle: code, index: ['other', 'step'], calls: [['step', 1]] });
    expect(report).toMatchObject({ errors: [], results: [{ value: 2 }] });
  });

  it('keeps modules that define electrons although their package says it has no side effects', async () => {
    const folder = project({
      'package.json': '{ "type": "module", "sideEffects": false }',
      'a.ts': STEP,
      'b.ts': `import './a.ts';\n${STEP.replaceAll('step', 'more')}`,
    });
    const { code } = await ship(folder, [shipped('step', join(folder, 'a.ts')), shipped('more', join(folder, 'b.ts'))]);
    const report = await load({ bundle: code, index: ['step', 'more'] });
    expect(report.errors).toEqual([]);
  });

  it('leaves packages that the electrons install themselves as imports', async () => {
    const folder = project({
      'a.ts': `${HEAD}import sharp from 'sharp';\nexport const a = electron(function a() { return sharp; });`,
    });
    const { code } = await ship(folder, [shipped('a', join(folder, 'a.ts'))], { external: ['sharp'] });
    expect(Buffer.from(code).toString()).toContain('from"sharp"');
    expect(packagesOf(code)).toBeUndefined();
  });

  it('says which packages it needs to be loaded: those that are imported at the top, with their versions', async () => {
    const folder = project({
      'a.ts': `${HEAD}import sharp from 'sharp/lib';
export const a = electron(async function a() { return [sharp, await import('later'), '\\n//polaron:packages {}']; });`,
    });
    const of = async (packages: Readonly<Record<string, string>>): Promise<Bundle> =>
      ship(folder, [shipped('a', join(folder, 'a.ts'))], { packages });
    const { code, digest, map } = await of({ sharp: '1.2.3', later: '2', unused: '3' });
    expect(packagesOf(code)).toEqual({ sharp: '1.2.3' });
    expect(Buffer.from(code).toString()).toMatch(
      /\n\/\/polaron:packages \{"sharp":"1\.2\.3"\}\n\/\/# sourceMappingURL=/,
    );
    expect(map).toBeDefined();
    expect((await of({ sharp: '1.2.4', later: '2' })).digest).not.toBe(digest);
    expect((await of({ sharp: '1.2.3', later: '9' })).digest).toBe(digest);
  });

  it('hints at a native package that only another package asks for', async () => {
    const folder = project(
      {
        'a.ts': `${HEAD}import { pack } from 'msgpackr';\nexport const a = electron(function a() { return pack(1).length; });`,
      },
      ['msgpackr'],
    );
    const { code, hints } = await ship(folder, [shipped('a', join(folder, 'a.ts'))]);
    expect(hints).toMatchObject([{ package: 'msgpackr-extract' }]);
    const report = await load({ bundle: code, index: ['a'], calls: [['a']] });
    expect(report).toMatchObject({ errors: [], results: [{ value: 1 }] });
  });
});

describe('what cannot be packed', () => {
  it('BUNDLE_FAILED: a missing module, with its place and the electrons', async () => {
    const folder = project({
      'src/a.ts': `${HEAD}const x = 1;\nimport { nope } from './missing.ts';\nelectron(function trainSvm() { return nope + x; });`,
    });
    const file = join(folder, 'src/a.ts');
    const error = await refusal(ship(folder, [shipped('trainSvm', file), shipped('scoreSvm', file)]));
    expect(error.code).toBe('BUNDLE_FAILED');
    expect(error.message).toBe(
      "src/a.ts:3:22: Could not resolve './missing.ts' (while packing electrons trainSvm, scoreSvm for the agents)",
    );
  });

  it('BUNDLE_FAILED: a syntax error, and a package that is not installed', async () => {
    const folder = project({
      'a.ts': 'const x = ;',
      'b.ts': `import { q } from 'not-installed-anywhere';\nconsole.log(q);`,
    });
    const syntax = await refusal(ship(folder, [shipped('a', join(folder, 'a.ts'))]));
    expect(syntax.message).toBe('a.ts:1:11: Unexpected token (while packing electron a for the agents)');
    const missing = await refusal(ship(folder, [shipped('b', join(folder, 'b.ts'))]));
    expect(missing.message).toBe(
      "b.ts: package 'not-installed-anywhere' is not installed (while packing electron b for the agents)",
    );
  });

  it('NATIVE_ADDON: user code that imports a package with a native part', async () => {
    const folder = project(
      { 'train.ts': `${HEAD}import { open } from 'lmdb';\nelectron(function a() { return open; });` },
      ['lmdb'],
    );
    const { version } = JSON.parse(readFileSync(join(REPO, 'node_modules/lmdb/package.json'), 'utf8'));
    const error = await refusal(ship(folder, [shipped('a', join(folder, 'train.ts'))]));
    expect(error.code).toBe('NATIVE_ADDON');
    expect(error.message).toMatch(
      new RegExp(
        `^train\\.ts imports lmdb ${version}, which has a native part \\(.+\\) and can't be packed\\. Install it on the agents: electron\\(\\{ deps: \\{ npm: \\{ 'lmdb': '${version}' \\} \\} \\}, \\.\\.\\.\\)$`,
      ),
    );
  });

  it('BUNDLE_TOO_LARGE: over the limit, with what is large', async () => {
    const folder = project({
      'a.ts': `${STEP}export const big = ${JSON.stringify('x'.repeat(20_000))};\nglobalThis.keep = big;`,
    });
    const error = await refusal(ship(folder, [shipped('step', join(folder, 'a.ts'))], { maxBytes: 10_000 }));
    expect(error.code).toBe('BUNDLE_TOO_LARGE');
    expect(error.message).toMatch(
      /^the packed code of step is [\d.]+ MiB, over the limit of 0\.00954 MiB; the largest parts are a\.ts \(/,
    );
  });

  it('ELECTRON_AMBIGUOUS: two functions under one name; one function twice is none', async () => {
    const folder = project({ 'a.ts': STEP });
    const file = join(folder, 'a.ts');
    const error = await refusal(ship(folder, [shipped('step', file, 'a.ts:3'), shipped('step', file, 'b.ts:9')]));
    expect(error.code).toBe('ELECTRON_AMBIGUOUS');
    expect(error.message).toBe(
      "two different electrons are called 'step' (a.ts:3, b.ts:9): give one of them { name: '...' }",
    );
    const same = shipped('step', file);
    await expect(ship(folder, [same, { ...same, at: 'a.ts:4' }])).resolves.toBeDefined();
  });
});

describe('warnings', () => {
  const warningsOf = async (text: string): Promise<readonly string[]> => {
    const folder = project({ 'train.ts': `${HEAD}${text}` });
    return (await ship(folder, [shipped('f', join(folder, 'train.ts'))])).warnings;
  };

  it('name what a module reads at load and a function uses', async () => {
    const warnings = await warningsOf(`const T = process.env.MY_T;
const all = process.argv;
const here = process.cwd();
const data = new URL('./data.csv', import.meta.url);
const seed = Math.random();
const at = new Date();
const derived = { seed };
export const f = electron(function f() { return [T, all, here, data, derived, at]; });`);
    expect(warnings[0]).toBe(
      'train.ts:2 reads process.env.MY_T when the module is loaded; it is read again on the agent. Pass it as an argument or declare env: { MY_T: ... }.',
    );
    expect(warnings.map((line) => /^train\.ts:\d+ \w+ (.*) when/.exec(line)?.[1])).toEqual([
      'process.env.MY_T',
      'process.argv',
      'process.cwd()',
      'import.meta.url',
      'Math.random()',
      'new Date()',
    ]);
  });

  it('are silent where nothing can differ for an electron', async () => {
    const warnings = await warningsOf(`import { createRequire } from 'node:module';
const n = Number(process.argv[2]); const rest = process.argv.slice(2);
const started = Date.now();
const require = createRequire(import.meta.url);
const f = electron({ env: { KEY: process.env.KEY } }, function f() { return [n, rest, process.env.INSIDE, Math.random(), require]; });
const later = new Date(0);
console.log(Date.now() - started, process.env.HOME, f, () => later);`);
    expect(warnings).toEqual([]);
  });
});

describe('the caches', () => {
  it('have a bundle at hand at once for the same electrons and options, while its files need not be looked at', async () => {
    const folder = project({ 'a.ts': STEP });
    const [a, b] = [shipped('step', join(folder, 'a.ts')), shipped('b', join(folder, 'a.ts'))];
    const options = { cwd: folder, cacheDir: join(folder, '.cache'), inlineFallback: false, revalidateMs: 60_000 };
    expect(recentBundle([a], options)).toBeUndefined();
    const made = await bundleElectrons([a], options);
    expect(recentBundle([a], { ...options })).toBe(made);
    const others = [
      { code: 'inline' },
      { external: ['x'] },
      { cwd: REPO },
      { revalidateMs: 0 },
      { maxBytes: 5 },
    ] as const;
    for (const other of others) expect(recentBundle([a], { ...options, ...other })).toBeUndefined();
    for (const electrons of [[], [b], [a, b]]) expect(recentBundle(electrons, options)).toBeUndefined();
  });

  it('answer from the same process in well under 50 µs, and see an edit', async () => {
    const folder = project({ 'a.ts': STEP });
    const electrons = [shipped('step', join(folder, 'a.ts'))];
    const first = await ship(folder, electrons, { revalidateMs: 60_000 });
    // The best of some batches: the machine may be busy with other tests.
    let bestUs = Number.POSITIVE_INFINITY;
    let same = 0;
    for (let batch = 0; batch < 20; batch++) {
      const started = performance.now();
      for (let i = 0; i < 100; i++) if ((await ship(folder, electrons, { revalidateMs: 60_000 })) === first) same++;
      bestUs = Math.min(bestUs, ((performance.now() - started) * 1_000) / 100);
    }
    expect(bestUs).toBeLessThan(50);
    expect(same).toBe(2_000);
    writeFileSync(join(folder, 'a.ts'), STEP.replace('x + 1', 'x + 100'));
    const edited = await ship(folder, electrons, { revalidateMs: 0 });
    expect(edited.codeDigest).not.toBe(first.codeDigest);
    expect(readdirSync(join(folder, '.cache'))).toHaveLength(2);
  });

  it('let a second process dispatch the same files without loading the bundler', async () => {
    const folder = project({ 'a.ts': STEP });
    const script = join(tempFolder(), 'second.mts');
    writeFileSync(
      script,
      `import { bundleElectrons } from ${JSON.stringify(join(REPO, 'sdk/ship/bundle.ts'))};
       const fn = () => undefined;
       const { digest } = await bundleElectrons([{ name: 'step', fn, at: 'a.ts:1', file: ${JSON.stringify(join(folder, 'a.ts'))} }],
         { cwd: ${JSON.stringify(folder)}, cacheDir: ${JSON.stringify(join(folder, '.cache'))}, inlineFallback: false });
       const native = process.report.getReport().sharedObjects.some((path) => path.includes('rolldown'));
       console.log(JSON.stringify({ digest, native }));`,
    );
    const again = async (): Promise<unknown> => {
      const done = await run(process.execPath, ['--import', join(REPO, 'node_modules/tsx/dist/esm/index.mjs'), script]);
      expect(done.stderr).toBe('');
      return JSON.parse(done.stdout);
    };
    const { digest } = await ship(folder, [shipped('step', join(folder, 'a.ts'))]);
    expect(await again()).toEqual({ digest, native: false });
    utimesSync(join(folder, 'a.ts'), new Date(), new Date(1));
    expect(await again()).toEqual({ digest, native: true });
  });

  it('build again when a stored bundle is damaged', async () => {
    const folder = project({ 'a.ts': STEP });
    const electrons = [shipped('step', join(folder, 'a.ts'))];
    const { digest } = await ship(folder, electrons);
    const cache = join(folder, '.cache');
    for (const name of readdirSync(cache)) if (name.endsWith('.mjs')) writeFileSync(join(cache, name), 'rotten bytes');
    // Another option that changes no output, so that this process's own cache isn't asked.
    const again = await ship(folder, electrons, { maxBytes: 1_000_000 });
    expect(again.digest).toBe(digest);
    expect(Buffer.from(again.code).toString()).not.toContain('rotten bytes');
    rmSync(cache, { recursive: true });
  });

  it('names the bundler that is installed', () => {
    const { version } = JSON.parse(readFileSync(join(REPO, 'node_modules/rolldown/package.json'), 'utf8'));
    expect(readFileSync(join(REPO, 'sdk/ship/bundle.ts'), 'utf8')).toContain(`rolldown-${version}`);
  });
});
