/** Dependencies through a whole system: real npm, pip and commands, on packages that the test makes. */
import { mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getResult } from 'polaron';
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

/** Dispatches, prints result and the lines of all logs seen by watch(). `watching`: is done at each event, the first of which comes when all that follow are heard. */
const run = (watching = ''): string => `
const id = await dispatch(main)(...process.argv.slice(3).map((x) => JSON.parse(x)));
const lines = [];
for await (const event of watch(id, { from: 'start' })) {
  if (event.type === 'electron.log') lines.push(event.data.text);
  ${watching}
}
const result = await getResult(id, { wait: true });
console.log(JSON.stringify({ id, status: result.status, value: result.value, errors: result.errors, lines }));
`;
const RUN = run();

let runs = 0;
/** An electron that ends when RUN_HEARD watches: what comes after it says nothing that isn't heard. */
const whenHeard = (): string => `
import { existsSync, writeFileSync } from 'node:fs';
const heard = ${JSON.stringify(join(hub.home, `heard-${++runs}`))};
const whenHeard = electron(async function whenHeard() {
  while (!existsSync(heard)) await new Promise((resolve) => setTimeout(resolve, 5));
});`;
const RUN_HEARD = run("writeFileSync(heard, '');");

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly node: string;
}
function failuresOf(said: unknown): readonly Failure[] {
  const { errors }: { errors: readonly Failure[] } = JSON.parse(JSON.stringify(said));
  return errors;
}
function idOf(said: unknown): string {
  const { id }: { id: string } = JSON.parse(JSON.stringify(said));
  return id;
}
function linesOf(said: unknown): readonly string[] {
  const { lines }: { lines: readonly string[] } = JSON.parse(JSON.stringify(said));
  return lines.join('').trim().split('\n');
}

const source = (spec: string, more = ''): string => `
import { after, dispatch, electron, getResult, lattice, watch } from 'polaron';
import { createRequire } from 'node:module';
import { execFileSync } from 'node:child_process';
const fromHere = createRequire(import.meta.url);
const count = electron({ deps: { npm: { counted: ${JSON.stringify(spec)} } } }, async function count(text) {
  const { default: counted } = await import('counted');
  const again = fromHere('counted');
  return [counted.count(text), again.where(), execFileSync('counted', [text], { encoding: 'utf8' }).trim()];
});
const plain = electron(function plain() { return process.env.POLARON_DEPS ?? null; });
${more}${whenHeard()}
const main = lattice(function main(texts) { return after(whenHeard(), () => ({ counts: texts.map((text) => count(text)), plain: plain() })); });
${RUN_HEARD}`;

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
    expect(JSON.stringify(first)).toMatch(/installing npm counted@.*installed npm counted@/);
    // in another dispatch, by an agent that was started again
    await hub.stop();
    await hub.start();
    expect(said(await hub.script(source(counted), ['', words]))).toMatchObject({ ...wanted, lines: [] });
    expect(environments()).toHaveLength(1);
  });

  it('are found by an electron in a thread, too, and not by its neighbour in the same process', async () => {
    const script = `
import { dispatch, electron, getResult, lattice, watch } from 'polaron';
import { isMainThread } from 'node:worker_threads';
const inThread = electron.defaults({ isolation: 'thread' });
const count = inThread({ deps: { npm: { counted: ${JSON.stringify(counted)} } } }, async function count(text) {
  const { default: counted } = await import('counted');
  return [counted.count(text), counted.where(), isMainThread];
});
const plain = inThread(async function plain() { return [await import('counted').then(() => 'found', (error) => error.code), isMainThread]; });
const main = lattice(function main() { return [count('four'), plain()]; });
${RUN}`;
    expect(said(await hub.script(script))).toMatchObject({
      status: 'completed',
      value: [
        [4, expect.stringContaining('/cache/deps/'), false],
        ['ERR_MODULE_NOT_FOUND', false],
      ],
    });
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
});

