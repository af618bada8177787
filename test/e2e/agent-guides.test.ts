/**
 * What docs/guides/agents.md and executors.md tell a reader to type and to save, done on a real hub: only addresses and credentials are others.
 * Not here: their other programs (docs/guides.test.ts), executors of one's own (custom-executors.test.ts), nats-cli.md (docs/nats-cli.test.ts).
 */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeBlocks, type CodeBlock } from '../docs/code-blocks.ts';
import { readPage } from '../docs/pages.ts';
import { root } from '../house/sources.ts';
import { NatsCli, natsCli } from '../support/nats-cli.ts';
import { freePort } from '../support/nats-server.ts';
import { RealHub, type Running } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';

const WAIT_MS = 60_000;
const hub = new RealHub({ start: ['--no-agent'] });
let folder = '';
beforeAll(async () => {
  await hub.start();
  folder = mkdtempSync(join(hub.home, 'reader-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'polaron'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
}, WAIT_MS);
afterAll(() => hub.close());

const agentsPage = codeBlocks(readPage('docs/guides/agents.md'));
const executorsPage = codeBlocks(readPage('docs/guides/executors.md'));

function block(blocks: readonly CodeBlock[], language: string, part: string): string {
  const found = blocks.find((one) => one.language === language && one.code.includes(part));
  if (found === undefined) throw new Error(`no ${language} block has ${JSON.stringify(part)}`);
  return found.code;
}

/** As a shell would take it apart; these have no quotes but empty ones. */
const words = (line: string): readonly string[] =>
  line
    .trim()
    .split(/\s+/)
    .map((word) => (word === "''" ? '' : word));

const invitation = async (name: string, ...args: readonly string[]): Promise<string> =>
  (await hub.polaron(['invite', name, '--url', ...args])).out.trim();

/** A module in TypeScript in the reader's folder. */
function run(file: string, text: string, env: NodeJS.ProcessEnv = {}): Running {
  writeFileSync(join(folder, file), text);
  return hub.launch(['--import', import.meta.resolve('tsx'), join(folder, file)], env);
}

async function launched(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const agent = hub.launchPolaron(args, env);
  await until(() => agent.out().includes('ready') || agent.child.exitCode !== null, 'the agent joins', WAIT_MS);
  expect(agent.err()).toBe('');
  return agent;
}

async function stopped(running: Running): Promise<void> {
  running.child.kill('SIGTERM');
  await running.finished;
}

describe('docs/guides/agents.md', { timeout: 2 * WAIT_MS }, () => {
  let agent: Running;
  beforeAll(async () => {
    const [program, ...args] = words(block(agentsPage, 'sh', 'polaron agent'));
    expect(program).toBe('polaron');
    const own = await invitation('box1', '--site', 'lab');
    agent = await launched(args.map((word) => (word === 'nats://hub:4222' ? own : word)));
  }, WAIT_MS);
  afterAll(() => stopped(agent));

  it('has its electron run on its agent', async () => {
    const train = block(agentsPage, 'ts', 'function train');
    const { exit, out, err } = await run(
      'train.ts',
      `import { dispatch, electron, getResult, lattice } from 'polaron';
${train}
const trained = lattice(function trained(rows: number[][]) {
  return train(rows);
});
const result = await getResult(await dispatch(trained)([[1], [2]]), { wait: true });
console.log(result.status, result.status === 'completed' && result.value, (await result.electrons.get('train')).agent);
`,
    ).finished;
    expect({ exit, out, err }).toEqual({ exit: 0, out: 'completed 2 lab.box1\n', err: '' });
  });

  it('shows what waits in the words that `show --why` has', async () => {
    const { out, err } = await run(
      'waits.ts',
      `import { cancel, dispatch, electron, lattice } from 'polaron';
const hold = electron({ needs: ['memory>=48GiB'] }, async function hold(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});
const train = electron({ needs: ['memory>=128GiB'] }, function train(): void {});
const fit = electron({ needs: ['memory>=32GiB'] }, function fit(): void {});
const held = lattice(function held() { return hold(); });
const waits = lattice(function waits() { return [train(), fit()]; });
console.log(await dispatch(held)());
console.log(await dispatch(waits)());
process.exit(0);
`,
    ).finished;
    expect(err).toBe('');
    const [held = '', waits = ''] = out.trim().split('\n');
    await until(async () => (await hub.polaron(['show', held])).out.includes('lab.box1'), 'it holds 48 GiB', WAIT_MS);
    const said = (await hub.polaron(['show', waits, '--why'])).out.trim().split('\n');
    expect(said.sort()).toEqual(block(agentsPage, '', 'waits for an agent').trim().split('\n').sort());
    for (const id of [held, waits]) expect(await hub.polaron(['cancel', id])).toMatchObject({ exit: 0 });
  });

  it('shows what `polaron doctor` looks at', async () => {
    const shown = block(agentsPage, '', 'CHECK');
    const { out } = await hub.polaron(['doctor']);
    const checks = (text: string): readonly string[] =>
      [...text.matchAll(/^(\w+) +(?:ok|missing|broken) /gm)].map(([, check = '']) => check);
    expect(checks(shown).length).toBeGreaterThan(5);
    expect(checks(out)).toEqual(expect.arrayContaining([...checks(shown)]));
    for (const text of [shown, out]) expect(text).toMatch(/^an agent here offers process .*cpus=\d+/m);
  });

  withRealPart('nats', natsCli, 'there is no nats command', (binary) => {
    it('is told by its agents who offers something', async () => {
      const cli = new NatsCli(binary);
      try {
        const [, ...args] = words(block(agentsPage, 'sh', 'nats req'));
        const as = ['--no-context', '--server', await invitation('kim', '--as', 'user')];
        const { out, err } = await cli.run(...as, '--inbox-prefix', '_INBOX.u.kim', ...args);
        expect(`${out}${err}`).toContain('{"site":"lab","agent":"box1"}');
      } finally {
        cli.close();
      }
    });
  });
});

describe('docs/guides/executors.md', { timeout: 2 * WAIT_MS }, () => {
  it('has electrons that can be defined', async () => {
    const fragments = executorsPage.filter(({ language, file }) => language === 'ts' && file === undefined);
    expect(fragments.length).toBeGreaterThan(6);
    const names = fragments.map(({ code, line }) => {
      writeFileSync(join(folder, `at-${line}.ts`), `import { electron, lepton } from 'polaron';\n${code}`);
      return `./at-${line}.ts`;
    });
    const { out, err } = await run('defines.ts', names.map((name) => `import ${JSON.stringify(name)};\n`).join(''))
      .finished;
    expect({ out, err }).toEqual({ out: '', err: '' });
  });

  it('has its function served, allowed and called', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/run`;
    const here = (text: string): string => {
      const changed = text.replace('https://functions.example/run', url).replace('listen(8080)', `listen(${port})`);
      expect(changed).not.toBe(text);
      return changed;
    };
    const server = run('function.ts', here(block(executorsPage, 'ts', 'httpHandler(')), { FUNCTION_TOKEN: 'sesame' });
    const settings = join(folder, 'agent.yaml');
    const yaml = here(block(executorsPage, 'yaml', 'bearerEnv'));
    writeFileSync(settings, `bus: ${await invitation('caller')}\n${yaml}`);
    const agent = await launched(['agent', '--config', settings], {
      POLARON_FUNCTION_TOKEN: 'sesame',
      POLARON_AWS_ACCESS_KEY_ID: 'an id',
      POLARON_AWS_SECRET_ACCESS_KEY: 'a secret',
    });
    const score = here(block(executorsPage, 'ts', 'const score'));
    const { exit, out, err } = await run(
      'score.ts',
      `import { dispatch, electron, getValue, lattice } from 'polaron';
${score}
const scored = lattice(function scored(text: string) {
  return score(text);
});
console.log(await getValue(await dispatch(scored)('four')));
`,
    ).finished;
    await stopped(agent);
    await stopped(server);
    expect({ exit, out, err }).toEqual({ exit: 0, out: '4\n', err: '' });
  });

  it('has a handler that AWS Lambda can call', async () => {
    writeFileSync(join(folder, 'handler.ts'), block(executorsPage, 'ts', 'lambdaHandler('));
    const { out, err } = await run(
      'calls.ts',
      `import { handler } from './handler.ts';
console.log(typeof handler, await handler({ body: 'no job' }).catch((error: Error) => error.message));
`,
    ).finished;
    expect(err).toBe('');
    expect(out).toMatch(/^function ./);
  });
});
