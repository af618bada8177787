/** The result manager over the memory store: R1, R2, and what it answers from the records. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { poisonOf } from '../../../actors/electron/letters.ts';
import { isResultsAnswer } from '../../../actors/asker.ts';
import { isResultsAsk, ResultManager } from '../../../actors/results/manager.ts';
import { encodeBody } from '../../../bus/codec.ts';
import type { SnapshotReply } from '../../../bus/protocol/api.ts';
import type { RecordOp, ResultsRequests, ResultsRequestType } from '../../../bus/protocol/results.ts';
import { encodeGraph } from '../../../bus/protocol/wire-graph.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import { encodeList, listElement, listLength } from '../../../bus/value/list.ts';
import type { DispatchSpec, ElectronRecord } from '../../../model/records.ts';
import { timeoutError } from '../../../model/timeouts.ts';
import { openMemoryStore } from '../../../store/memory-store.ts';
import { settle } from '../support/fake-clock.ts';
import { electron, graphOf, map } from '../support/graphs.ts';
import { dispatchId, makeHubWorld, specOf, subjects, type HubWorld } from '../support/hub-world.ts';

const id = dispatchId(1);
const graph = encodeGraph(
  graphOf(
    ['load', 'train', 'score'],
    [
      electron(0),
      map('sweep', 0, [electron(1, [{ item: 0 }])]),
      map('none', 0, [electron(1, [{ item: 0 }])]),
      electron(2, [1]),
    ],
    [3],
  ),
);
const content = digestOf(Buffer.from('content'));
const bytes = Buffer.from('a value');

let world: HubWorld;
afterEach(() => world.close());

const ask = <T extends ResultsRequestType>(
  type: T,
  body: ResultsRequests[T]['ask'],
): Promise<ResultsRequests[T]['answer']> => world.results.ask(type, body);
const electronOp = (node: number, record: Partial<ElectronRecord>): Extract<RecordOp, { op: 'electron' }> => ({
  op: 'electron',
  id,
  node,
  was: undefined,
  record: { status: 'completed', attempt: 1, failures: 0, losses: 0, seq: node + 1, ...record },
});
const end: RecordOp = { op: 'dispatch', id, record: { status: 'completed', seq: 9, errors: [], endedAt: 5 } };

function accept(over: Partial<DispatchSpec> = {}): void {
  world.results.write(
    { op: 'value', digest: digestOf(graph), bytes: graph },
    { op: 'value', digest: digestOf(bytes), bytes },
    {
      op: 'accept',
      spec: specOf(id, { graph: valueInfoOf(graph), args: valueInfoOf(bytes), nodes: 4, ...over }),
      contentDigest: content,
    },
  );
}
/** Is a promise settled after some turns? */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  let open = true;
  const close = (): void => {
    open = false;
  };
  promise.then(close, close);
  await settle();
  return open;
}
const flush = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) {
    world.store.flush();
    await settle();
  }
};

