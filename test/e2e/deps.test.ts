/** Dependencies through a whole system: real npm, pip and commands, on packages that the test makes. */
import { mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npmPackage, wheel } from '../support/local-packages.ts';
import { RealHub, type Finished } from '../support/real-hub.ts';
import { until } from '../support/until.ts';

const hub = new RealHub({ start: ['--slots', '3'] });
let shelf: string;
let counted: string;
beforeAll(async () => {
  shelf = mkdtempSync(join(hub.home, 'packages-'));
  // it looks native, so it can't be packed
  counted = npmPackage(
    shelf,
    'counted',
    '1.2.3',
    {
      'binding.gyp': '{}',
      'index.js': 'exports.count = (text) => text.length; exports.where = () => __filename;',
      'bin/counted': '#!/bin/sh\necho counted "$1"\n',
      'install.js': 'throw new Error("an install script ran")',
    },
    { bin: { counted: 'bin/counted' }, scripts: { install: 'node install.js' } },
  );
  await hub.start();
});
afterAll(() => hub.close());

const environments = (): string[] => {
  const [host] = readdirSync(join(hub.home, 'cache', 'deps'));
  return readdirSync(join(hub.home, 'cache', 'deps', host ?? '')).filter((name) => !name.includes('.'));
};

function said(run: Finished): unknown {
  if (run.exit !== 0) throw new Error(`${run.out}\n${run.err}`);
  return JSON.parse(run.out);
}

/** Dispatches, prints result and the lines of all logs seen by watch(). */
const RUN = `
const id = await dispatch(main)(...process.argv.slice(3).map((x) => JSON.parse(x)));
const lines = [];
for await (const event of watch(id, { from: 'start' })) if (event.type === 'electron.log') lines.push(event.data.text);
const result = await getResult(id, { wait: true });
console.log(JSON.stringify({ id, status: result.status, value: result.value, errors: result.errors, lines }));
`;

const failureOf = (said: unknown): { readonly code: string; readonly message: string; readonly node: string } => {
  const { errors }: { errors: readonly [{ code: string; message: string; node: string }] } = JSON.parse(
    JSON.stringify(said),
  );
  return errors[0];
};

const source = (spec: string, more = ''): string => `
import { dispatch, electron, getResult, lattice, watch } from 'polaron';
import { createRequire } from 'node:module';
import { execFileSync } from 'node:child_process';
const fromHere = createRequire(import.meta.url);
const count = electron({ deps: { npm: { counted: ${JSON.stringify(spec)} } } }, async function count(text) {
  const { default: counted } = await import('counted');
  const again = fromHere('counted');
  return [counted.count(text), again.where(), execFileSync('counted', [text], { encoding: 'utf8' }).trim()];
});
const plain = electron(function plain() { return process.env.POLARON_DEPS ?? null; });
${more}
const main = lattice(function main(texts) { return { counts: texts.map((text) => count(text)), plain: plain() }; });
${RUN}`;

describe('npm packages', { timeout: 180_000 }, () => {
  const words = JSON.stringify(['a', 'bb', 'ccc', 'dddd']);

  it('are installed once for all electrons, found by import and require and on the PATH, and said while they are', async () => {
    const where: unknown = expect.stringMatching(/cache\/deps\/[^/]+\/[0-9a-f]{24}\/node_modules\/counted\/index\.js$/);
    const wanted = {
      status: 'completed',
      value: {
        counts: [
          [1, where, 'counted a'],
          [2, where, 'counted bb'],
          [3, where, 'counted ccc'],
          [4, where, 'counted dddd'],
        ],
        plain: null,
      },
    };
    const first = said(await hub.script(source(counted), ['', words]));
    expect(first).toMatchObject(wanted);
    expect(JSON.stringify(first)).toContain(`installing npm counted@${counted}`);
    // in another dispatch, and by an agent that was started again
    const second = said(await hub.script(source(counted), ['', words]));
    await hub.stop();
    await hub.start();
    const third = said(await hub.script(source(counted), ['', words]));
    for (const later of [second, third]) expect(later).toMatchObject({ ...wanted, lines: [] });
    expect(environments()).toHaveLength(1);
  });

  it('that a module imports at its top are there for all its electrons, and may be native and absent where it is dispatched', async () => {
    const script = `
import { dispatch, electron, getResult, lattice, onAgent, watch } from 'polaron';
import { length, plain } from './steps.mjs';
const main = lattice(function main() { return [length('four'), plain()]; });
${RUN}`;
    const steps = `
import { electron } from 'polaron';
import { count, where } from 'counted';
export const length = electron({ deps: { npm: { counted: ${JSON.stringify(counted)} } } }, function length(text) { return count(text); });
export const plain = electron(function plain() { return where(); });
`;
    // as a user has it: installed beside the script
    const installed = {
      'node_modules/counted/index.js': 'export const count = () => -1, where = () => "here";',
      'node_modules/counted/package.json':
        '{"name":"counted","version":"1.2.3","type":"module","main":"index.js","gypfile":true}',
    };
    const result = said(await hub.script(script, [], {}, { 'steps.mjs': steps, ...installed }));
    expect(result).toMatchObject({ status: 'completed', value: [4, expect.stringContaining('/cache/deps/')] });
  });

  it("that can't be installed fail the electron with npm's last lines, the agent and the versions", async () => {
    const missing = `file:${join(shelf, 'counted-9.9.9.tgz')}`;
    const { code, message, node } = failureOf(said(await hub.script(source(missing), ['', words])));
    expect([code, node]).toEqual(['DEPS_INSTALL_FAILED', 'count']);
    expect(message).toMatch(
      /^electron "count": npm could not install counted@file:.*counted-9\.9\.9\.tgz on agent local\.local \(\w+-\w+, Node \d[\d.]+, npm \d[\d.]+\): exit code \d+\n/,
    );
    expect(message).toMatch(/\nnpm (?:error|ERR!).*ENOENT/);
    expect(environments()).toHaveLength(1);
  });
});

