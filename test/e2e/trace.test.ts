/** `polaron start --trace-actors`: what the actors tell each other, seen by a plain NATS client that may only look on, is the whole history. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getResult } from 'polaron';
import { decodeBody, decodeEnvelope } from '../../bus/codec.ts';
import { credentialsFor } from '../../bus/credentials.ts';
import { observerIdentity } from '../../bus/identity.ts';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { branches, retried } from './workflows/failures.ts';
import { doubled } from './workflows/maps.ts';

const hub = new RealHub({ start: ['--trace-actors'] });
/** Any plain data. */
type Data = Readonly<Record<string, unknown>>;
interface Seen {
  readonly to: string;
  readonly from: string;
  readonly message: Data & { readonly type: string };
}
const trace: Seen[] = [];
let nats: NatsConnection;

const isData = (x: unknown): x is Data => typeof x === 'object' && x !== null && !Array.isArray(x);
function data(x: unknown): Data {
  if (isData(x)) return x;
  throw new Error(`expected an object, got ${JSON.stringify(x)}`);
}
const list = (x: unknown): readonly Data[] => (Array.isArray(x) ? x.map(data) : []);
const text = (x: unknown): string => {
  if (typeof x === 'string') return x;
  throw new Error(`expected a text, got ${JSON.stringify(x)}`);
};

const parts = new Map<string, Uint8Array[]>();
/** A mirrored local delivery as it is; one between processes is wrapped, and comes in parts when it is large. */
function innerOf(frame: Data): Data | undefined {
  const { body, id, parts: count } = frame;
  if (!(body instanceof Uint8Array)) return frame;
  if (typeof id !== 'string') return data(decodeBody(body));
  const have = [...(parts.get(id) ?? []), body];
  parts.set(id, have);
  return have.length === count ? data(decodeBody(Buffer.concat(have))) : undefined;
}

beforeAll(async () => {
  const { bus, data: folder } = await hub.start();
  const { secret } = data(JSON.parse(readFileSync(join(folder, 'hub-identity.json'), 'utf8')));
  const { user, password } = credentialsFor(text(secret), observerIdentity('trace'));
  nats = await connect({ servers: bus, user, pass: password, inboxPrefix: `_INBOX.${user}` });
  nats.subscribe('polaron.actor.>', {
    callback: (error, { subject, data: bytes }) => {
      if (error !== null) throw error;
      const said = innerOf(data(decodeBody(decodeEnvelope(bytes).body)));
      if (said === undefined) return;
      const message = data(said['message']);
      const to = subject.split('.').slice(2).join('.');
      trace.push({ to, from: text(said['from']), message: { ...message, type: text(message['type']) } });
    },
  });
  await nats.flush();
});
afterAll(async () => {
  await nats.close();
  await hub.close();
});

interface ElectronHistory {
  readonly statuses: string[];
  /** Of each attempt. */
  readonly agents: string[];
  readonly outcomes: string[];
  readonly last: Data;
}
interface History {
  readonly statuses: readonly string[];
  readonly ended: boolean;
  readonly electrons: ReadonlyMap<number, ElectronHistory>;
  readonly end: Data;
}

/** One dispatch's life out of the trace, and of nothing else. */
function historyOf(id: string): History {
  const electrons = new Map<number, ElectronHistory>();
  const statuses: string[] = [];
  let [ended, end]: [boolean, Data] = [false, {}];
  const at = (node: number): ElectronHistory => {
    const found = electrons.get(node) ?? { statuses: [], agents: [], outcomes: [], last: {} };
    electrons.set(node, found);
    return found;
  };
  for (const { to, message } of trace) {
    const [, kind, actor = ''] = to.split('.');
    if (kind === 'electron' && actor.startsWith(`${id}_`)) {
      const history = at(Number(actor.slice(id.length + 1)));
      if (message.type === 'attempt.assigned') {
        history.agents.push(text(message['agent']));
        history.statuses.push('assigned');
      }
      if (message.type === 'attempt.finished') history.outcomes.push(text(data(message['outcome'])['status']));
    }
    if (message.type === 'dispatch.ended' && message['id'] === id) ended = true;
    if (message.type !== 'results.write') continue;
    for (const op of list(message['ops'])) {
      if (op['op'] === 'accept' && data(op['spec'])['id'] === id) statuses.push('accepted');
      if (op['id'] !== id || (op['op'] !== 'dispatch' && op['op'] !== 'electron')) continue;
      const record = data(op['record']);
      if (op['op'] === 'dispatch') {
        statuses.push(text(record['status']));
        end = record;
        continue;
      }
      const node = Number(op['node']);
      const before = at(node);
      // That it was assigned is recorded later, if it lasts (ADR 007).
      if (record['status'] !== 'assigned') before.statuses.push(text(record['status']));
      electrons.set(node, { ...before, last: record });
    }
  }
  return { statuses, ended, electrons, end };
}

