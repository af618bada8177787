/** Environments on a real disk, with real commands: made once, by whomever; whole or not there; bounded, and never taken from who uses them. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Dependencies, refuseDeps } from '../../../executors/deps/dependencies.ts';
import { Environments, type EnvironmentsOptions } from '../../../executors/deps/environments.ts';
import { startTimeOf } from '../../../executors/process/process-table.ts';
import { PolaronError } from '../../../model/errors.ts';
import type { DepsDef } from '../../../model/graph.ts';
import { npmPackage } from '../../support/local-packages.ts';
import { makeLogList } from '../../support/log-list.ts';
import { realClock } from '../../support/real-clock.ts';
import { until } from '../../support/until.ts';

let dir: string;
let root: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'polaron-deps-'));
  root = join(dir, 'root');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const signal = new AbortController().signal;
const roster = { nextMark: () => 'test', add: () => undefined, remove: (_pid: number, gone: () => void) => gone() };
const environments = (over: Partial<EnvironmentsOptions> = {}): Environments =>
  new Environments({
    root,
    agent: 'lab.one',
    env: { PATH: process.env['PATH'] ?? '', COUNT: join(dir, 'count') },
    nodePath: process.execPath,
    python: 'python3',
    roster,
    clock: realClock,
    log: makeLogList().log,
    ...over,
  });
const agent = (over: Partial<EnvironmentsOptions> = {}): Dependencies =>
  new Dependencies(environments(over), realClock);

const ownEnv = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
);
const counting = (...more: string[]): DepsDef => ({ shell: ['echo run >> "$COUNT"', ...more] });
const runs = (): number =>
  existsSync(join(dir, 'count')) ? readFileSync(join(dir, 'count'), 'utf8').split('run').length - 1 : 0;
const keys = (): string[] =>
  readdirSync(root)
    .filter((name) => !name.includes('.'))
    .sort();
const silent = (): void => undefined;
async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  return error instanceof PolaronError ? error.code : `no error: ${String(error)}`;
}

describe('an environment', () => {
  it('is made once for all that ask at the same time, later, and in the next life; each is told how it goes', async () => {
    const one = agent();
    const said: string[][] = [[], [], []];
    const held = await Promise.all(
      said.map((lines) => one.obtain(counting('sleep 0.2'), (line) => void lines.push(line), signal)),
    );
    expect(new Set(held.map(({ installed }) => installed.dir)).size).toBe(1);
    for (const lines of said) expect(lines).toContain('installing shell sleep 0.2');
    for (const { giveBack } of held) giveBack();
    const later = await one.obtain(counting('sleep 0.2'), silent, signal);
    const next = await agent().obtain(counting('sleep 0.2'), silent, signal);
    expect([later.installed.dir, next.installed.dir]).toEqual([held[0]?.installed.dir, held[0]?.installed.dir]);
    expect(runs()).toBe(1);
  });

  it('is another one for other content only: the order of packages means nothing, that of commands does', async () => {
    const store = environments();
    const key = (deps: DepsDef): Promise<string> => store.keyOf(deps);
    const base = await key({ npm: { a: '1', b: '2' }, shell: ['x', 'y'] });
    expect(await key({ npm: { a: '1', b: '2' }, shell: ['y', 'x'] })).not.toBe(base);
    expect(await key({ npm: { a: '1', b: '3' }, shell: ['x', 'y'] })).not.toBe(base);
    expect(await environments().keyOf({ npm: { a: '1', b: '2' }, shell: ['x', 'y'] })).toBe(base);
  });

  it('has its commands run in it, in order, with its folder for programs on the PATH', async () => {
    const { installed } = await agent().obtain(
      {
        shell: [
          `printf '#!/bin/sh\\necho made' > bin/polaron-made && chmod +x bin/polaron-made`,
          'polaron-made > said',
          'cat said > "$POLARON_DEPS/again"',
        ],
      },
      silent,
      signal,
    );
    expect(readFileSync(join(installed.dir, 'again'), 'utf8')).toBe('made\n');
    expect(installed.env['PATH']?.split(':')[0]).toBe(join(installed.dir, 'bin'));
    expect(installed.env['POLARON_DEPS']).toBe(installed.dir);
  });

  it('of two agents of a machine is made by one, and waited for by the other', async () => {
    const said: string[] = [];
    const first = agent().obtain(counting('sleep 0.5'), silent, signal);
    await until(() => runs() === 1, 'the first installs');
    const [a, b] = await Promise.all([
      first,
      agent().obtain(counting('sleep 0.5'), (line) => void said.push(line), signal),
    ]);
    expect(a.installed.dir).toBe(b.installed.dir);
    expect(said[0]).toBe(`waiting for process ${process.pid} of this machine, which installs the same`);
    expect(runs()).toBe(1);
  });

  it('that an agent was killed over is thrown away, and made anew by who wants it', async () => {
    const store = environments();
    const key = await store.keyOf(counting());
    mkdirSync(join(root, key), { recursive: true });
    writeFileSync(join(root, key, 'half'), '');
    // its lock, of a process that is gone
    writeFileSync(join(root, `${key}.lock`), JSON.stringify({ pid: 2 ** 22 - 1, startTime: 'long ago' }));
    const { installed } = await agent().obtain(counting(), silent, signal);
    expect([existsSync(join(installed.dir, 'half')), runs()]).toEqual([false, 1]);
    mkdirSync(join(root, 'f'.repeat(24)));
    environments().tidy();
    expect(keys()).toEqual([key]);
  });

  it('that is being made is not swept by the next agent that starts', async () => {
    const making = agent().obtain(counting('sleep 0.4', 'test -d bundles'), silent, signal);
    await until(() => runs() === 1, 'it installs');
    environments().tidy();
    await making;
    expect(keys()).toHaveLength(1);
  });
});

describe('an installation', () => {
  it("runs no package's install script, but where a command says so", { timeout: 120_000 }, async () => {
    const script = "require('node:fs').writeFileSync('built', '')";
    const spec = npmPackage(
      dir,
      'builds',
      '1.0.0',
      { 'index.js': '', 'install.js': script },
      {
        scripts: { install: 'node install.js' },
      },
    );
    const shell = ['ls node_modules/builds > before', 'npm rebuild builds --ignore-scripts=false'];
    const { installed } = await agent({ env: ownEnv }).obtain({ npm: { builds: spec }, shell }, silent, signal);
    expect(readFileSync(join(installed.dir, 'before'), 'utf8')).toBe('index.js\ninstall.js\npackage.json\n');
    expect(existsSync(join(installed.dir, 'node_modules', 'builds', 'built'))).toBe(true);
  });

  it('that fails says the last lines, the agent and how it ended, and leaves nothing', async () => {
    const failing = agent().obtain({ shell: ['echo one; echo two >&2; exit 3'] }, silent, signal);
    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    if (!(error instanceof PolaronError)) throw new Error('it succeeded');
    expect([error.code, error.retryable]).toEqual(['DEPS_INSTALL_FAILED', true]);
    expect(error.message).toMatch(
      /^the command "echo one; .*" failed on agent lab\.one \(linux-x64, Node [\d.]+\): exit code 3\none\ntwo$|^the command .*\(darwin/,
    );
    expect(readdirSync(root)).toEqual([]);
  });

  it('that failed is not tried again at once for each that asks', async () => {
    const one = agent();
    const deps = counting('exit 1');
    expect(await codeOf(one.obtain(deps, silent, signal))).toBe('DEPS_INSTALL_FAILED');
    expect(await codeOf(one.obtain(deps, silent, signal))).toBe('DEPS_INSTALL_FAILED');
    expect(runs()).toBe(1);
  });

  it('that takes too long is ended, with all that it started', async () => {
    const deps = { shell: [`sleep 60 & echo $! > ${join(dir, 'pid')}; wait`] };
    const error: unknown = await agent({ timeoutMs: 300 })
      .obtain(deps, silent, signal)
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('it was not done in 0.3 s');
    const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'));
    await until(() => startTimeOf(pid) === undefined, 'what it started is gone');
  });

  it('ends when nobody waits for it any more', async () => {
    const one = agent();
    const deps = counting('sleep 60');
    const [first, second] = [new AbortController(), new AbortController()];
    const asked = [first, second].map(({ signal: mine }) =>
      one.obtain(deps, silent, mine).catch((thrown: unknown) => thrown),
    );
    await until(() => runs() === 1, 'it installs');
    first.abort(new Error('no longer'));
    expect(await asked[0]).toMatchObject({ message: 'no longer' });
    second.abort(new Error('neither'));
    expect(await asked[1]).toMatchObject({ message: 'neither' });
    await until(() => readdirSync(root).length === 0, 'nothing is left');
    // and whoever comes right then begins anew
    expect(runs()).toBe(1);
  });

  it('goes on for the others when one gives up', async () => {
    const one = agent();
    const deps = counting(`until [ -e ${join(dir, 'go')} ]; do sleep 0.02; done`);
    const impatient = new AbortController();
    const [gaveUp, patient] = [impatient.signal, signal].map((mine) => one.obtain(deps, silent, mine));
    gaveUp?.catch(() => undefined);
    await until(() => runs() === 1, 'it installs');
    impatient.abort(new Error('no longer'));
    await expect(gaveUp).rejects.toThrow('no longer');
    writeFileSync(join(dir, 'go'), '');
    expect((await patient)?.installed.dir).toBe(join(root, keys()[0] ?? ''));
    expect(runs()).toBe(1);
  });

  it('without npm, or without Python, says so', async () => {
    const nowhere = { env: { PATH: '/nowhere' }, nodePath: '/nowhere/node', python: '/nowhere/python3' };
    const npm: unknown = await agent(nowhere)
      .obtain({ npm: { a: '1' } }, silent, signal)
      .catch((thrown: unknown) => thrown);
    expect(String(npm)).toContain('agent lab.one has no npm: "npm" was not found. Install npm');
    const pip: unknown = await agent(nowhere)
      .obtain({ pip: ['a'] }, silent, signal)
      .catch((thrown: unknown) => thrown);
    expect(String(pip)).toContain('agent lab.one has no Python: "/nowhere/python3" was not found. Install Python 3');
  });

  it('into a venv falls back on a pip of its own, and says what is missing where there is none', async () => {
    const python = join(dir, 'python3');
    const [venv, log] = [join(dir, 'venv-python'), join(dir, 'asked')];
    writeFileSync(
      venv,
      `#!/bin/sh\necho "venv $*" >> ${log}\n[ "$2" = ensurepip ] && [ -n "$NO_PIP" ] && { echo 'No module named ensurepip'; exit 1; }\nexit 0\n`,
      { mode: 0o755 },
    );
    writeFileSync(
      python,
      `#!/bin/sh\ncase "$2" in\nvenv) mkdir -p "$4/bin"; cp ${venv} "$4/bin/python";;\npip) echo 'No module named pip' >&2; exit 1;;\n--version) echo 3.9.9;;\n*) echo cpython 3.9.9;;\nesac\n`,
      { mode: 0o755 },
    );
    const env = { PATH: process.env['PATH'] ?? '' };
    await agent({ python, env }).obtain({ pip: ['one'] }, silent, signal);
    expect(readFileSync(log, 'utf8')).toMatch(/^venv -m ensurepip\nvenv -m pip install .*-r requirements\.txt\n$/);
    const none: unknown = await agent({ python, env: { ...env, NO_PIP: '1' } })
      .obtain({ pip: ['two'] }, silent, signal)
      .catch((thrown: unknown) => thrown);
    expect(String(none)).toMatch(
      /there is no pip \(on Debian and Ubuntu it comes with the package .*\) on agent lab\.one/,
    );
  });

  it("into a venv is the work of the Python's own pip, also when that is known by its name alone", async () => {
    const log = join(dir, 'asked');
    const program = join(dir, 'python3');
    // it makes venves whose Python has no pip, as a real one does
    writeFileSync(
      program,
      `#!/bin/sh\ncase "$2" in\nvenv) mkdir -p "$4/bin"; printf '#!/bin/sh\\necho "No module named pip"; exit 1\\n' > "$4/bin/python3"; chmod +x "$4/bin/python3";;\npip) echo "pip $*" >> ${log};;\n*) echo cpython 3.9.9; echo ${program};;\nesac\n`,
      { mode: 0o755 },
    );
    const env = { PATH: `${dir}:${process.env['PATH'] ?? ''}` };
    const { installed } = await agent({ python: 'python3', env }).obtain({ pip: ['one'] }, silent, signal);
    expect(readFileSync(log, 'utf8')).toMatch(`pip -m pip --python ${installed.dir}/venv/bin/python install`);
  });

  it('is refused by an agent that installs nothing', async () => {
    expect(await codeOf(refuseDeps('lab.two').obtain({ pip: ['a'] }, silent, signal))).toBe('DEPS_REFUSED');
  });
});

describe('over the limit', () => {
  const age = (key: string, hours: number): void => {
    const at = Date.now() / 1_000 - 3_600 * hours;
    utimesSync(join(root, `${key}.json`), at, at);
  };

  it('those that were not used for longest go, but none that is in use, also by another process', async () => {
    const one = agent({ most: 2 });
    const made: string[] = [];
    const make = async (n: number): Promise<() => void> => {
      const { installed, giveBack } = await one.obtain({ shell: [`echo ${n}`] }, silent, signal);
      made.push(installed.key);
      age(installed.key, 10 - n);
      return giveBack;
    };
    await make(0); // stays in use
    (await make(1))();
    (await make(2))();
    expect(keys()).toEqual([made[0], made[2]].toSorted());
    // in use by another agent of this machine
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    await until(() => startTimeOf(other.pid ?? 0) !== undefined, 'the other lives');
    writeFileSync(join(root, `${made[2]}.claim-${other.pid}-x-1`), startTimeOf(other.pid ?? 0) ?? '');
    // what was made just now is in use, too
    (await make(3))();
    expect(keys()).toEqual([made[0], made[2], made[3]].toSorted());
    const gone = new Promise((resolve) => other.on('exit', resolve));
    other.kill('SIGKILL');
    await gone;
    (await make(4))();
    expect(keys()).toEqual([made[0], made[4]].toSorted());
  });

  it('what one gave back stays for the others that have it', async () => {
    const one = agent({ most: 1 });
    const [first, second] = [
      await one.obtain({ shell: ['true'] }, silent, signal),
      await one.obtain({ shell: ['true'] }, silent, signal),
    ];
    first.giveBack();
    first.giveBack();
    await new Promise((resolve) => setImmediate(resolve));
    age(second.installed.key, 1);
    (await one.obtain({ shell: ['echo other'] }, silent, signal)).giveBack();
    expect(existsSync(second.installed.dir)).toBe(true);
  });

  it('of bytes, too', async () => {
    const one = agent({ bytes: 3 * 1024 * 1024 });
    for (const n of [1, 2, 3]) {
      const { installed, giveBack } = await one.obtain(
        { shell: [`head -c 2000000 /dev/zero > data${n}`] },
        silent,
        signal,
      );
      giveBack();
      age(installed.key, 10 - n);
    }
    expect(keys()).toHaveLength(1);
  });
});