describe('R1: a wait', () => {
  it('whose time is up tells nothing that was written after that and is not on disk', async () => {
    world = makeHubWorld({ flush: 'manual' });
    accept();
    await flush();
    world.results.write({ op: 'epoch', epoch: 1 });
    await settle();
    const waited = ask('results.wait', { id, user: 'kim', timeoutMs: 100 });
    await world.clock.advance(100);
    world.store.flush();
    world.results.write(end);
    await settle();
    expect((await waited).dispatch.status).not.toBe('completed');
  });

  beforeEach(async () => {
    world = makeHubWorld({ flush: 'manual' });
    accept();
    // Nobody knows the id before: a wait doesn't send what is still queued.
    await settle();
  });

  it('is answered when the end is on disk, and not before', async () => {
    const waiting = ask('results.wait', { id, user: 'kim', timeoutMs: 20_000 });
    expect(await isOpen(waiting)).toBe(true);
    world.results.write(electronOp(3, { value: valueInfoOf(bytes) }), end);
    await settle();
    expect(await isOpen(waiting)).toBe(true);
    await flush();
    expect(await waiting).toMatchObject({ dispatch: { status: 'completed' }, output: { inputs: [bytes] } });
  });

  it('that comes between the end and its flush waits for the flush', async () => {
    world.results.write(electronOp(3, { value: valueInfoOf(bytes) }), end);
    await settle();
    const waiting = ask('results.wait', { id, user: 'kim', timeoutMs: 20_000 });
    expect(await isOpen(waiting)).toBe(true);
    await flush();
    expect(await waiting).toMatchObject({ dispatch: { status: 'completed' } });
  });

  it('whose time is up between the end and its flush waits for the flush, too', async () => {
    const waiting = ask('results.wait', { id, user: 'kim', timeoutMs: 1_000 });
    await settle();
    world.results.write(electronOp(3, { value: valueInfoOf(bytes) }), end);
    await settle();
    await world.clock.advance(1_000);
    expect(await isOpen(waiting)).toBe(true);
    await flush();
    expect((await waiting).dispatch.status).toBe('completed');
  });

  it('whose time is up says how far it is', async () => {
    await settle();
    await flush();
    const waiting = ask('results.wait', { id, user: 'kim', timeoutMs: 1_000 });
    await settle();
    await world.clock.advance(1_000);
    await flush();
    expect(await waiting).toMatchObject({ dispatch: { status: 'accepted', counts: { waiting: 4 } } });
  });

  it('of a failed one says why, without an output', async () => {
    const failure = { node: 'load', error: { code: 'TASK_THREW', message: 'no' } };
    const waiting = ask('results.wait', { id, user: 'kim', timeoutMs: 20_000 });
    world.results.write({ op: 'dispatch', id, record: { status: 'failed', seq: 9, errors: [failure] } });
    await settle();
    await flush();
    const reply = await waiting;
    expect([reply.dispatch.errors, reply.output]).toEqual([[failure], undefined]);
  });

  it('nothing that is read is told before it is on disk (R2)', async () => {
    await settle();
    await flush();
    world.results.write(electronOp(0, { value: valueInfoOf(bytes) }));
    const reads = [
      ask('results.detail', { id, user: 'kim' }),
      ask('results.snapshot', { id, user: 'kim' }),
      ask('results.value', { id, user: 'kim', electron: 'load' }),
      ask('results.list', { user: 'kim' }),
      ask('results.judge', { id, node: 0, token: [1, 1] }),
    ];
    for (const read of reads) expect(await isOpen(read)).toBe(true);
    await flush();
    await Promise.all(reads);
  });
});

