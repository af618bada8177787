/** One electron being worked on: H1, H9, H10 of docs/protocol.md and E1–E3 of electron.ts. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ElectronActor } from '../../../actors/electron/electron.ts';
import { isElectronMessage } from '../../../actors/electron/messages.ts';
import { valueCache } from '../../../actors/caches.ts';
import type { ElectronWork, Moment } from '../../../actors/services.ts';
import type { Address, Message } from '../../../actors/system.ts';
import type { ElectronMessage, LatticeMessage, MatchmakerMessage } from '../../../bus/protocol/actors.ts';
import type { FinishedTask } from '../../../bus/protocol/agent.ts';
import { decodeBody, decodeEnvelope } from '../../../bus/codec.ts';
import { parseBlobRead } from '../../../bus/protocol/wire-agent.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import type { RetryPolicy } from '../../../model/graph.ts';
import { taskIdOf } from '../../../model/ids.ts';
import type { ErrorInfo, Outcome, Token, ValueInfo } from '../../../model/outcome.ts';
import type { AttemptRecord, ElectronRecord } from '../../../model/records.ts';
import { decodeAttempt, decodeElectron, decodeLogs, keys } from '../../../store/records.ts';
import { settle } from '../support/fake-clock.ts';
import { def, template } from '../support/graphs.ts';
import { dispatchId, makeHubWorld, specOf, subjects, type Delivered, type HubWorld } from '../support/hub-world.ts';

const id = dispatchId(1);
const NODE = 3;
const task = taskIdOf(id, NODE);
const HUB = 100;
const MAX_LOSSES = 10;
const usage = { startedAt: 5, endedAt: 9 };
const inputsDigest = digestOf(Buffer.from('inputs'));
const bytes = Buffer.from('a value');
const completed: Outcome = { status: 'completed', value: valueInfoOf(bytes), bytes, usage };
const threw: ErrorInfo = { code: 'TASK_THREW', message: 'no', name: 'Error' };
const failed: Outcome = { status: 'failed', error: threw, usage };

const isLattice = (message: Message): message is LatticeMessage => message.type.startsWith('electron.');
const isMatch = (message: Message): message is MatchmakerMessage => /^(?:match|attempt)\./.test(message.type);

let world: HubWorld;
let supervisor: Delivered<LatticeMessage>[];
let matchmaker: Delivered<MatchmakerMessage>[];
let events: string[];
let passing: string[];
let seq: number;
const address: Address = `n1.electron.${task}`;

beforeEach(() => {
  world = makeHubWorld({ flush: 'manual' });
  supervisor = world.probe('lattice', id, isLattice);
  matchmaker = world.probe('matchmaker', 'main', isMatch);
  events = [];
  passing = [];
  seq = 10;
  world.results.write({ op: 'accept', spec: specOf(id), contentDigest: inputsDigest });
});
afterEach(() => world.close());

function work(
  over: { retries?: Partial<RetryPolicy>; strict?: boolean; inputs?: readonly ValueInfo[] } = {},
): ElectronWork {
  const base = def('train');
  return {
    task,
    address,
    dispatch: id,
    user: 'kim',
    node: NODE,
    name: 'train[3]',
    path: undefined,
    def: { ...base, retries: { ...base.retries, jitter: 0, delayMs: 1_000, ...over.retries } },
    manifest: {
      dispatch: id,
      user: 'kim',
      lattice: 'test',
      argv: [],
      captures: {},
      expiresAt: 0,
      strict: over.strict ?? false,
    },
    requirement: { key: 'process', capabilities: ['process'] },
    priority: 0,
    root: id,
    template,
    inputs: over.inputs ?? [],
    inputsDigest,
    split: false,
    strict: over.strict ?? false,
    cacheKey: undefined,
  };
}

/** What waits for a moment is told at once. */
const atOnce: Moment = { wait: (one) => one.tell(), forget: () => undefined, end: () => undefined };