describe('Python packages', { timeout: 180_000 }, () => {
  const source = (requirement: string): string => `
import { dispatch, electron, getResult, lattice, watch } from 'polaron';
import { execFileSync } from 'node:child_process';
const ask = electron({ deps: { pip: [${JSON.stringify(requirement)}] }, retries: { max: 1, delay: 0 } }, function ask(text) {
  const code = 'import sys, shouter; print(shouter.shout(sys.argv[1]), sys.prefix)';
  const [said, prefix] = execFileSync('python3', ['-c', code, text], { encoding: 'utf8' }).trim().split(' ');
  return [said, prefix === process.env.VIRTUAL_ENV];
});
const main = lattice(function main() { return [ask('a'), ask('b')]; });
${RUN}`;

  it('are installed once into a venv, whose Python the electron has on its PATH', async () => {
    const before = environments().length;
    const file = wheel(shelf, 'shouter', '2.0.0', 'def shout(text):\n    return text.upper() + "!"\n');
    const first = said(await hub.script(source(file)));
    const value = [
      ['A!', true],
      ['B!', true],
    ];
    expect(first).toMatchObject({ status: 'completed', value });
    expect(JSON.stringify(first)).toMatch(/installed a Python venv in [\d.]+ s.*installed pip [^"]*shouter-2\.0\.0/);
    expect(said(await hub.script(source(file)))).toMatchObject({ status: 'completed', value, lines: [] });
    expect(environments()).toHaveLength(before + 1);
  });

  it("that can't be installed fail the electron with pip's last lines and version, after its retries", async () => {
    const result = said(await hub.script(source(join(shelf, 'nothing-1.0.0-py3-none-any.whl'))));
    const { code, message } = failureOf(result);
    expect(code).toBe('DEPS_INSTALL_FAILED');
    expect(message).toMatch(
      /pip could not install .*nothing-1\.0\.0.* on agent local\.local \(.*, Node [\d.]+, pip \d[\d.]+\): exit code 1\n/,
    );
    expect(message).toMatch(/ERROR: .*nothing-1\.0\.0-py3-none-any\.whl/);
    const { id }: { id: string } = JSON.parse(JSON.stringify(result));
    expect(await hub.json(['show', id])).toMatchObject({ electrons: [{ attempts: 2 }, {}] });
    expect((await hub.polaron(['logs', id, 'ask'])).out).toContain('nothing-1.0.0');
  });
});

describe('commands', { timeout: 180_000 }, () => {
  it('are run once, after the packages, and what they make is on the PATH', async () => {
    const source = `
import { dispatch, electron, getResult, lattice, watch } from 'polaron';
import { execFileSync } from 'node:child_process';
const deps = { npm: { counted: ${JSON.stringify(counted)} }, shell: ['counted all > made', "printf '#!/bin/sh\\\\ncat $POLARON_DEPS/made' > bin/tell; chmod +x bin/tell"] };
const tell = electron({ deps }, function tell() { return execFileSync('tell', { encoding: 'utf8' }); });
const main = lattice(function main() { return tell(); });
${RUN}`;
    expect(said(await hub.script(source))).toMatchObject({ status: 'completed', value: 'counted all\n' });
  });
});

describe('an agent that was started with --no-deps', () => {
  it('refuses electrons that want something installed, and runs the others', async () => {
    const { out } = await hub.polaron(['invite', 'strict', '--host', '127.0.0.1']);
    const bus = /'([^']*)'/.exec(out)?.[1] ?? '';
    const agent = hub.launchPolaron(['agent', '--bus', bus, '--no-deps', '--capability', 'strict', '--slots', '1']);
    await until(() => agent.out().includes('ready'), `it joins: ${agent.err()}`, 20_000);
    const strict = `
const there = { needs: ['strict'] };
const main = lattice(function main() { return [plain.with(there)(), count.with(there)('a')]; });`;
    const result = said(await hub.script(source(counted).replace(/const main = .*/, strict)));
    expect(failureOf(result)).toMatchObject({
      code: 'DEPS_REFUSED',
      node: 'count',
      message: 'electron "count": agent local.strict installs nothing (--no-deps), and was asked for npm',
    });
    const { id }: { id: string } = JSON.parse(JSON.stringify(result));
    expect(await hub.json(['show', id])).toMatchObject({
      electrons: [
        { name: 'plain', status: 'completed', agent: 'local.strict' },
        { name: 'count', status: 'failed' },
      ],
    });
  });
});