const isoTime = (ms: unknown): string | undefined => (typeof ms === 'number' ? new Date(ms).toISOString() : undefined);

/** The trace's last word on each electron, as `polaron show --json` has it. */
function electronsOf({ electrons }: History): readonly Data[] {
  return [...electrons]
    .sort(([a], [b]) => a - b)
    .map(([id, { agents, last }]) => ({
      id,
      status: last['status'],
      attempts: last['attempt'],
      agent: agents.at(-1),
      startedAt: isoTime(last['startedAt']),
      endedAt: isoTime(last['endedAt']),
      value: last['value'],
      error: last['error'] === undefined ? undefined : data(last['error'])['message'],
    }));
}
function shownElectrons(shown: Data): readonly Data[] {
  return list(shown['electrons']).map(({ id, status, attempts, agent, startedAt, endedAt, value, error }) => ({
    id,
    status,
    attempts,
    agent,
    startedAt,
    endedAt,
    value,
    error: error === undefined ? undefined : data(error)['message'],
  }));
}

const done = ['assigned', 'completed'];
const cases: readonly (readonly [string, () => Promise<string>, string, readonly (readonly string[])[]])[] = [
  [
    'a dispatch with a failure and what it skips',
    () => dispatch(branches)(),
    'failed',
    [['assigned', 'failed'], done, done, ['skipped'], ['skipped']],
  ],
  [
    'one with retries',
    () => dispatch(retried)(3),
    'completed',
    [['assigned', 'retrying', 'assigned', 'retrying', ...done], done],
  ],
  ['one with a map', () => dispatch(doubled)(3), 'completed', [done, ['completed'], done, done, done, done]],
];

describe('the trace of the actors alone', () => {
  it.each(cases)('tells the history of %s as the API does', async (_what, start, end, sequences) => {
    const id = await start();
    await getResult(id, { wait: true });
    await until(() => historyOf(id).ended, 'the trace tells the end');
    const history = historyOf(id);
    const shown = data(await hub.json(['show', id]));

    expect(history.statuses).toEqual(['accepted', 'running', end]);
    expect([shown['status'], shown['startedAt'], shown['endedAt']]).toEqual([
      end,
      isoTime(history.end['startedAt']),
      isoTime(history.end['endedAt']),
    ]);
    expect(electronsOf(history)).toEqual(shownElectrons(shown));
    const inOrder = [...history.electrons].sort(([a], [b]) => a - b).map(([, electron]) => electron);
    // An agent may say that it has begun, or be quicker than that.
    expect(inOrder.map(({ statuses }) => statuses.filter((status) => status !== 'running'))).toEqual(sequences);
    for (const { agents, outcomes, last } of inOrder) {
      expect([agents.length, outcomes.length]).toEqual([last['attempt'], last['attempt']]);
      if (outcomes.length > 0) expect(outcomes.at(-1)).toBe(last['status']);
    }
    // The order of the ends, by seq, is that in which the trace saw them.
    const seqs = inOrder.map(({ last }) => Number(last['seq']));
    expect(Math.max(...seqs) + 1).toBe(history.end['seq']);
  });

  it('shows every kind of actor, and what they say to each other', () => {
    const kinds = (address: string): string => address.split('.')[1] ?? '';
    const pairs = new Set(trace.map(({ from, to }) => `${kinds(from)} → ${kinds(to)}`));
    for (const pair of [
      'dispatcher → lattice',
      'lattice → matchmaker',
      'matchmaker → lattice',
      'lattice → electron',
      'electron → matchmaker',
      'matchmaker → electron',
      'electron → lattice',
      'lattice → dispatcher',
      'asker → results',
      'results → asker',
    ])
      expect(pairs).toContain(pair);
  });

  it('is nothing that a user may listen to', async () => {
    const { userUrl } = hub.file();
    const { host, username, password } = new URL(userUrl);
    const user = decodeURIComponent(username);
    const other = await connect({
      servers: host,
      user,
      pass: decodeURIComponent(password),
      inboxPrefix: `_INBOX.${user}`,
    });
    let heard = 0;
    const refused = new Promise<unknown>((resolve) => {
      other.subscribe('polaron.actor.>', { callback: (error) => (error === null ? heard++ : resolve(error)) });
    });
    expect(String(await refused)).toMatch(/permissions/i);
    expect(heard).toBe(0);
    await other.close();
  });
});