function spawn(
  over: Parameters<typeof work>[0] = {},
  restored?: ElectronRecord,
  o: { readonly moment?: Moment } = {},
): void {
  const { system, results, clock } = world;
  const services = {
    system,
    results,
    values: valueCache(1_000),
    clock,
    random: () => 0,
    moment: o.moment ?? atOnce,
    publish: ({ type, transient }: { type: string; transient: boolean }) => {
      (transient ? passing : events).push(type);
    },
    epoch: { value: HUB },
    maxLosses: MAX_LOSSES,
    supervisor: system.address('lattice', id),
    matchmaker: system.address('matchmaker', 'main'),
    nextSeq: () => ++seq,
    lastSeq: () => seq,
    resumed: () => restored !== undefined,
  };
  system.spawn(address, new ElectronActor(work(over), services, restored), isElectronMessage);
}

const tell = async (message: ElectronMessage): Promise<void> => {
  world.system.send(address, message, 'n1.matchmaker.main');
  await settle();
};
const flush = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) {
    world.store.flush();
    await settle();
  }
};
const record = (): ElectronRecord | undefined => {
  const found = world.store.get(keys.electron(id, NODE));
  return found === undefined ? undefined : decodeElectron(found);
};
const attempt = (n: number): AttemptRecord | undefined => {
  const found = world.store.get(keys.attempt(id, NODE, n));
  return found === undefined ? undefined : decodeAttempt(found);
};
const sent = <T extends MatchmakerMessage['type']>(type: T): Extract<MatchmakerMessage, { type: T }>[] =>
  matchmaker.flatMap(({ message }) => (isOf(message, type) ? [message] : []));
function isOf<T extends MatchmakerMessage['type']>(
  message: MatchmakerMessage,
  type: T,
): message is Extract<MatchmakerMessage, { type: T }> {
  return message.type === type;
}
const verdicts = (): string[] =>
  sent('attempt.judged').map(
    ({ receipt, verdict, current }) => `${receipt}: ${verdict}${current ? '' : ' (not current)'}`,
  );
const assign = (agent: `${string}.${string}` = 'lab.a1'): Promise<void> => tell({ type: 'attempt.assigned', agent });
let receipts = 0;
const finish = (
  outcome: Outcome,
  over: Partial<FinishedTask> & { agent?: `${string}.${string}` } = {},
): Promise<void> =>
  tell({
    type: 'attempt.finished',
    task,
    agent: 'lab.a1',
    token: [HUB, 1],
    inputsDigest,
    outcome,
    receipt: ++receipts,
    ...over,
  });
beforeEach(() => {
  receipts = 0;
});

describe('an attempt that no message can carry', () => {
  const error: ErrorInfo = { code: 'PAYLOAD_TOO_LARGE', message: 'too much' };

  it('fails the electron at once, whatever its retries', async () => {
    spawn({ retries: { max: 5 } });
    await assign();
    await tell({ type: 'attempt.unsendable', token: [HUB, 1], error });
    await flush();
    expect(supervisor.map(({ message }) => message)).toMatchObject([
      { type: 'electron.ended', node: NODE, status: 'failed', error },
    ]);
    expect([record()?.status, record()?.error, events]).toEqual(['failed', error, ['electron.failed']]);
  });

  it('is no news when another attempt is under way', async () => {
    spawn();
    await assign();
    await tell({ type: 'attempt.lost', token: [HUB, 1], reason: 'refused', charged: false });
    await assign();
    await tell({ type: 'attempt.unsendable', token: [HUB, 1], error });
    expect([record()?.status, supervisor]).toEqual(['assigned', []]);
  });

  it('has stopped when its electron is being cancelled', async () => {
    spawn();
    await assign();
    await tell({ type: 'electron.cancel', reason: 'asked for' });
    await tell({ type: 'attempt.unsendable', token: [HUB, 1], error });
    expect(supervisor.map(({ message }) => message)).toMatchObject([{ status: 'cancelled' }]);
  });
});

