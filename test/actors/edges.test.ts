/**
 * Where bytes come in from others: the agents' gateway, the api, the values' service. What can't be decoded, is of another version, too large, or
 * claims another identity is dropped or refused, counted, logged at most once a second, and never a crash.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { MOST_REQUESTS, serveApi } from '../../actors/dispatcher/api.ts';
import { AgentGateway } from '../../actors/matchmaker/gateway.ts';
import { serveBlobs } from '../../actors/results/blob-service.ts';
import type { Bus, BusHandler, BusMessage, Headers } from '../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeBody, encodeEnvelope } from '../../bus/codec.ts';
import { MicroService } from '../../bus/micro-service.ts';
import { digestOf } from '../../bus/value/digest.ts';
import { PolaronError } from '../../model/errors.ts';
import { openMemoryStore, type MemoryStore } from '../../store/memory-store.ts';
import { makeLogList, type LogList } from '../support/log-list.ts';
import { FakeClock, settle } from './support/fake-clock.ts';
import { dispatchId, subjects } from './support/hub-world.ts';

/** A bus that hands messages to whoever subscribed, as raw as they are, and keeps the answers. */
class RawBus implements Bus {
  readonly identity = 'hub.n1';
  readonly connected = true;
  readonly maxPayload = 100_000;
  readonly thrown: unknown[] = [];
  #handler: BusHandler = () => undefined;

  subscribe(subject: string, handler: BusHandler): { subject: string; unsubscribe(): void } {
    this.#handler = handler;
    return { subject, unsubscribe: () => undefined };
  }
  reaches(): boolean {
    return true;
  }

  publish(): boolean {
    return true;
  }
  request(): Promise<BusMessage> {
    return Promise.reject(new PolaronError('NO_RESPONDERS', 'nobody'));
  }
  flush(): Promise<void> {
    return Promise.resolve();
  }
  onStatus(): () => void {
    return () => undefined;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }

  async deliver(
    subject: string,
    data: Uint8Array,
    headers: Headers = {},
    reply = '_INBOX.u.kim.1',
  ): Promise<Uint8Array[]> {
    const answers: Uint8Array[] = [];
    try {
      await this.#handler({
        subject,
        data,
        reply,
        header: (name) => headers[name],
        respond: (answer) => {
          if (answer.length > this.maxPayload) throw new PolaronError('PAYLOAD_TOO_LARGE', `${answer.length} bytes`);
          answers.push(answer);
        },
      });
    } catch (error) {
      this.thrown.push(error);
    }
    await settle();
    return answers;
  }
}

let bus: RawBus;
let clock: FakeClock;
let logs: LogList;
beforeEach(() => {
  bus = new RawBus();
  clock = new FakeClock();
  logs = makeLogList();
});
afterEach(() => expect(bus.thrown).toEqual([]));
const shared = () => ({
  bus,
  subjects,
  by: 'hub.n1',
  version: '0.0.0',
  log: logs.log,
  monotonic: () => clock.monotonic(),
});
const version2 = (by: string, body: unknown): Uint8Array => encodeBody({ v: 2, by, body: encodeBody(body) });
const garbage: [string, Uint8Array][] = [
  ['nothing', new Uint8Array()],
  ['no msgpack', new Uint8Array([0xc1, 0xff, 0x00])],
  ['no envelope', encodeBody({ hello: 1 })],
  ['half a message', encodeEnvelope('a.lab.a1', { epoch: 1 }).subarray(0, 12)],
  ['no body', encodeBody({ v: 1, by: 'a.lab.a1' })],
  ['a body that is none', encodeBody({ v: 1, by: 'a.lab.a1', body: new Uint8Array([0xc1]) })],
  [
    'a million entries that are not there',
    encodeBody({ v: 1, by: 'a.lab.a1', body: new Uint8Array([0xdd, 0x00, 0x0f, 0xff, 0xff]) }),
  ],
  ['a body of another shape', encodeEnvelope('a.lab.a1', { epoch: 'one' })],
];

