/** What users and strangers get for bad input, from the whole system: a coded error that says what to do, and a hub that goes on. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancel, connect, dispatch, getResult, getValue, watch } from 'polaron';
import type { Bus } from '../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeBody, encodeEnvelope } from '../../bus/codec.ts';
import { encodeGraph } from '../../bus/protocol/wire-graph.ts';
import { DEFAULT_RETRY, IDENTITY_ELECTRON, NO_TIMEOUTS, type WireGraph, type WireNode } from '../../model/graph.ts';
import { freePort } from '../support/nats-server.ts';
import { isolation, RealHub } from '../support/real-hub.ts';
import { branches, taking } from './workflows/failures.ts';
import { paths } from './workflows/kinds.ts';

const hub = new RealHub();
let bus: Bus;
let user: string;
beforeAll(async () => {
  ({ user } = await hub.start());
  bus = await hub.bus();
});
afterAll(async () => {
  await bus.close();
  await hub.close();
});

const codeOf = (call: () => Promise<unknown>): Promise<string> =>
  call().then(
    () => 'it was taken',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
const alive = async (): Promise<void> => {
  expect(await getValue(await dispatch(paths)())).toEqual({ said: '0.5 y 2', id: 1 });
};

describe('where no hub answers', () => {
  const script = `
    import { dispatch, electron, lattice } from 'polaron';
    const one = electron(function one() { return 1; });
    try { await dispatch(lattice(function single() { return one(); }))(); } catch (error) { console.log(error.code + '|' + error.message); }
  `;
  /** The one line that the script and the command say. */
  async function said(env: NodeJS.ProcessEnv): Promise<string> {
    const run = await hub.script(script, [], env);
    const [code = '', message = ''] = run.out.trim().split('|');
    expect(message).not.toContain('\n');
    const { exit, out, err } = await hub.polaron(['ls'], env);
    expect([exit, out]).toEqual([3, '']);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain(`polaron: ${code}: `);
    const json = await hub.polaron(['ls', '--json'], env);
    expect(JSON.parse(json.out)).toMatchObject({ error: { code } });
    return `${code} ${message}`;
  }

  it('there is none: says what was tried and what to do', async () => {
    const home = mkdtempSync(join(hub.home, 'empty-'));
    expect(await said({ POLARON_HOME: home })).toBe(
      `NO_HUB no hub found: POLARON_URL is not set and there is no ${home}/hub.json; run \`polaron start\`, or set POLARON_URL`,
    );
  });

  it('at a wrong address: names the address and where it was found', async () => {
    const at = `nats://127.0.0.1:${await freePort()}`;
    const line = await said({ POLARON_URL: at });
    expect(line).toContain(`NO_HUB no hub answers at ${at} (POLARON_URL): `);
    expect(line).toMatch(/refused.*; run `polaron start`, or set POLARON_URL$/);
  });

  it('in a text that is no address', async () => {
    expect(await said({ POLARON_URL: 'http://a b:c' })).toMatch(
      /^NO_HUB POLARON_URL is "http:\/\/a b:c", which is not a bus URL/,
    );
  });

  it('to wrong credentials: says as whom, and never the password', async () => {
    const { userUrl, bus: url } = hub.file();
    const wrong = userUrl.replace(/:[^:@]+@/, ':wrong-password@');
    const line = await said({ POLARON_URL: wrong });
    expect(line).toMatch(/^AUTH_FAILED the bus at nats:\/\/127\.0\.0\.1:\d+ \(POLARON_URL\) refused us as "u\./);
    expect(line).not.toContain('wrong-password');
    expect(await said({ POLARON_URL: url })).toContain('refused us without credentials');
    await expect(connect({ bus: wrong })).rejects.toMatchObject({ code: 'AUTH_FAILED' });
  });

  it('any more: at the address of a hub that was stopped', async () => {
    const other = new RealHub();
    try {
      const { userUrl } = await other.start();
      await other.stop();
      expect(await said({ POLARON_URL: userUrl })).toMatch(/^NO_HUB /);
    } finally {
      await other.close();
      hub.use();
    }
  });
});

