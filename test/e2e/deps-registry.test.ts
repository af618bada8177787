/** Packages from the registries that npm and pip are set up for, as a user asks for them. Skipped visibly where there is none. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { python } from '../support/python.ts';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';

interface Said {
  readonly value: readonly unknown[];
  readonly lines: string;
}

const OF_NPM = 'bufferutil@4.0.9';
/** 6 kB of Python, and nothing else. */
const OF_PIP = 'iniconfig==2.0.0';

function works(program: string, args: readonly string[]): true | undefined {
  try {
    execFileSync(program, args, { timeout: 30_000, stdio: 'ignore' });
    return true;
  } catch {
    return undefined;
  }
}

function pipFinds(requirement: string): true | undefined {
  if (python === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'polaron-pip-'));
  const quiet = ['--no-input', '--disable-pip-version-check', '--retries', '0', '--timeout', '10'];
  try {
    return works(python, ['-m', 'pip', 'download', '--no-deps', ...quiet, '-d', folder, requirement]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const hub = new RealHub({ start: ['--slots', '1'], env: python === undefined ? {} : { POLARON_PYTHON: python } });
beforeAll(() => hub.start());
afterAll(() => hub.close());

async function said(source: string, files: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const run = await hub.script(source, [], {}, files);
  expect([run.exit, run.err]).toEqual([0, '']);
  return JSON.parse(run.out);
}

withRealPart('a registry of npm', works('npm', ['view', OF_NPM, 'version']), `npm can't find ${OF_NPM}`, () => {
  it('an electron uses a native package that its script has not', { timeout: 180_000 }, async () => {
    const value = await said(`
import { dispatch, electron, getValue, lattice } from 'polaron';
const mask = electron({ deps: { npm: { bufferutil: '4.0.9' } } }, async function mask(text) {
  const { default: native } = await import('bufferutil');
  const out = Buffer.alloc(text.length);
  native.mask(Buffer.from(text), Buffer.from([1, 2, 3, 4]), out, 0, text.length);
  return [[...out], Object.keys(process.report.getReport().sharedObjects).length, process.report.getReport().sharedObjects.some((one) => one.endsWith('.node'))];
});
const main = lattice(function main() { return mask('abcd'); });
console.log(JSON.stringify(await getValue(await dispatch(main)())));
`);
    expect(value).toEqual([[0x60, 0x60, 0x60, 0x60], expect.any(Number), true]);
  });
});

withRealPart('a registry of Python packages', pipFinds(OF_PIP), `pip can't find ${OF_PIP}`, () => {
  describe('a Python lepton', () => {
    it('has the packages that it names, in their versions; the next dispatch installs nothing', {
      timeout: 180_000,
    }, async () => {
      const settings = `
from importlib.metadata import version
from iniconfig import IniConfig
import sys
def read(text):
    return [IniConfig('settings', text)['lab']['site'], version('iniconfig'), sys.prefix]
`;
      const [first, second]: readonly Said[] = JSON.parse(
        JSON.stringify(
          await said(
            `
import { dispatch, getResult, lattice, lepton, watch } from 'polaron';
const read = lepton({ name: 'read', language: 'python', source: './settings.py', function: 'read', pip: ['${OF_PIP}'] });
const main = lattice(function main(text) { return read(text); });
const said = [];
for (const site of ['north', 'south']) {
  const id = await dispatch(main)('[lab]\\nsite = ' + site);
  let lines = '';
  for await (const event of watch(id, { from: 'start' })) if (event.type === 'electron.log') lines += event.data.text;
  said.push({ value: (await getResult(id, { wait: true })).value, lines });
}
console.log(JSON.stringify(said));
`,
            { 'settings.py': settings },
          ),
        ),
      );
      const venv: unknown = expect.stringMatching(/\/cache\/deps\/[^/]+\/[0-9a-f]{24}\/venv$/);
      expect(first?.value).toEqual(['north', '2.0.0', venv]);
      expect(first?.lines).toMatch(/installed pip iniconfig==2\.0\.0 in [\d.]+ s/);
      expect(second).toEqual({ value: ['south', '2.0.0', first?.value[2]], lines: '' });
    });
  });
});