describe("the agents' gateway", () => {
  const sync = {
    epoch: 1,
    seq: 1,
    seen: 0,
    hub: 0,
    history: '',
    slots: 1,
    free: 1,
    queue: 0,
    capabilities: ['process'],
    host: 'h',
    pid: 1,
    version: '0',
    draining: false,
    instance: 'i.1',
    run: [],
  };
  let gateway: AgentGateway;
  let heard: string[];
  beforeEach(() => {
    heard = [];
    gateway = new AgentGateway(shared());
    gateway.listen({
      sync: (agent, _sync, reply) => {
        heard.push(`sync ${agent}`);
        reply({ type: 'not-ready' });
      },
      done: (agent) => heard.push(`done ${agent}`),
      log: (agent) => heard.push(`log ${agent}`),
      progress: (agent) => heard.push(`progress ${agent}`),
    });
  });
  const subject = subjects.up('lab', 'a1', 'sync');

  it('an answer to a $SRV question that was sent there on purpose changes nothing', async () => {
    const service = new MicroService({
      ...shared(),
      prefix: subjects.prefix,
      name: 'polaron-agent',
      id: 'lab_a1',
      version: '0.1.0',
      description: '',
      startedAt: 0,
      metadata: () => ({ epoch: '1', type: 'ok' }),
      endpoints: [],
    });
    const said = [service.ping(), service.info(), service.stats()];
    for (const kind of ['sync', 'done', 'log', 'progress'] as const)
      for (const one of said) await bus.deliver(subjects.up('lab', 'a1', kind), Buffer.from(JSON.stringify(one)));
    expect([heard, gateway.dropped]).toEqual([[], 12]);
  });

  it('takes what is right', async () => {
    const answers = await bus.deliver(subject, encodeEnvelope('a.lab.a1', sync));
    expect([heard, answers.length, gateway.dropped]).toEqual([['sync lab.a1'], 1, 0]);
  });

  for (const [what, bytes] of garbage)
    it(`drops ${what}`, async () => {
      expect(await bus.deliver(subject, bytes)).toEqual([]);
      expect([heard, gateway.dropped]).toEqual([[], 1]);
      expect(logs.entries).toMatchObject([{ level: 'warn', fields: { code: 'BAD_MESSAGE', dropped: 1 } }]);
    });

  it('drops another version of the protocol', async () => {
    await bus.deliver(subject, version2('a.lab.a1', sync));
    expect([heard, gateway.dropped, logs.entries[0]?.fields['code']]).toEqual([[], 1, 'WRONG_VERSION']);
  });

  it('drops what claims another identity than its subject says', async () => {
    for (const by of ['a.lab.a2', 'a.other.a1', 'u.kim', 'hub.n1', ''])
      await bus.deliver(subject, encodeEnvelope(by, sync));
    expect([heard, gateway.dropped, logs.entries[0]?.fields['code']]).toEqual([[], 5, 'NOT_ALLOWED']);
  });

  it('drops subjects that name no agent, or no kind', async () => {
    for (const odd of [
      'polaron.up',
      'polaron.up.lab',
      'polaron.up.LAB.a1.sync',
      'polaron.up.lab.a1.other',
      'polaron.up.lab.a1',
    ])
      await bus.deliver(odd, encodeEnvelope('a.lab.a1', sync));
    expect([heard, gateway.dropped]).toEqual([[], 5]);
  });

  it('logs a flood once a second, with how many were left out', async () => {
    for (let i = 0; i < 500; i++) await bus.deliver(subject, new Uint8Array([0xc1]));
    expect([gateway.dropped, logs.entries.length]).toEqual([500, 1]);
    await clock.advance(1_000);
    await bus.deliver(subject, new Uint8Array([0xc1]));
    expect(logs.entries[1]?.fields).toMatchObject({ leftOut: 499, dropped: 501 });
  });

  it('survives anything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom('sync', 'done', 'log', 'progress'),
        async (bytes, kind) => {
          await bus.deliver(`polaron.up.lab.a1.${kind}`, bytes);
          await bus.deliver(`polaron.up.lab.a1.${kind}`, encodeBody({ v: 1, by: 'a.lab.a1', body: bytes }));
        },
      ),
      { numRuns: 100 },
    );
    expect(heard).toEqual([]);
  });
});