describe('what does not exist', () => {
  it('a dispatch: is named, with near matches, in the SDK and with exit code 2', async () => {
    const id = await dispatch(paths)();
    await getValue(id);
    const near = `${id.slice(0, 8)}${id[8] === 'z' ? 'y' : 'z'}${id.slice(9)}`;
    const wanted = { code: 'UNKNOWN_DISPATCH', message: `there is no dispatch ${near}; did you mean ${id}?` };
    await expect(getResult(near)).rejects.toMatchObject(wanted);
    await expect(cancel(near)).rejects.toMatchObject(wanted);
    await expect(watch(near)[Symbol.asyncIterator]().next()).rejects.toMatchObject(wanted);
    for (const verb of ['show', 'result', 'watch', 'logs', 'cancel', 'graph']) {
      const { exit, out, err } = await hub.polaron([verb, near]);
      expect([verb, exit, out]).toEqual([verb, 2, '']);
      expect(err).toContain(id);
    }
    expect(await codeOf(() => getResult('not an id'))).toBe('UNKNOWN_DISPATCH');
    expect(await codeOf(() => getResult(id.replace(/-.*$/, '-other')))).toBe('NOT_OWNER');
  });

  it('an electron: is named, with near matches', async () => {
    const id = await dispatch(branches)();
    const result = await getResult(id, { wait: true });
    await expect(result.electrons.get('braeks')).rejects.toMatchObject({
      code: 'UNKNOWN_ELECTRON',
      message: expect.stringContaining('did you mean breaks'),
    });
    const { exit, err } = await hub.polaron(['logs', id, 'braeks']);
    expect(exit).toBe(2);
    expect(err).toContain('did you mean breaks');
    await expect(result.electrons.get(99)).rejects.toMatchObject({ code: 'UNKNOWN_ELECTRON' });
  });
});

describe('a data folder', () => {
  /** `polaron start` of another home on this data folder, in the foreground and detached. */
  async function refused(data: string): Promise<string> {
    const env = { POLARON_HOME: mkdtempSync(join(hub.home, 'other-')) };
    const foreground = await hub.polaron(['start', '--data', data, '--no-agent', '--json', ...isolation], env);
    expect(foreground.exit).toBe(1);
    const { error } = JSON.parse(foreground.out);
    const detached = await hub.polaron(['start', '--data', data, '--detach', ...isolation], env);
    expect([detached.exit, detached.out]).toEqual([1, '']);
    expect(detached.err).toContain(`${error.code}: `);
    expect(existsSync(join(env.POLARON_HOME, 'hub.json'))).toBe(false);
    return `${error.code} ${error.message}`;
  }

  it('that another hub uses is refused with its pid, and that hub goes on', async () => {
    const { data, pid } = hub.file();
    const holder = hub.options.includes('results') ? hub.resultsPid() : pid;
    expect(await refused(data)).toBe(`DATA_IN_USE data folder ${data} is in use by process ${holder}`);
    await alive();
  });

  it('of a newer version is refused', async () => {
    const other = new RealHub();
    try {
      const { data } = await other.start();
      await other.stop();
      const root = open({ path: join(data, 'records'), maxDbs: 8, overlappingSync: false });
      await root.openDB<Uint8Array, string>('meta', { encoding: 'binary' }).put('schemaVersion', Buffer.from('99'));
      await root.close();
      expect(await refused(data)).toMatch(/^DATA_NEWER .*99/);
    } finally {
      await other.close();
      hub.use();
    }
  });

  it.each(['a-file/data', 'a-file', '/proc/polaron'])('that cannot be written (%s) is refused', async (place) => {
    writeFileSync(join(hub.home, 'a-file'), '');
    const data = place.startsWith('/') ? place : join(hub.home, place);
    expect(await refused(data)).toContain(`DATA_NOT_WRITABLE data folder ${data} `);
  });

  it('and a home that cannot be used is said, too', async () => {
    const file = join(hub.home, 'home-is-a-file');
    writeFileSync(file, '');
    const { exit, err } = await hub.polaron(['start', '--detach', ...isolation], { POLARON_HOME: join(file, 'home') });
    expect(exit).toBe(1);
    expect(err).toMatch(/^polaron: DATA_NOT_WRITABLE: folder .*home-is-a-file\/home cannot be used: .*POLARON_HOME/);
  });
});