describe('what the result manager answers', () => {
  const began: RecordOp = { op: 'dispatch', id, record: { status: 'running', seq: 1, errors: [] } };
  beforeEach(async () => {
    world = makeHubWorld();
    accept();
    await world.results.flushed();
  });

  it('judges an outcome that nobody works on', async () => {
    const at = { token: [100, 2] as const, agent: 'lab.a1' as const };
    world.results.write(electronOp(0, at), electronOp(1, { ...at, status: 'assigned' }));
    const judge = async (node: number, token: readonly [number, number], of = id): Promise<string> =>
      (await ask('results.judge', { id: of, node, token })).verdict;
    expect(await judge(0, [100, 2])).toBe('duplicate');
    expect(await judge(0, [100, 1])).toBe('stale');
    world.results.write(electronOp(2, { ...at, status: 'cancelled' }));
    expect(await judge(2, [100, 2])).toBe('stale');
    for (const error of [
      timeoutError('total', 'load', 5),
      timeoutError('queue', 'load', 5),
      poisonOf('load', 10, []),
    ]) {
      world.results.write(electronOp(2, { ...at, status: 'failed', error }));
      expect(await judge(2, [100, 2])).toBe('stale');
    }
    world.results.write(electronOp(2, { ...at, status: 'failed', error: timeoutError('attempt', 'load', 5) }));
    expect(await judge(2, [100, 2])).toBe('duplicate');
    expect(await judge(1, [100, 2])).toBe('later');
    expect(await judge(3, [100, 2])).toBe('stale');
    expect(await judge(0, [100, 2], dispatchId(9))).toBe('unknown');
    world.results.write({ op: 'dispatch', id, record: { status: 'failed', seq: 9, errors: [] } });
    expect(await judge(1, [100, 2])).toBe('stale');
  });

  it('admits a new key, knows an old one, and tells which values are here', async () => {
    const gone = digestOf(Buffer.from('gone'));
    const admit = (user: string, key: string) => ask('results.admit', { user, key, digests: [digestOf(bytes), gone] });
    expect(await admit('kim', 'new')).toEqual({ sizes: [bytes.length, undefined], full: false });
    expect((await admit('kim', `key of ${id}`)).existing).toEqual({ id, contentDigest: content });
    expect((await admit('lee', `key of ${id}`)).existing).toBeUndefined();
  });

  it('accepts nothing more when the disk is nearly full', async () => {
    world.close();
    const store = openMemoryStore();
    store.freeBytes = () => Promise.resolve(1_000);
    world = makeHubWorld({ store });
    await settle();
    expect((await ask('results.admit', { user: 'kim', key: 'k', digests: [] })).full).toBe(true);
  });

  it('cuts pages of large electrons and of large dispatches to what fits into a message', async () => {
    const text = 'x'.repeat(100_000);
    const large = [2, 3, 4, 5, 6, 7].map((n) => dispatchId(n));
    for (const one of large)
      world.results.write({
        op: 'accept',
        spec: specOf(one, { metadata: { text } }),
        contentDigest: content,
      });
    const failed = (node: number, message: string, stack: string): RecordOp =>
      electronOp(node, { status: 'failed', error: { code: 'TASK_THREW', message, stack } });
    const items = Array.from({ length: 8 }, () => valueInfoOf(bytes));
    world.results.write({ op: 'expansion', id, record: { map: 1, base: 4, count: 8, items } });
    for (let node = 0; node < 8; node++) world.results.write(failed(node, `m${node}`, text.slice(0, 60_000)));
    world.results.write(failed(8, text, text));
    const nodes: number[] = [];
    for (let from: number | undefined = 0; from !== undefined; ) {
      const page: SnapshotReply = await ask('results.snapshot', { id, user: 'kim', from });
      expect(encodeBody(page).length).toBeLessThan(400_000);
      nodes.push(...page.electrons.map((one) => one.id));
      for (const { id: node, error } of page.electrons) if (node < 8) expect(error?.stack?.length).toBe(60_000);
      from = page.next;
    }
    expect(nodes).toEqual(Array.from({ length: 12 }, (_, node) => node));
    const seen: string[] = [];
    for (let before: string | undefined; ; ) {
      const reply = await ask('results.list', { user: 'kim', ...(before === undefined ? {} : { before }) });
      expect(encodeBody(reply).length).toBeLessThan(400_000);
      seen.push(...reply.dispatches.map((one) => one.id));
      if (!reply.more) break;
      before = seen.at(-1);
    }
    expect(seen).toEqual([...large.toReversed(), id]);
  });

  it("lists a user's own dispatches, newest first, in pages, by status", async () => {
    for (let n = 2; n < 6; n++)
      world.results.write({
        op: 'accept',
        spec: specOf(dispatchId(n), { user: n === 4 ? 'lee' : 'kim' }),
        contentDigest: content,
      });
    world.results.write({ op: 'dispatch', id: dispatchId(3), record: { status: 'failed', seq: 1, errors: [] } });
    const list = async (o: Omit<ResultsRequests['results.list']['ask'], 'user'> = {}) => {
      const { dispatches, more } = await ask('results.list', { user: 'kim', ...o });
      return [dispatches.map((one) => Number(one.id.slice(0, 20))), more];
    };
    expect(await list()).toEqual([[5, 3, 2, 1], false]);
    expect(await list({ limit: 2 })).toEqual([[5, 3], true]);
    expect(await list({ before: dispatchId(3) })).toEqual([[2, 1], false]);
    expect(await list({ status: 'failed' })).toEqual([[3], false]);
  });

  it('shows electrons in pages, by what changed, status and name, maps expanded', async () => {
    const items = [valueInfoOf(bytes), valueInfoOf(bytes)];
    world.results.write(
      electronOp(0, { value: valueInfoOf(bytes), agent: 'lab.a1' }),
      // A map without items shares its base with the one that comes after it.
      { op: 'expansion', id, record: { map: 2, base: 4, count: 0, items: [] } },
    );
    const names = async (o: Partial<ResultsRequests['results.snapshot']['ask']> = {}) => {
      const { electrons, next } = await ask('results.snapshot', { id, user: 'kim', ...o });
      return [electrons.map(({ name, status }) => `${name} ${status}`), next];
    };
    expect(await names()).toEqual([['load completed', 'sweep waiting', 'none waiting', 'score waiting'], undefined]);
    world.results.write({ op: 'expansion', id, record: { map: 1, base: 4, count: 2, items } });
    world.results.write(
      electronOp(4, { status: 'assigned' }),
      { op: 'running', id, node: 4, startedAt: 77 },
      electronOp(5, { status: 'skipped', cause: 0 }),
    );
    expect(await names()).toEqual([
      ['load completed', 'sweep waiting', 'none waiting', 'score waiting', 'train[0] running', 'train[1] skipped'],
      undefined,
    ]);
    expect(await names({ limit: 2 })).toEqual([['load completed', 'sweep waiting'], 2]);
    expect(await names({ from: 4, limit: 2 })).toEqual([['train[0] running', 'train[1] skipped'], undefined]);
    expect(await names({ since: 1 })).toEqual([['train[0] running', 'train[1] skipped'], undefined]);
    expect(await names({ status: 'running' })).toEqual([['train[0] running'], undefined]);
    expect(await names({ name: 'train' })).toEqual([['train[0] running', 'train[1] skipped'], undefined]);
    expect(await names({ name: 'train[1]' })).toEqual([['train[1] skipped'], undefined]);
    const { electrons } = await ask('results.snapshot', { id, user: 'kim', from: 4 });
    expect(electrons).toMatchObject([
      { id: 4, map: 1 },
      { id: 5, map: 1, cause: 'load' },
    ]);
    expect((await ask('results.snapshot', { id, user: 'kim', limit: 1 })).electrons[0]).not.toHaveProperty('map');
  });

  it('leaves source and graph out of a brief snapshot', async () => {
    expect((await ask('results.snapshot', { id, user: 'kim', brief: true })).dispatch).not.toHaveProperty('source');
    expect((await ask('results.snapshot', { id, user: 'kim' })).dispatch).toMatchObject({
      source: '() => 1',
      graph: valueInfoOf(graph),
    });
  });

  it('names what is near to a mistyped id or electron', async () => {
    const typo = dispatchId(11);
    await expect(ask('results.detail', { id: typo, user: 'kim' })).rejects.toMatchObject({
      code: 'UNKNOWN_DISPATCH',
      details: { near: [id] },
    });
    await expect(ask('results.value', { id, user: 'kim', electron: 'skore' })).rejects.toMatchObject({
      code: 'UNKNOWN_ELECTRON',
      details: { near: ['score'] },
    });
    await expect(ask('results.logs', { id, user: 'kim', electron: 99 })).rejects.toMatchObject({
      code: 'UNKNOWN_ELECTRON',
    });
  });

  it('shows nobody the dispatches of others', async () => {
    for (const type of ['results.detail', 'results.snapshot', 'results.value'] as const)
      await expect(ask(type, { id, user: 'lee' })).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    await expect(ask('results.wait', { id, user: 'lee', timeoutMs: 1 })).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  });

  it('gives values and logs by node or name, and says what has none', async () => {
    world.results.write(electronOp(0, { value: valueInfoOf(bytes) }));
    for (const [attempt, stdout] of [
      [1, 'first'],
      [2, 'second'],
    ] as const)
      world.results.write({ op: 'logs', id, node: 0, attempt, logs: { stdout, stderr: '' } });
    for (const electronOf of [0, 'load'])
      expect(await ask('results.value', { id, user: 'kim', electron: electronOf })).toEqual({
        value: valueInfoOf(bytes),
        bytes,
      });
    expect(await ask('results.value', { id, user: 'kim' })).toEqual({ value: valueInfoOf(bytes), bytes });
    await expect(ask('results.value', { id, user: 'kim', electron: 'score' })).rejects.toMatchObject({
      code: 'VALUE_MISSING',
    });
    expect(await ask('results.logs', { id, user: 'kim', electron: 'load' })).toMatchObject({
      stdout: 'second',
      electron: { id: 0 },
    });
  });

  it('lists the attempts of an electron, those before the last and the last, with how much each wrote', async () => {
    const error = { code: 'TASK_THREW', message: 'no', stack: 'Error: no' };
    const lost = { code: 'AGENT_LOST', message: 'gone' };
    world.results.write(
      {
        op: 'attempt',
        id,
        node: 0,
        attempt: 1,
        record: { status: 'failed', agent: 'lab.a1', startedAt: 1, endedAt: 2, error },
      },
      { op: 'logs', id, node: 0, attempt: 1, logs: { stdout: 'first', stderr: 'oh' } },
      { op: 'attempt', id, node: 0, attempt: 3, record: { status: 'lost', agent: 'lab.a2', endedAt: 4, error: lost } },
      electronOp(0, { status: 'ready', attempt: 3 }),
    );
    const attempts = async (electron: number | string): Promise<unknown> =>
      (await ask('results.attempts', { id, user: 'kim', electron })).attempts;
    const before = [
      {
        ...{ attempt: 1, status: 'failed', agent: 'lab.a1', startedAt: 1, endedAt: 2, stdout: 5, stderr: 2, log: 0 },
        error: { code: 'TASK_THREW', message: 'no' },
      },
      { attempt: 3, status: 'lost', agent: 'lab.a2', endedAt: 4, error: lost, stdout: 0, stderr: 0, log: 0 },
    ];
    expect(await attempts('load')).toEqual(before);
    world.results.write(electronOp(0, { status: 'assigned', attempt: 4, agent: 'lab.a3', startedAt: 5 }));
    world.results.write({ op: 'running', id, node: 0, startedAt: 6 });
    const last = { attempt: 4, agent: 'lab.a3', startedAt: 6, stdout: 0, stderr: 0, log: 0 };
    expect(await attempts(0)).toEqual([...before, { ...last, status: 'running' }]);
    world.results.write(electronOp(0, { status: 'completed', attempt: 4, agent: 'lab.a3', startedAt: 6, endedAt: 7 }));
    expect(await attempts(0)).toEqual([...before, { ...last, status: 'completed', endedAt: 7 }]);
    expect(await attempts('score')).toEqual([]);
    const logs = { id, user: 'kim', electron: 0 };
    expect(await ask('results.logs', { ...logs, attempt: 1 })).toMatchObject({ stdout: 'first', stderr: 'oh' });
    expect(await ask('results.logs', { ...logs, attempt: 4 })).toMatchObject({ stdout: '', stderr: '' });
    await expect(ask('results.attempts', { id, user: 'lee', electron: 0 })).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
    });
  });

  it('of very many attempts lists the last, short enough for a message', async () => {
    const error = { code: 'TASK_THREW', message: 'x'.repeat(16_000), stack: 'y'.repeat(16_000) };
    for (let attempt = 1; attempt <= 700; attempt++)
      world.results.write({
        op: 'attempt',
        id,
        node: 0,
        attempt,
        record: { status: 'failed', endedAt: attempt, error },
      });
    world.results.write(electronOp(0, { status: 'failed', attempt: 701, agent: 'lab.a3', error }));
    const reply = await ask('results.attempts', { id, user: 'kim', electron: 0 });
    expect([reply.attempts.length, reply.attempts[0]?.attempt, reply.attempts.at(-1)?.attempt]).toEqual([
      500, 202, 701,
    ]);
    expect(JSON.stringify(reply.attempts).length).toBeLessThan(700_000);
  });

  it('loads a dispatch with all that its supervisor needs', async () => {
    // As a supervisor does: that it began, before anything of its nodes.
    world.results.write(began, electronOp(0, { value: valueInfoOf(bytes) }), {
      op: 'expansion',
      id,
      record: { map: 1, base: 4, count: 1, items: [valueInfoOf(bytes)] },
    });
    const loaded = await ask('results.load', { id });
    expect(loaded).toMatchObject({
      record: { status: 'running' },
      electrons: [[0, { status: 'completed' }]],
      expansions: [{ map: 1, base: 4 }],
    });
    expect(Buffer.from(loaded.graph).equals(graph)).toBe(true);
  });

  it('cuts lists into their elements and puts elements together, large ones as pointers', async () => {
    const large = Buffer.alloc(70_000, 'y');
    const list = encodeList([bytes, large]);
    const { value } = await ask('results.store', { bytes: list });
    expect(value).toEqual(valueInfoOf(list));
    const { items } = await ask('results.slice', { digest: value.digest });
    expect(items).toEqual([valueInfoOf(bytes), valueInfoOf(large)]);
    const composed = (await ask('results.compose', { elements: items })).value;
    const { bytes: whole } = await ask('results.bytes', { digest: composed.digest });
    expect([
      composed.length,
      listLength(whole),
      Buffer.from(listElement(whole, 0)).equals(bytes),
      listElement(whole, 1).length,
    ]).toEqual([2, 2, true, 41]);
    expect((await ask('results.compose', { elements: [] })).value.length).toBe(0);
    await expect(ask('results.slice', { digest: digestOf(Buffer.from('gone')) })).rejects.toMatchObject({
      code: 'VALUE_MISSING',
    });
  });

  it('gives the counts of what lives again after a restart', async () => {
    world.results.write(electronOp(0, {}), electronOp(1, { status: 'assigned' }), {
      op: 'expansion',
      id,
      record: { map: 1, base: 4, count: 2, items: [] },
    });
    await world.results.flushed();
    const store = world.store.crash();
    world.close();
    world = makeHubWorld({ store });
    expect((await ask('results.detail', { id, user: 'kim' })).counts).toEqual({
      completed: 1,
      assigned: 1,
      waiting: 4,
    });
    expect(await ask('results.live', {})).toMatchObject({ ids: [id], history: 'h1' });
  });

  it.each(['results.detail', 'results.load', 'a write'])(
    'counts a dispatch of before a restart once, whatever touches it first: %s',
    async (first) => {
      world.results.write(began, electronOp(0, {}), electronOp(1, { status: 'assigned' }));
      await world.results.flushed();
      const store = world.store.crash();
      world.close();
      world = makeHubWorld({ store });
      if (first === 'results.load') await ask('results.load', { id });
      else if (first === 'results.detail') await ask('results.detail', { id, user: 'kim' });
      world.results.write({ ...electronOp(1, {}), was: 'assigned' }, electronOp(2, { status: 'failed' }));
      await ask('results.load', { id });
      const { counts, seq } = await ask('results.detail', { id, user: 'kim' });
      expect([counts, seq]).toEqual([{ completed: 2, failed: 1, waiting: 1 }, 3]);
      world.results.write(end);
      await world.results.flushed();
      expect((await ask('results.live', {})).ids).toEqual([]);
    },
  );
});