describe('the api', () => {
  const msgpack = { 'content-type': 'application/msgpack' };
  let handled: unknown[];
  let answer: () => Promise<unknown>;
  beforeEach(() => {
    handled = [];
    answer = () => Promise.resolve({ fine: true });
    serveApi({
      ...shared(),
      handle: (user, verb, body) => {
        handled.push([user, verb, body]);
        return answer();
      },
    });
  });
  const ask = (data: Uint8Array | string, headers: Headers = {}, subject = 'polaron.api.kim.list') =>
    bus.deliver(subject, typeof data === 'string' ? Buffer.from(data) : data, headers);
  const json = async (answers: Promise<Uint8Array[]>): Promise<unknown> =>
    JSON.parse(Buffer.from((await answers)[0] ?? []).toString());
  const packed = async (answers: Promise<Uint8Array[]>): Promise<unknown> =>
    decodeBody(decodeEnvelope((await answers)[0] ?? new Uint8Array()).body);

  it('answers JSON in JSON and msgpack in msgpack', async () => {
    expect(await json(ask('{"limit": 3}'))).toEqual({ ok: true, body: { fine: true } });
    expect(await json(ask(''))).toEqual({ ok: true, body: { fine: true } });
    expect(await packed(ask(encodeEnvelope('u.kim', { limit: 3 }), msgpack))).toEqual({
      ok: true,
      body: { fine: true },
    });
    expect(handled).toEqual([
      ['kim', 'list', { limit: 3 }],
      ['kim', 'list', {}],
      ['kim', 'list', { limit: 3 }],
    ]);
  });

  it('gives bytes in base64, of whatever class they are', async () => {
    answer = () => Promise.resolve({ bytes: Uint8Array.of(1, 2), inputs: [Buffer.from([3])] });
    expect(await json(ask(''))).toEqual({ ok: true, body: { bytes: 'AQI=', inputs: ['Aw=='] } });
  });

  it('gives no answer in JSON where it would be heard as a word of somebody else', async () => {
    expect(await bus.deliver('polaron.api.kim.list', new Uint8Array(), {}, 'polaron.api.lee.cancel')).toEqual([]);
    expect(handled).toEqual([['kim', 'list', {}]]);
  });

  it('takes the bare id of a dispatch, with electrons behind it, as a person types it', async () => {
    const id = dispatchId(1);
    const typed = (verb: string, text: string) => ask(text, {}, `polaron.api.kim.${verb}`);
    for (const verb of ['status', 'snapshot', 'cancel', 'wait']) await typed(verb, ` ${id}\n`);
    await typed('logs', `${id} train[3]`);
    await typed('value', `${id} 4`);
    await typed('cancel', `${id} 4 train`);
    await typed('wait', `{"id":"${id}","timeoutMs":1}`);
    await typed('redispatch', `{"id":"${id}","key":"k"}`);
    expect(handled.map((one) => (Array.isArray(one) ? one[2] : one))).toEqual([
      { id },
      { id },
      { id },
      { id, timeoutMs: 4_000 },
      { id, electron: 'train[3]' },
      { id, electron: 4 },
      { id, electrons: [4, 'train'] },
      { id, timeoutMs: 1 },
      { id, key: 'k', reuse: false },
    ]);
    handled = [];
    for (const [verb, text] of [
      ['status', `${id} train`],
      ['logs', `${id} a b`],
      ['status', 'train'],
      ['status', '[1]'],
    ] as const)
      expect(await json(typed(verb, text))).toMatchObject({
        ok: false,
        error: { code: 'BAD_REQUEST', help: 'Send {"id":"…"}, or the id alone.' },
      });
    expect(handled).toEqual([]);
  });

  it('refuses what is no JSON, no verb, no user', async () => {
    for (const answers of [
      ask('{"limit": '),
      ask('{}', {}, 'polaron.api.kim.destroy'),
      ask('{}', {}, 'polaron.api.KIM!.list'),
      ask('{}', {}, 'polaron.api'),
    ])
      expect(await json(answers)).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST' } });
    expect(handled).toEqual([]);
  });

  for (const [what, bytes] of garbage.slice(0, -1))
    it(`refuses ${what}, counts and logs it`, async () => {
      const reply = await packed(
        ask(Buffer.from(Buffer.from(bytes).toString('latin1').replace('a.lab.a1', 'u.kim\0\0\0'), 'latin1'), msgpack),
      );
      expect(reply).toMatchObject({ ok: false });
      expect([handled, logs.entries.length, logs.entries[0]?.fields['refused']]).toEqual([[], 1, 1]);
    });

  it("refuses another version, and another identity than the subject's", async () => {
    expect(await packed(ask(version2('u.kim', {}), msgpack))).toMatchObject({ error: { code: 'WRONG_VERSION' } });
    for (const by of ['u.lee', 'a.lab.a1', 'hub.n1'])
      expect(await packed(ask(encodeEnvelope(by, {}), msgpack))).toMatchObject({ error: { code: 'NOT_ALLOWED' } });
    expect([handled, logs.entries.map(({ fields }) => fields['code'])]).toEqual([[], ['WRONG_VERSION', 'NOT_ALLOWED']]);
    await clock.advance(1_000);
    await ask(encodeEnvelope('u.lee', {}), msgpack);
    expect(logs.entries[2]?.fields).toMatchObject({ refused: 5, leftOut: 2 });
  });

  it('turns what a handler throws into a coded answer', async () => {
    answer = () => Promise.reject(new PolaronError('UNKNOWN_DISPATCH', 'no such', { details: { near: ['x'] } }));
    expect(await json(ask('{}'))).toMatchObject({
      ok: false,
      error: { code: 'UNKNOWN_DISPATCH', message: 'no such', details: { near: ['x'] } },
    });
    answer = () => Promise.reject(new TypeError('a bug'));
    expect(await json(ask('{}'))).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST', message: 'a bug' } });
  });

  it('says HUB_BUSY to what it has no room to answer, and waits take no room of others', async () => {
    const ends: (() => void)[] = [];
    answer = () => new Promise((resolve) => ends.push(() => resolve('done')));
    const open = (verb: string): Promise<Uint8Array[]> => bus.deliver(`polaron.api.kim.${verb}`, Buffer.from('{}'));
    await Promise.all(Array.from({ length: MOST_REQUESTS }, () => open('list')));
    const busy = { ok: false, error: { code: 'HUB_BUSY' } };
    expect(await json(open('list'))).toMatchObject(busy);
    expect([await open('wait'), ends.length]).toEqual([[], MOST_REQUESTS + 1]);
    ends[0]?.();
    await settle();
    answer = () => Promise.resolve('again');
    expect(await json(open('list'))).toEqual({ ok: true, body: 'again' });
  });

  it('gives bytes as base64 in JSON', async () => {
    answer = () => Promise.resolve({ bytes: new Uint8Array([1, 2, 3]) });
    expect(await json(ask('{}'))).toEqual({ ok: true, body: { bytes: 'AQID' } });
  });

  it('tells who asked that the answer is larger than a message, and what to do', async () => {
    answer = () => Promise.resolve({ text: 'x'.repeat(200_000) });
    const told = { ok: false, error: { code: 'PAYLOAD_TOO_LARGE', help: expect.stringContaining('limit') } };
    expect(await json(ask('{}'))).toMatchObject(told);
    const [binary = new Uint8Array()] = await ask(encodeEnvelope('u.kim', {}));
    expect(decodeBody(decodeEnvelope(binary).body)).toMatchObject(told);
    expect(logs.entries).toMatchObject([{ fields: { code: 'PAYLOAD_TOO_LARGE' } }, {}]);
  });
});

