/** What `lepton` checks where it is defined, what it packs, and that it runs here by `.local()`. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PolaronError } from '../../model/errors.ts';
import { trusted } from '../../model/trusted.ts';
import { lattice } from '../../sdk/lattice.ts';
import { lepton } from '../../sdk/lepton.ts';
import { traceLattice } from '../../sdk/trace.ts';
import type { LeptonOptions } from '../../sdk/types.ts';
import { project, removeProjects, ship } from './ship-support.ts';
import { registry } from '../../bus/protocol/registry.ts';

afterAll(removeProjects);

const refusal = (options: object): PolaronError => {
  try {
    lepton(trusted<LeptonOptions>(options));
  } catch (error) {
    if (error instanceof PolaronError) return error;
    throw error;
  }
  throw new Error('it was taken');
};
const python = { name: 'it', language: 'python', source: './it.py', function: 'f' };
const c = {
  name: 'it',
  language: 'c',
  library: 'libm.so.6',
  function: 'cos',
  arguments: ['double'],
  returns: 'double',
};

it('a lepton is refused in a thread, where its lattice is traced', () => {
  const shell = lepton<[], string>({ name: 'it', language: 'shell', command: 'true', isolation: 'thread' });
  expect(() =>
    traceLattice(
      lattice({ name: 'x' }, () => shell()),
      [],
    ),
  ).toThrow(/electron "it" \(.*\): it can't run in a thread: it is a lepton/);
});

describe('a lepton that can not be one is refused where it is defined', () => {
  it.each([
    [{ ...python, language: 'ruby' }, `language is "ruby"; expected 'python', 'shell' or 'c'`],
    [{ ...python, source: '' }, 'source is ""; expected a Python file'],
    [{ ...python, source: 'not a module' }, 'source is "not a module"; expected a Python file'],
    [{ ...python, source: './two.dots.py' }, 'source is "./two.dots.py"'],
    [{ ...python, function: 'f()' }, 'function is "f()"; expected the name of a Python function'],
    [{ ...python, pip: 'numpy' }, 'pip is "numpy"; expected an array of requirements'],
    [{ name: 'it', language: 'shell' }, 'command is undefined; expected a command'],
    [{ name: 'it', language: 'shell', command: [] }, 'command is []; expected a command'],
    [{ name: 'it', language: 'shell', command: 'x', output: 'x' }, `output is "x"; expected 'stdout', 'json' or`],
    [{ ...c, library: './lib.so' }, 'library is "./lib.so"; expected an absolute path, or a name'],
    [{ ...c, function: 'double cos(double)' }, 'function is "double cos(double)"'],
    [{ ...c, arguments: ['long'] }, 'arguments[0] is "long"; expected a type such as'],
    [{ ...c, arguments: ['out double'] }, 'arguments[0] is "out double"'],
    [{ ...c, arguments: ['void'] }, 'arguments[0] is "void"'],
    [{ ...c, returns: 'double[]' }, `returns is "double[]"; expected 'void' or a type that is no array`],
  ])('%j', (options, message) => {
    const error = refusal(options);
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/^lepton "it" \(lepton\.test\.ts:\d+\): /);
  });

  it('has a name of its own', () => {
    expect(refusal({ ...python, name: undefined })).toMatchObject({ code: 'NO_NAME' });
  });
});

describe('an electron that is a lepton', () => {
  it('in Python asks for agents that have it, whatever else is asked for', () => {
    const py = lepton<[], number>({ name: 'py', language: 'python', source: 'math', function: 'cos' });
    const sh = lepton<[], string>({ name: 'sh', language: 'shell', command: 'true', needs: ['gpu'] });
    const l = lattice({ electrons: { needs: ['site=a'] } }, function needs() {
      return [py(), py.with({ needs: ['gpu'] })(), sh()];
    });
    expect(traceLattice(l, []).graph.electrons.map(({ needs }) => needs)).toEqual([
      ['site=a', 'python'],
      ['gpu', 'python'],
      ['gpu'],
    ]);
  });

  it('runs here by .local(), and is a promise', async () => {
    const greet = lepton<[string], string>({ name: 'greet', language: 'shell', command: 'echo "hello $1"' });
    expect(await greet.local('you')).toBe('hello you');
    const l = lattice(function greeting(name: string) {
      return { greeting: greet(name) };
    });
    expect(await l.local('all')).toEqual({ greeting: 'hello all' });
  });

  it('is packed as data, without the bundler, under its own name', async () => {
    const base = lepton<[], string>({ name: 'base', language: 'shell', command: 'echo "$HOME"' });
    base.with({ name: 'other' });
    const entry = registry().electrons.find(({ name }) => name === 'other');
    if (entry === undefined) throw new Error('it was not registered');
    const { code } = await ship(project({}), [entry]);
    const text = Buffer.from(code).toString();
    expect(text).toContain('"name":"other"');
    // its siblings too: a lattice that is traced on an agent may call them
    expect(text).toContain('inline.set("base"');
  });

  it('has the digest of its data, with what hooks are around it', async () => {
    const codeOf = async (command: string, hook?: string): Promise<string | undefined> => {
      const hooks = hook === undefined ? '' : `, before: [{ run() { ${hook} } }]`;
      const folder = project({
        'a.mjs': `import { lepton } from 'polaron'; lepton({ name: 'it', language: 'shell', command: '${command}'${hooks} });`,
      });
      lepton({
        name: 'it',
        language: 'shell',
        command,
        ...(hook === undefined ? {} : { before: [{ run: () => hook }] }),
      });
      const entry = registry().electrons.at(-1);
      if (entry === undefined) throw new Error('it was not registered');
      const electron = { name: 'it', fn: entry.fn, at: 'a.mjs:1', file: join(folder, 'a.mjs') };
      return (await ship(folder, [electron])).codes['it'];
    };
    expect(await codeOf('a')).toBe(await codeOf('a'));
    expect(await codeOf('a')).not.toBe(await codeOf('b'));
    const hooked = await codeOf('a', 'x = 1');
    expect(hooked).toBe(await codeOf('a', 'x = 1'));
    expect(hooked).not.toBe(await codeOf('b', 'x = 1'));
    expect(hooked).not.toBe(await codeOf('a', 'x = 2'));
  });

  it('has the same digest wherever it stands; its place is for messages', async () => {
    const packed = async (): Promise<readonly [text: string, digest: string | undefined]> => {
      const entry = registry().electrons.at(-1);
      if (entry === undefined) throw new Error('it was not registered');
      const { code, codes } = await ship(project({}), [entry]);
      return [Buffer.from(code).toString(), codes['moved']];
    };
    const options = { name: 'moved', language: 'shell', command: 'a' } as const;
    lepton(options);
    const [first, digest] = await packed();
    lepton(options);
    const [second, same] = await packed();
    expect(first).toMatch(/"at":"lepton\.test\.ts:\d+"/);
    expect(second).not.toBe(first);
    expect([digest, same]).toEqual([expect.any(String), digest]);
  });

  it('of another definition with the same name is not mixed up with it', async () => {
    const [first, second] = ['one', 'two'].map((text) => {
      lepton({ name: 'twice', language: 'shell', command: `echo ${text}` });
      const entry = registry().electrons.at(-1);
      if (entry === undefined) throw new Error('it was not registered');
      return entry;
    });
    if (first === undefined || second === undefined) throw new Error('they were not registered');
    const folder = project({});
    expect(Buffer.from((await ship(folder, [first])).code).toString()).not.toContain('echo two');
    expect(Buffer.from((await ship(folder, [second])).code).toString()).not.toContain('echo one');
    await expect(ship(folder, [first, second])).rejects.toMatchObject({ code: 'ELECTRON_AMBIGUOUS' });
  });
});
