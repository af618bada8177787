/** agent.yaml: what it may say, what goes before it, and what is told of a wrong one. */
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { agentKeys, parseAgentFile, readAgentFile, type AgentFile } from '../../cli/agent-file.ts';
import { resolveAgentCommand, type AgentArguments } from '../../cli/agent-options.ts';
import { PolaronError } from '../../model/errors.ts';
import { firstColumn, plain, readPage, section, tableOf } from '../docs/pages.ts';
import { codeBlocks } from '../docs/code-blocks.ts';
import { makeProgram } from '../../cli/program.ts';

const page = readPage('docs/guides/running-agents.md');
const ofFile = section(page, 'The file agent.yaml');

const complaint = (text: string): string => {
  try {
    parseAgentFile(text, 'agent.yaml');
  } catch (error) {
    if (error instanceof PolaronError && error.code === 'USAGE') return `${error.message}. ${error.help}`;
    throw error;
  }
  return 'nothing wrong';
};

describe('agent.yaml', () => {
  it('of the guide is read, and shows every key', () => {
    const [example] = codeBlocks(page).filter(({ language }) => language === 'yaml');
    const read = parseAgentFile(example?.code ?? '', 'agent.yaml');
    expect(read).toEqual({
      bus: 'tls://a.lab.gpu-1:PASSWORD@hub.example.org:4222',
      name: 'gpu-1',
      site: 'lab',
      capabilities: ['gpu', 'memory=64GiB'],
      slots: 4,
      executors: [{ name: 'process' }],
      deps: true,
      idle: 3_600_000,
      grace: 45_000,
    });
    expect(Object.keys(read).sort()).toEqual(Object.keys(agentKeys).sort());
  });

  it('has a row of the guide for each key, with an option that exists', () => {
    expect(firstColumn(ofFile, 'key').sort()).toEqual(Object.keys(agentKeys).sort());
    const options = tableOf(ofFile, 'key').rows.map(([, option]) => plain(option));
    const program = makeProgram(
      {
        terminal: { out() {}, raw() {}, err() {}, status() {}, live: false, colour: false, columns: 80 },
        json: false,
        env: {},
        cwd: '/',
        self: { command: '', args: [] },
        now: () => 0,
        connect: () => Promise.reject(new Error('no')),
        host: () => Promise.reject(new Error('no')),
        interrupted: () => new AbortController().signal,
      },
      () => undefined,
    );
    const agent = program.commands.find((command) => command.name() === 'agent');
    const known = agent?.options.map(({ long }) => long).filter((long) => long !== '--json' && long !== '--config');
    expect(options.sort()).toEqual(known?.sort());
  });

  it('may be empty, or hold nothing but remarks', () => {
    expect([parseAgentFile('', 'f'), parseAgentFile('# nothing\n', 'f'), parseAgentFile('---\n', 'f')]).toEqual([
      {},
      {},
      {},
    ]);
  });

  it('is refused with file, line, key and what is expected', () => {
    expect(complaint('slots: 4\n\ncapabilites: [gpu]\n')).toBe(
      'agent.yaml:3: unknown key "capabilites"; did you mean capabilities?. ' +
        'Known are bus, name, site, capabilities, slots, executors, deps, idle, grace.',
    );
    expect(complaint('colour: red\n')).toMatch(/^agent\.yaml:1: unknown key "colour"\. Known are bus/);
    expect(complaint('name: a\nslots: many\n')).toMatch(
      /^agent\.yaml:2: slots is "many"; expected a whole number from 1 to 4096\./,
    );
    expect(complaint('slots: 0')).toContain('slots is 0; expected');
    expect(complaint('capabilities: gpu')).toContain('capabilities is "gpu"; expected a list of texts');
    expect(complaint('capabilities:\n  - gpu\n  - 4\n')).toMatch(/^agent\.yaml:2: capabilities is \["gpu",4\]/);
    expect(complaint('executors: [{ a: 1 }]')).toContain('executors is [{"a":1}]; expected a list of names');
    expect(complaint('deps: no way')).toContain('deps is "no way"; expected true or false');
    expect(complaint('grace: 30')).toContain('grace is 30; expected a duration such as 30s or 10m');
    expect(complaint('name:\n')).toContain('name is null; expected a name');
    expect(complaint('- a\n- b\n')).toMatch(/^agent\.yaml:1: expected keys and values/);
    expect(complaint('a: [\nb: 1\n')).toMatch(/^agent\.yaml:\d: no valid YAML: /);
    expect(complaint('slots: 1\nslots: 2\n')).toMatch(/^agent\.yaml:2: no valid YAML: .*unique/);
    expect(() => readAgentFile('/no/such/agent.yaml')).toThrow(/\/no\/such\/agent\.yaml can't be read: ENOENT/);
  });
});

describe('what an agent runs with', () => {
  const none: AgentArguments = { capability: [], executor: [], deps: true };
  const file: AgentFile = {
    bus: 'nats://file:4222',
    name: 'File 1',
    site: 'files',
    capabilities: ['gpu'],
    slots: 3,
    executors: [{ name: 'slurm', settings: { partition: 'gpu' } }],
    deps: false,
    grace: 9_000,
  };
  const resolved = (args: Partial<AgentArguments>, env: NodeJS.ProcessEnv = {}, says: AgentFile = file) => {
    const { busAgain, ...rest } = resolveAgentCommand({ ...none, config: 'a.yaml', ...args }, env, '/etc', () => says);
    return { ...rest, again: busAgain?.() };
  };

  it('is the flag, else the environment, else the file, else the default', () => {
    const ofTheFile = {
      bus: 'nats://file:4222',
      name: 'file-1',
      site: 'files',
      capabilities: ['gpu'],
      slots: 3,
      executors: [{ name: 'slurm', settings: { partition: 'gpu' } }],
      installDeps: false,
      graceMs: 9_000,
    };
    expect(resolved({})).toEqual({ ...ofTheFile, again: 'nats://file:4222' });
    const env = { POLARON_URL: 'nats://env:4222' };
    expect(resolved({}, env)).toEqual({ ...ofTheFile, bus: 'nats://env:4222', again: undefined });
    const flags = {
      bus: 'nats://flag:4222',
      name: 'flag',
      site: 'flags',
      capability: ['x'],
      slots: 1,
      executor: ['./e.ts'],
      grace: 1,
    };
    expect(resolved(flags, env)).toEqual({
      bus: 'nats://flag:4222',
      name: 'flag',
      site: 'flags',
      capabilities: ['x'],
      slots: 1,
      executors: [{ name: './e.ts' }],
      installDeps: false,
      graceMs: 1,
      again: undefined,
    });
    expect(resolved({ bus: 'b', name: 'n' }, {}, {})).toMatchObject({
      site: 'local',
      capabilities: [],
      slots: availableParallelism(),
      installDeps: true,
      graceMs: 5_000,
    });
    expect(resolved({ deps: false }, {}, { bus: 'b', deps: true }).installDeps).toBe(false);
  });

  it('finds the file from where the command runs', () => {
    const read: string[] = [];
    resolveAgentCommand({ ...none, config: 'a.yaml' }, {}, '/etc/polaron', (path) => {
      read.push(path);
      return file;
    });
    expect(read).toEqual(['/etc/polaron/a.yaml']);
  });

  it('may not offer what cannot be read, wherever it is said', () => {
    const offers = ['memory=lots and lots'];
    expect(() => resolved({ capability: offers })).toThrow(expect.objectContaining({ code: 'CAPABILITY_INVALID' }));
    expect(() => resolved({}, {}, { bus: 'b', capabilities: offers })).toThrow(/a\.yaml: capabilities/);
  });

  it('is refused without a bus, naming every way to say it, and with credentials of another agent', () => {
    expect(() => resolved({}, { POLARON_URL: '' }, {})).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: 'an agent needs --bus',
        help: expect.stringMatching(/--bus .*POLARON_URL.*--config/),
      }),
    );
    const invited = { bus: 'nats://a.lab.gpu-1:secret@h:4222' };
    expect(resolved({}, {}, invited)).toMatchObject({ site: 'lab', name: 'gpu-1' });
    expect(() => resolved({}, {}, { ...invited, name: 'gpu-2' })).toThrow(
      /credentials are for agent gpu-1 of site lab/,
    );
  });
});