describe('an attempt', () => {
  it('is recorded with its token before it is sent (H3)', async () => {
    spawn();
    await assign();
    expect(record()).toMatchObject({ status: 'assigned', attempt: 1, token: [HUB, 1], agent: 'lab.a1', inputsDigest });
    expect(sent('attempt.send')).toMatchObject([{ agent: 'lab.a1', task, token: [HUB, 1], inputs: [] }]);
  });

  it('is given back when the electron is not ready', async () => {
    spawn();
    await assign();
    await assign('lab.a2');
    expect(sent('attempt.abandoned')).toEqual([{ type: 'attempt.abandoned', agent: 'lab.a2', task }]);
    expect(sent('attempt.send')).toHaveLength(1);
  });

  it('runs when the agent says so, with its token only', async () => {
    spawn();
    await assign();
    await tell({ type: 'attempt.started', token: [HUB, 2], startedAt: 77 });
    await tell({ type: 'attempt.started', token: [HUB, 1], startedAt: 77 });
    await tell({ type: 'attempt.started', token: [HUB, 1], startedAt: 78 });
    expect(passing).toEqual(['electron.assigned', 'electron.running']);
  });

  it('fails when its inputs can not be read, and gives its place back', async () => {
    // Too many for a message: they would be put together in the store, which has none of them.
    const inputs = Array.from({ length: 4_000 }, (_, i) => ({ digest: digestOf(Buffer.from(String(i))), size: 100 }));
    spawn({ inputs });
    await assign();
    await settle();
    expect(sent('attempt.send')).toEqual([]);
    expect(sent('attempt.abandoned')).toEqual([{ type: 'attempt.abandoned', agent: 'lab.a1', task }]);
    expect(record()).toMatchObject({ status: 'failed', error: { code: 'VALUE_MISSING' } });
  });
});

describe('H1: an outcome', () => {
  it('is committed with the current task, token, agent and inputs, and only after the flush', async () => {
    spawn();
    await assign();
    await finish(completed);
    expect([verdicts(), events]).toEqual([[], []]);
    expect(supervisor.map(({ message }) => message)).toMatchObject([
      { type: 'electron.ended', node: NODE, status: 'completed', value: completed.value },
    ]);
    await flush();
    expect([verdicts(), events]).toEqual([['1: committed'], ['electron.completed']]);
    expect(record()).toMatchObject({ status: 'completed', startedAt: 5, endedAt: 9, value: completed.value, seq: 11 });
    expect(world.system.has(address)).toBe(false);
  });

  const wrong: [string, Partial<FinishedTask> & { agent?: `${string}.${string}` }][] = [
    ['an older attempt', { token: [HUB - 1, 1] }],
    ['a later attempt', { token: [HUB, 2] }],
    ['another agent', { agent: 'lab.a2' }],
    ['other inputs', { inputsDigest: digestOf(Buffer.from('others')) }],
  ];
  for (const [what, over] of wrong)
    it(`of ${what} is stale, and told so after the flush`, async () => {
      spawn();
      await assign();
      await finish(completed, over);
      expect(verdicts()).toEqual([]);
      await flush();
      expect(verdicts()).toEqual(['1: stale (not current)']);
      expect(record()).toMatchObject({ status: 'assigned' });
    });

  it('before any attempt is stale', async () => {
    spawn();
    await finish(completed);
    await flush();
    expect(verdicts()).toEqual(['1: stale (not current)']);
  });

  it('of a failed attempt is a duplicate when it comes again, while it is retried and after', async () => {
    spawn({ retries: { max: 1 } });
    await assign();
    await finish(failed);
    await finish(failed);
    await flush();
    await world.clock.advance(1_000);
    await finish(failed);
    await flush();
    expect(verdicts()).toEqual(['1: committed', '2: duplicate', '3: duplicate']);
    expect(record()).toMatchObject({ failures: 1 });
  });

  it('whose bytes are not those of its digest is asked for again', async () => {
    spawn();
    await assign();
    await finish({ ...completed, bytes: Buffer.from('another') });
    expect(verdicts()).toEqual(['1: missing (not current)']);
    await finish(completed);
    await flush();
    expect(verdicts()).toEqual(['1: missing (not current)', '2: committed']);
  });

  it('with a large value is committed once the value is here, and asked for again when it can not be had', async () => {
    const value = Buffer.alloc(300_000, 'x');
    const large: Outcome = { status: 'completed', value: valueInfoOf(value), usage };
    spawn();
    await assign();
    await finish(large);
    await world.clock.advance(3_000);
    await flush();
    expect(verdicts()).toEqual(['1: missing (not current)']);
    const waiting: (() => void)[] = [];
    world.network.connect('a.lab.a1').subscribe(subjects.down('lab', 'a1', 'blob'), (message) => {
      const { offset, length } = parseBlobRead(decodeBody(decodeEnvelope(message.data).body));
      waiting.push(() => message.respond(value.subarray(offset, offset + length)));
    });
    await finish(large);
    await finish(large);
    expect([verdicts().length, record()?.status, waiting.length]).toEqual([1, 'assigned', 2]);
    for (const answer of waiting) answer();
    await settle(20);
    await flush();
    expect(verdicts()).toEqual(['1: missing (not current)', '2: committed']);
    expect(world.store.valueSize(large.value.digest)).toBe(300_000);
  });

  it('of an attempt that was lost meanwhile is not taken, though its value was being fetched', async () => {
    const large: Outcome = {
      status: 'completed',
      value: { digest: digestOf(Buffer.from('large')), size: 1e6 },
      usage,
    };
    // An agent that answers nothing: the fetch stays open.
    world.network.connect('a.lab.a1').subscribe(subjects.down('lab', 'a1', 'blob'), () => undefined);
    spawn();
    await assign();
    await finish(large);
    await tell({ type: 'attempt.lost', token: [HUB, 1], reason: 'agent-lost', charged: true });
    await assign('lab.a2');
    await tell({ type: 'value.fetched', token: [HUB, 1], stored: true });
    expect(record()).toMatchObject({ status: 'assigned', token: [HUB, 2], losses: 1 });
  });
});