describe("the values' service", () => {
  let store: MemoryStore;
  beforeEach(() => {
    store = openMemoryStore();
    serveBlobs({ ...shared(), store });
  });
  const value = Buffer.from('a value');
  const digest = digestOf(value);
  const put = (bytes: Uint8Array, size: number, offset: number, of = digest, by = 'u.kim') =>
    bus.deliver('polaron.blob.u.kim.put', encodeEnvelope(by, { digest: of, size, offset, bytes }));
  const reply = async (answers: Promise<Uint8Array[]>): Promise<unknown> =>
    decodeBody(decodeEnvelope((await answers)[0] ?? new Uint8Array()).body);

  it('takes values and gives them, to users and agents', async () => {
    expect(await reply(put(value, value.length, 0))).toEqual({
      ok: true,
      body: { received: value.length, done: true },
    });
    const has = bus.deliver(
      'polaron.blob.u.kim.has',
      encodeEnvelope('u.kim', { digests: [digest, digestOf(Buffer.from('x'))] }),
    );
    expect(await reply(has)).toEqual({ ok: true, body: { have: [digest] } });
    const get = (offset: number) =>
      bus.deliver('polaron.blob.lab.a1.get', encodeEnvelope('a.lab.a1', { digest, offset, length: 4 }));
    expect((await get(0)).map((bytes) => Buffer.from(bytes).toString())).toEqual(['a va']);
    expect((await get(4)).map((bytes) => Buffer.from(bytes).toString())).toEqual(['lue']);
    expect((await get(100)).map((bytes) => bytes.length)).toEqual([0]);
  });

  it('takes a large value in chunks, says where to go on, and verifies it', async () => {
    const large = Buffer.alloc(150_000, 'z');
    const of = digestOf(large);
    expect(await reply(put(large.subarray(0, 80_000), large.length, 0, of))).toMatchObject({
      body: { received: 80_000, done: false },
    });
    expect(await reply(put(large.subarray(0, 80_000), large.length, 0, of))).toMatchObject({
      body: { received: 80_000, done: false },
    });
    expect(store.hasValue(of)).toBe(false);
    expect(await reply(put(large.subarray(80_000), large.length, 80_000, of))).toMatchObject({
      body: { received: 150_000, done: true },
    });
    expect(store.hasValue(of)).toBe(true);
  });

  it("takes one value from two at once, and one's wrong bytes don't spoil the other's", async () => {
    const large = Buffer.alloc(150_000, 'y');
    const of = digestOf(large);
    const agent = (bytes: Uint8Array, offset: number) =>
      bus.deliver(
        'polaron.blob.lab.a1.put',
        encodeEnvelope('a.lab.a1', { digest: of, size: large.length, offset, bytes }),
      );
    await put(large.subarray(0, 80_000), large.length, 0, of);
    expect(await reply(agent(Buffer.alloc(90_000, 'n'), 0))).toMatchObject({ body: { received: 90_000 } });
    expect(await reply(agent(Buffer.alloc(60_000, 'n'), 90_000))).toMatchObject({ error: { code: 'BAD_MESSAGE' } });
    const last = () => put(large.subarray(80_000), large.length, 80_000, of);
    const done = { ok: true, body: { received: 150_000, done: true } };
    // the last chunk twice: its answer may be lost
    const [first, again] = [last(), last()];
    expect(await reply(first)).toEqual(done);
    expect(await reply(again)).toEqual(done);
    expect(await reply(agent(large, 0))).toEqual(done);
  });

  it('lets go of an upload that failed', async () => {
    const open = store.openBlob.bind(store);
    const aborted: string[] = [];
    store.openBlob = async (digest, size, o) => {
      const writer = await open(digest, size, o);
      return { ...writer, write: (chunk) => writer.write(chunk), abort: async () => void aborted.push(digest) };
    };
    const large = Buffer.alloc(70_000, 'q');
    expect(await reply(put(Buffer.alloc(70_001), large.length, 0, digestOf(large)))).toMatchObject({ ok: false });
    expect(aborted).toEqual([digestOf(large)]);
  });

  it('says HUB_BUSY while too much waits for the disk', async () => {
    store = openMemoryStore({ flush: 'manual' });
    bus = new RawBus();
    serveBlobs({ ...shared(), store });
    const bytes = Buffer.alloc(65_536, 'w');
    const of = digestOf(bytes);
    const waiting = Array.from({ length: 1_024 }, () => put(bytes, bytes.length, 0, of));
    expect(await reply(put(bytes, bytes.length, 0, of))).toMatchObject({ ok: false, error: { code: 'HUB_BUSY' } });
    await Promise.all(waiting);
    store.flush();
    await settle();
    expect(await reply(put(bytes, bytes.length, 0, of))).toMatchObject({ ok: true });
  });

  it('refuses bytes that are not those of their digest', async () => {
    expect(await reply(put(Buffer.from('another'), 7, 0))).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
    const large = Buffer.alloc(70_000, 'q');
    expect(await reply(put(large, large.length, 0, digestOf(Buffer.from('other'))))).toMatchObject({
      ok: false,
      error: { code: 'BAD_MESSAGE' },
    });
    expect(await reply(put(new Uint8Array(1), 2 ** 40, 0))).toMatchObject({
      ok: false,
      error: { code: 'VALUE_TOO_LARGE' },
    });
  });

  for (const [what, bytes] of garbage)
    it(`drops ${what}`, async () => {
      for (const kind of ['get', 'has', 'put'])
        expect(await bus.deliver(`polaron.blob.lab.a1.${kind}`, bytes)).toEqual([]);
      expect(logs.entries).toMatchObject([{ fields: { code: 'BAD_MESSAGE', dropped: 1 } }]);
    });

  it("drops another version, and who claims another identity than the subject's", async () => {
    await bus.deliver('polaron.blob.u.kim.has', version2('u.kim', { digests: [] }));
    expect(await put(value, value.length, 0, digest, 'u.lee')).toEqual([]);
    expect(await put(value, value.length, 0, digest, 'a.u.kim')).toEqual([]);
    expect(
      await bus.deliver('polaron.blob.lab.a1.get', encodeEnvelope('a.lab.a2', { digest, offset: 0, length: 4 })),
    ).toEqual([]);
    expect(logs.entries.map(({ fields }) => fields['code'])).toEqual(['WRONG_VERSION', 'NOT_ALLOWED']);
    expect(store.hasValue(digest)).toBe(false);
  });
});