describe('packages of npm and of Python, and commands', { timeout: 180_000 }, () => {
  it('are installed once and in this order; then come variables, the hooks before, the function and the hooks after', async () => {
    const before = environments().length;
    const file = wheel(shelf, 'shouter', '2.0.0', 'def shout(text):\n    return text.upper() + "!"\n');
    const source = `
import { after, context, dispatch, electron, getResult, lattice, watch } from 'polaron';
import { execFileSync } from 'node:child_process';
const deps = {
  shell: [
    'counted npm > order',
    "python3 -c \\"import shouter; print(shouter.shout('pip'))\\" >> order",
    "printf '#!/bin/sh\\\\ncat $POLARON_DEPS/order' > bin/tell; chmod +x bin/tell",
  ],
  pip: [${JSON.stringify(file)}],
  npm: { counted: ${JSON.stringify(counted)} },
};
const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' }).trim();
const tell = electron({
  deps,
  env: { WORD: 'variable' },
  before: [{ run: () => [run('tell'), process.env.WORD], as: 'one' }, { run: async () => [...context().injected.one, 'two'], as: 'two' }],
  after: [{ run: async () => console.log('after one') }, { run: () => console.log('after two') }],
}, function tell() {
  console.log('function');
  const prefix = run('python3', '-c', 'import shouter, sys; print(sys.prefix)');
  return [context().injected.two, prefix === process.env.VIRTUAL_ENV];
});
${whenHeard()}
const main = lattice(function main() { return after(whenHeard(), () => tell()); });
${RUN_HEARD}`;
    const wanted = { status: 'completed', value: [['counted npm\nPIP!', 'variable', 'two'], true] };
    const first = said(await hub.script(source));
    expect(first).toMatchObject(wanted);
    const lines = linesOf(first);
    const installed = lines.filter((line) => line.startsWith('installing')).map((line) => line.split(' ')[1]);
    expect(installed).toEqual(['npm', 'a', 'pip', 'shell', 'shell', 'shell']);
    expect(lines.join('\n')).toMatch(/installed a Python venv in [\d.]+ s[^]*installed pip [^\n]*shouter-2\.0\.0/);
    const again = said(await hub.script(source));
    expect(again).toMatchObject(wanted);
    expect(linesOf(again).filter((line) => line.startsWith('install'))).toEqual([]);
    const ran = await (await getResult(idOf(again))).electrons.get('tell');
    expect(await ran.stdout()).toBe('function\nafter one\nafter two\n');
    expect(environments()).toHaveLength(before + 1);
  });

  it("that can't be installed fail the electron with the last lines, the agent and the versions, after its retries", async () => {
    const before = environments();
    const source = `
import { dispatch, electron, getResult, lattice, watch } from 'polaron';
const failing = (name, deps) => electron({ name, deps, retries: { max: 1, delay: 0 } }, () => 1);
const ofNpm = failing('ofNpm', { npm: { counted: ${JSON.stringify(`file:${join(shelf, 'counted-9.9.9.tgz')}`)} } });
const ofPip = failing('ofPip', { pip: [${JSON.stringify(join(shelf, 'nothing-1.0.0-py3-none-any.whl'))}] });
const ofShell = failing('ofShell', { shell: ['echo no compiler here; exit 7'] });
const main = lattice(function main() { return [ofNpm(), ofPip(), ofShell()]; });
${RUN}`;
    const result = said(await hub.script(source));
    const messages = Object.fromEntries(
      failuresOf(result).map(({ node, code, message }) => [node, `${code} ${message}`]),
    );
    const machine = String.raw`on agent local\.local \(\w+-\w+, Node \d[\d.]+`;
    expect(messages['ofNpm']).toMatch(
      new RegExp(
        `^DEPS_INSTALL_FAILED electron "ofNpm" \\(script\\.mjs:\\d+\\): npm could not install counted@file:.*counted-9\\.9\\.9\\.tgz ${machine}, npm \\d[\\d.]+\\): exit code \\d+\n[^]*npm (?:error|ERR!).*ENOENT`,
      ),
    );
    expect(messages['ofPip']).toMatch(
      new RegExp(
        `^DEPS_INSTALL_FAILED .*pip could not install .*nothing-1\\.0\\.0.* ${machine}, pip \\d[\\d.]+\\): exit code 1\n[^]*ERROR: .*nothing-1\\.0\\.0`,
      ),
    );
    expect(messages['ofShell']).toMatch(
      new RegExp(
        `^DEPS_INSTALL_FAILED .*the command "echo no .*" failed ${machine}\\): exit code 7\nno compiler here$`,
      ),
    );
    const id = idOf(result);
    expect(await hub.json(['show', id])).toMatchObject({
      electrons: [{ attempts: 2 }, { attempts: 2 }, { attempts: 2 }],
    });
    expect((await hub.polaron(['logs', id, 'ofPip'])).out).toContain('nothing-1.0.0');
    expect(environments()).toEqual(before);
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
    expect(failuresOf(result)[0]).toMatchObject({
      code: 'DEPS_REFUSED',
      node: 'count',
      message: expect.stringMatching(
        /^electron "count" \(script\.mjs:\d+\): agent local\.strict installs nothing \(--no-deps\), and was asked for npm$/,
      ),
    });
    const id = idOf(result);
    expect(await hub.json(['show', id])).toMatchObject({
      electrons: [
        { name: 'plain', status: 'completed', agent: 'local.strict' },
        { name: 'count', status: 'failed' },
      ],
    });
  });
});