describe('an argument that cannot be sent', () => {
  class Point {
    x = 1;
  }
  it.each([
    ['a function', { model: { predict: () => 1 } }, 'is not serialisable at $.model.predict (function predict)'],
    ['a symbol', [1, [Symbol('s')]], 'is not serialisable at $[1][0] (symbol)'],
    ['a class instance', { points: [new Point()] }, 'is not serialisable at $.points[0] (instance of Point)'],
    ['a promise', { later: Promise.resolve(1) }, 'takes[0].later is a promise'],
  ])('(%s) is refused with its path, and nothing is stored', async (_what, argument, text) => {
    const before = await hub.json(['ls']);
    const error: unknown = await dispatch(taking)(argument).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: expect.stringMatching(/^(NOT_SERIALISABLE|PROMISE_ARG)$/) });
    expect(String(error)).toContain(text);
    expect(String(error)).toContain('failures.ts:');
    expect(await hub.json(['ls'])).toEqual(before);
  });
});

const HEADERS = { 'content-type': 'application/msgpack' };
/** What the hub answers to any bytes on a verb: the code, or `ok`. */
async function ask(verb: string, bytes: Uint8Array, binary = true, as = user): Promise<string> {
  const options = { timeoutMs: 5_000, ...(binary ? { headers: HEADERS } : {}) };
  const answer = await bus.request(`polaron.api.${as}.${verb}`, bytes, options);
  const reply: unknown = binary
    ? decodeBody(decodeEnvelope(answer.data).body)
    : JSON.parse(Buffer.from(answer.data).toString('utf8'));
  if (typeof reply !== 'object' || reply === null || !('ok' in reply)) return 'no reply';
  if (reply.ok === true) return 'ok';
  return 'error' in reply && typeof reply.error === 'object' && reply.error !== null && 'code' in reply.error
    ? String(reply.error.code)
    : 'no code';
}

let submissions = 0;
/** A submission that is fine but for what is given. */
const submission = (over: Record<string, unknown>): Record<string, unknown> => ({
  key: `hostile-${submissions++}`,
  lattice: { name: 'hostile', source: '' },
  graph: { bytes: encodeGraph(graphOf([])) },
  args: { bytes: Uint8Array.of(0x90) },
  argv: [],
  captures: {},
  metadata: {},
  durability: 'pipelined',
  failFast: false,
  priority: 0,
  timeoutMs: 0,
  ...over,
});
const identity = {
  name: IDENTITY_ELECTRON,
  executor: 'process',
  needs: [],
  retries: DEFAULT_RETRY,
  timeouts: NO_TIMEOUTS,
};
const graphOf = (nodes: readonly WireNode[]): WireGraph => ({
  electrons: [identity],
  nodes,
  output: { template: Uint8Array.of(0xc0), inputs: [] },
});
const node = (inputs: readonly number[], after: readonly number[] = [], electron = 0): WireNode => ({
  kind: 'electron',
  electron,
  template: Uint8Array.of(0x90),
  inputs,
  after,
});
const submit = (body: unknown): Promise<string> => ask('submit', encodeEnvelope(`u.${user}`, body));
const submitGraph = (bytes: Uint8Array): Promise<string> => submit(submission({ graph: { bytes } }));