describe('a retry', () => {
  it('comes after its back-off, with the next token, and is charged to the failures', async () => {
    spawn({ retries: { max: 2, delayMs: 1_000, backoff: 2 } });
    for (const [count, delay] of [
      [1, 1_000],
      [2, 2_000],
    ] as const) {
      await assign();
      await finish(failed, { token: [HUB, count] });
      await flush();
      expect(record()).toMatchObject({
        status: 'retrying',
        failures: count,
        error: threw,
        retryAt: world.clock.now() + delay,
      });
      await world.clock.advance(delay - 1);
      expect(sent('match.request')).toHaveLength(count - 1);
      await world.clock.advance(1);
      expect(sent('match.request')).toHaveLength(count);
    }
    await assign();
    await finish(failed, { token: [HUB, 3] });
    await flush();
    expect(record()).toMatchObject({ status: 'failed', attempt: 3, failures: 3, error: threw });
    expect(events).toEqual(['electron.retrying', 'electron.retrying', 'electron.failed']);
    expect([1, 2, 3].map(attempt)).toMatchObject([{ status: 'failed', agent: 'lab.a1', error: threw }, {}, undefined]);
  });

  it('keeps the seq of its event in the record of the next attempt: a restarted hub counts on from there', async () => {
    spawn({ retries: { max: 1 } });
    await assign();
    await finish(failed);
    await flush();
    expect(record()?.seq).toBe(11);
    await world.clock.advance(1_000);
    await assign();
    await flush();
    expect(record()).toMatchObject({ status: 'assigned', attempt: 2, seq: 11 });
  });

  it('is judged only after its record is on disk', async () => {
    spawn({ retries: { max: 1 } });
    await assign();
    await finish(failed);
    expect(verdicts()).toEqual([]);
    await flush();
    expect(verdicts()).toEqual(['1: committed']);
  });

  it('keeps its place in the order of events while the next attempt runs, over a restart too: it is given to no other', async () => {
    spawn({ retries: { max: 3 } });
    await assign();
    await finish(failed);
    await flush();
    expect(record()).toMatchObject({ status: 'retrying', seq: 11 });
    await world.clock.advance(1_000);
    await assign();
    await flush();
    expect(record()).toMatchObject({ status: 'assigned', attempt: 2, seq: 11 });
    world.system.stop(address);
    spawn({ retries: { max: 3 } }, record());
    await tell({ type: 'attempt.lost', token: [HUB, 2], reason: 'agent-lost', charged: true });
    await flush();
    expect(record()).toMatchObject({ status: 'ready', losses: 1, seq: 11 });
  });

  it('waits for the rest of its back-off after a restart, however long the hub was away', async () => {
    const base: ElectronRecord = {
      status: 'retrying',
      attempt: 1,
      failures: 1,
      losses: 0,
      seq: 5,
      token: [HUB - 1, 1],
      agent: 'lab.a1',
    };
    spawn({ retries: { max: 3, maxDelayMs: 5_000 } }, { ...base, retryAt: world.clock.now() + 400 });
    await world.clock.advance(399);
    expect(sent('match.request')).toHaveLength(0);
    await world.clock.advance(1);
    expect(sent('match.request')).toHaveLength(1);
  });

  it('never waits longer than its limit, though the wall clock went back', async () => {
    const restored: ElectronRecord = {
      status: 'retrying',
      attempt: 1,
      failures: 1,
      losses: 0,
      seq: 5,
      retryAt: world.clock.now() + 1e9,
    };
    spawn({ retries: { max: 3, maxDelayMs: 5_000 } }, restored);
    await world.clock.advance(5_000);
    expect(sent('match.request')).toHaveLength(1);
  });
});