it('in a process of its own it tells of values that it made, and of what is live, only when that is on disk: who asked outlives it', async () => {
  world = makeHubWorld({ flush: 'manual' });
  const { system, store, clock, bus } = world;
  const pull = { bus, subjects, by: 'hub.n1', clock };
  const alone = new ResultManager({ system, store, clock, pull, epoch: 'm2', alone: true });
  system.spawn('n1.results.alone', alone, isResultsAsk);
  const told = world.probe('asker', 'other', isResultsAnswer);
  system.send('n1.results.alone', { type: 'results.store', ask: 1, bytes } as const, 'n1.asker.other');
  await settle();
  expect(told).toEqual([]);
  await flush();
  expect(told).toMatchObject([{ message: { ask: 1, body: { value: { digest: digestOf(bytes) } } } }]);
  accept();
  await settle();
  system.send('n1.results.alone', { type: 'results.live', ask: 2 } as const, 'n1.asker.other');
  await settle();
  expect(told).toHaveLength(1);
  await flush();
  expect(told[1]).toMatchObject({ message: { ask: 2, body: { ids: [id] } } });
  alone.close();
});

it('in a process of its own it takes no request of a hub that began again for one of before', async () => {
  world = makeHubWorld({ flush: 'manual' });
  const { system, store, clock, bus } = world;
  accept();
  await flush();
  const pull = { bus, subjects, by: 'hub.n1', clock };
  const alone = new ResultManager({ system, store, clock, pull, epoch: 'm2', alone: true });
  system.spawn('n1.results.alone', alone, isResultsAsk);
  const told = world.probe('asker', 'other', isResultsAnswer);
  const wait = { type: 'results.wait', ask: 1, id, user: 'kim', timeoutMs: 20_000 } as const;
  system.send('n1.results.alone', wait, 'n1.asker.other');
  await settle();
  const write = { type: 'results.write', ask: 1, sender: 's2', from: 1, n: 1, ops: [] } as const;
  system.send('n1.results.alone', write, 'n1.asker.other');
  await flush();
  expect(told).toMatchObject([{ message: { ask: 1, body: { n: 1 } } }]);
  alone.close();
});