describe('a hostile client', () => {
  it('is no other than a good one but for what it sends', async () => {
    expect(await submit(submission({}))).toBe('ok');
  });

  it.each([
    ['a node that waits for itself', graphOf([node([0])])],
    ['a cycle of two', graphOf([node([1]), node([0])])],
    ['a cycle by order', graphOf([node([], [1]), node([], [0])])],
    ['a missing node', graphOf([node([7])])],
    ['a node below zero', graphOf([node([-1])])],
    ['a missing electron', graphOf([node([], [], 5)])],
    ['an output of a missing node', { ...graphOf([]), output: { template: Uint8Array.of(0xc0), inputs: [3] } }],
  ])('with a graph of %s is refused', async (_what, graph) => {
    expect(await submitGraph(encodeGraph(graph))).toBe('GRAPH_INVALID');
  });

  it.each([
    ['text', encodeBody('graph')],
    ['numbers for nodes', encodeBody([1, [identity], [1, 2, 3], [Uint8Array.of(), []]])],
    ['another format', encodeBody([99, [], [], [Uint8Array.of(), []]])],
    ['nothing', Uint8Array.of()],
    ['noise', Uint8Array.from({ length: 5_000 }, (_, index) => (index * 7_919) & 255)],
    // Headers of arrays that promise more than there is: [1, [], array of …
    ['10 million nodes that are not there', Uint8Array.of(0x94, 0x01, 0x90, 0xdd, 0x00, 0x98, 0x96, 0x80)],
    ['4 billion nodes', Uint8Array.of(0x94, 0x01, 0x90, 0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['arrays 100,000 deep', new Uint8Array(100_000).fill(0x91)],
  ])('with a graph that is %s is refused at once', async (_what, bytes) => {
    const began = performance.now();
    expect(await submitGraph(bytes)).toBe('GRAPH_INVALID');
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('that names values or code that are not here is refused', async () => {
    const value = { digest: 'ab'.repeat(32), size: 10 };
    expect(await submit(submission({ graph: { value } }))).toBe('VALUE_MISSING');
    expect(await submit(submission({ args: { value } }))).toBe('VALUE_MISSING');
    const mine = { ...graphOf([node([])]), electrons: [{ ...identity, name: 'mine' }] };
    expect(await submit(submission({ graph: { bytes: encodeGraph(mine) } }))).toBe('GRAPH_INVALID');
    expect(await submit(submission({ graph: { bytes: encodeGraph(mine) }, bundle: value }))).toBe('VALUE_MISSING');
  });

  it.each([
    ['graph', 5],
    ['args', { bytes: 'text' }],
    ['lattice', null],
    ['key', { a: 1 }],
    ['durability', 'none'],
    ['metadata', [1]],
    ['timeoutMs', Number.NaN],
    ['priority', 'high'],
  ])('with %s of a wrong type is refused', async (field, wrong) => {
    expect(await submit(submission({ [field]: wrong }))).toMatch(/^BAD_/);
  });

  it('that claims another identity, speaks another version, or says nothing that can be read, is refused', async () => {
    expect(await ask('list', encodeEnvelope('u.somebody-else', {}))).toBe('NOT_ALLOWED');
    expect(await ask('list', encodeBody({ v: 99, by: `u.${user}`, body: encodeBody({}) }))).toBe('WRONG_VERSION');
    expect(await ask('list', Uint8Array.of(0xc1, 0xff))).toBe('BAD_MESSAGE');
    expect(await ask('list', Buffer.from('{"limit":'), false)).toBe('BAD_REQUEST');
    expect(await ask('list', Buffer.from('{"limit":"many"}'), false)).toMatch(/^BAD_/);
    expect(await ask('nonsense', Buffer.from('{}'), false)).toBe('BAD_REQUEST');
    const asAnother = ask('list', Buffer.from(''), false, 'somebody-else');
    await expect(asAnother).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    const tooLarge = ask('submit', new Uint8Array(bus.maxPayload + 1));
    await expect(tooLarge).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it('harms nobody, and is counted in the log, once a second at most', async () => {
    const [pid, agent] = [hub.pid('hub'), hub.pid('local-agent')];
    const said = (): number =>
      readFileSync(join(hub.home, 'hub.log'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('was refused')).length;
    const [before, began] = [said(), performance.now()];
    for (let times = 0; times < 500; times++)
      bus.publish(`polaron.api.${user}.submit`, Uint8Array.of(0xc1, times & 255));
    await bus.flush();
    await alive();
    expect([hub.pid('hub'), hub.pid('local-agent')]).toEqual([pid, agent]);
    expect(said() - before).toBeLessThanOrEqual(2 + (performance.now() - began) / 1_000);
    expect(said()).toBeGreaterThan(0);
  });
});