describe('H9: a lost attempt', () => {
  it('is not charged to the retries, and the next has a higher token', async () => {
    spawn();
    await assign();
    await tell({ type: 'attempt.lost', token: [HUB, 1], reason: 'agent-lost', charged: true });
    expect(record()).toMatchObject({ status: 'ready', attempt: 1, failures: 0, losses: 1, lostWith: ['lab.a1'] });
    expect(attempt(1)).toMatchObject({ status: 'lost', agent: 'lab.a1', error: { code: 'AGENT_LOST' } });
    expect(sent('match.request')).toMatchObject([{ dispatch: id, nodes: [NODE], resumed: false }]);
    await assign('lab.a2');
    expect(record()).toMatchObject({ status: 'assigned', token: [HUB, 2], agent: 'lab.a2' });
    await finish(completed);
    await flush();
    expect(verdicts()).toEqual(['1: stale (not current)']);
  });

  it.each(['refused', 'given-back'] as const)('that was %s is no loss at all (H4, H9)', async (reason) => {
    spawn();
    for (let i = 1; i <= 3 * MAX_LOSSES; i++) {
      await assign();
      await tell({ type: 'attempt.lost', token: [HUB, i], reason, charged: false });
    }
    expect(record()).toMatchObject({ status: 'ready', failures: 0, losses: 0 });
    expect(attempt(1)?.error.code).toBe(reason === 'refused' ? undefined : 'AGENT_DRAINED');
  });

  it('is heard of for the current token only', async () => {
    spawn();
    await assign();
    for (const token of [
      [HUB, 2],
      [HUB - 1, 1],
    ] as const)
      await tell({ type: 'attempt.lost', token, reason: 'not-listed', charged: true });
    expect(record()).toMatchObject({ status: 'assigned', losses: 0 });
  });

  it(`poisons the electron when it happens ${MAX_LOSSES} times, naming the agents`, async () => {
    spawn({ retries: { max: 100 } });
    for (let i = 1; i <= MAX_LOSSES; i++) {
      expect(record()?.status).not.toBe('failed');
      await assign(i % 2 === 0 ? 'lab.even' : 'lab.odd');
      await tell({ type: 'attempt.lost', token: [HUB, i], reason: 'agent-lost', charged: true });
    }
    expect(record()).toMatchObject({ status: 'failed', losses: MAX_LOSSES, error: { code: 'POISON' } });
    expect(record()?.error?.message).toBe('electron "train[3]" was lost 10 times with its agent (lab.odd, lab.even)');
    await flush();
    expect(events).toEqual(['electron.failed']);
  });

  it('counts on over a restart', async () => {
    spawn(
      {},
      {
        ...{ status: 'assigned', attempt: 9, failures: 0, losses: MAX_LOSSES - 1, seq: 0, token: [50, 9] },
        ...{ agent: 'lab.a1', lostWith: ['lab.a7', 'lab.a8'] },
      },
    );
    await settle();
    expect(sent('attempt.recovered')).toEqual([{ type: 'attempt.recovered', agent: 'lab.a1', task, token: [50, 9] }]);
    await tell({ type: 'attempt.lost', token: [50, 9], reason: 'not-listed', charged: true });
    expect(record()).toMatchObject({ status: 'failed', error: { code: 'POISON' } });
    expect(record()?.error?.message).toContain('(lab.a7, lab.a8, lab.a1)');
  });
});

describe('H10: a cancel', () => {
  const cancel: ElectronMessage = { type: 'electron.cancel', reason: 'enough' };
  const token: Token = [HUB, 1];

  it('of a ready electron ends it at once', async () => {
    spawn();
    await tell(cancel);
    expect(sent('match.withdraw')).toEqual([{ type: 'match.withdraw', dispatch: id, nodes: [NODE] }]);
    expect(supervisor.map(({ message }) => message)).toMatchObject([{ status: 'cancelled' }]);
    await flush();
    expect(events).toEqual(['electron.cancelled']);
  });

  for (const running of [false, true])
    it(`of ${running ? 'a running' : 'an assigned'} one waits for the agent's word`, async () => {
      spawn();
      await assign();
      if (running) await tell({ type: 'attempt.started', token, startedAt: 3 });
      await tell(cancel);
      await tell(cancel);
      expect(record()).toMatchObject({ status: 'cancelling' });
      expect(sent('attempt.cancel')).toEqual([
        { type: 'attempt.cancel', agent: 'lab.a1', task, token, reason: 'enough' },
      ]);
      await tell({ type: 'attempt.stopped', token: [HUB, 9], confirmed: true });
      expect(supervisor).toEqual([]);
      await tell({ type: 'attempt.stopped', token, confirmed: true });
      expect(supervisor.map(({ message }) => message)).toEqual([
        { type: 'electron.ended', node: NODE, status: 'cancelled' },
      ]);
    });

  it('of one in its back-off ends it, and it never runs again', async () => {
    spawn({ retries: { max: 3 } });
    await assign();
    await finish(failed);
    await tell(cancel);
    await world.clock.advance(60_000);
    expect(record()).toMatchObject({ status: 'cancelled' });
    expect(sent('match.request')).toEqual([]);
  });

  it('keeps a later outcome as a log and never as a value', async () => {
    spawn();
    await assign();
    await tell(cancel);
    await finish({ ...completed, logs: { stdout: 'was here', stderr: '' } });
    await flush();
    expect(record()).toMatchObject({ status: 'cancelled' });
    expect(record()?.value).toBeUndefined();
    expect(verdicts()).toEqual(['1: stale']);
    expect(decodeLogs(world.store.get(keys.logs(id, NODE, 1)) ?? new Uint8Array())).toEqual({
      stdout: 'was here',
      stderr: '',
    });
  });

  it('is unconfirmed when the agent went away instead', async () => {
    spawn();
    await assign();
    await tell(cancel);
    await tell({ type: 'attempt.lost', token, reason: 'agent-lost', charged: true });
    expect(supervisor.map(({ message }) => message)).toMatchObject([{ status: 'cancelled', unconfirmed: true }]);
  });

  it('is repeated after a restart', async () => {
    spawn({}, { status: 'cancelling', attempt: 1, failures: 0, losses: 0, seq: 0, token, agent: 'lab.a1' });
    await settle();
    expect(sent('attempt.recovered')).toEqual([
      { type: 'attempt.recovered', agent: 'lab.a1', task, token, cancelling: 'cancelled' },
    ]);
  });

  it('after the end finds nobody', async () => {
    spawn();
    await assign();
    await finish(completed);
    await tell(cancel);
    expect(record()).toMatchObject({ status: 'completed' });
    expect(world.dead.map(({ message }) => message.type)).toEqual(['electron.cancel']);
  });
});

describe('a strict lattice', () => {
  it('hears of an end only when it is on disk', async () => {
    spawn({ strict: true });
    await assign();
    await finish(completed);
    expect(supervisor).toEqual([]);
    await flush();
    expect(supervisor.map(({ message }) => message)).toMatchObject([{ type: 'electron.ended', status: 'completed' }]);
  });
});
