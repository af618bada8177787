/** `polaron decode`: every kind of message in clear, by its content alone, and nothing that it fails of. What comes over a real bus: test/docs/nats-cli.test.ts. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBody, encodeEnvelope } from '../../bus/codec.ts';
import { packAssign } from '../../bus/protocol/shared-parts.ts';
import { encodeGraph } from '../../bus/protocol/wire-graph.ts';
import { digestOf } from '../../bus/value/digest.ts';
import { encodePointer } from '../../bus/value/list.ts';
import { encodeTemplate } from '../../bus/value/template.ts';
import { encodeValue } from '../../bus/value/value.ts';
import { decoded } from '../../cli/commands/decode.ts';
import { taskIdOf } from '../../model/ids.ts';
import { def } from '../actors/support/graphs.ts';
import { dispatchId } from '../actors/support/hub-world.ts';
import { root } from '../house/sources.ts';

const id = dispatchId(1);
const task = taskIdOf(id, 3);
const token = [100, 1] as const;
const digest = digestOf(new Uint8Array());
const by = 'a.lab.gpu-1';
const value = (x: unknown): Uint8Array => encodeValue(x, 'x');
const ref = { ref: true };
const template = encodeTemplate([1, ref], (x) => (x === ref ? { input: 0, path: ['a', 2] } : undefined), 'x');
const json = (message: Uint8Array, subject?: string): unknown => JSON.parse(decoded(message, { subject, json: true }));
const say = (body: unknown, subject?: string): unknown => json(encodeEnvelope(by, body), subject);

const assign = {
  epoch: 1,
  instance: 'i',
  hub: 100,
  history: 'h',
  n: 1,
  manifests: [{ dispatch: id, user: 'kim', lattice: 'l', argv: [], captures: {}, expiresAt: 0, strict: false }],
  electrons: [def('train')],
  tasks: [
    {
      task,
      token,
      inputsDigest: digest,
      manifest: 0,
      electron: 0,
      name: 'train',
      template,
      inputs: [value({ at: new Date(0) }), { digest, size: 70_000 }],
      split: false,
      timeoutMs: 0,
    },
  ],
};
const outcome = {
  status: 'completed',
  value: { digest, size: 3 },
  bytes: value([1n]),
  usage: { startedAt: 1, endedAt: 2 },
};

/** Messages without a subject: what they are called, and something that has to be seen in them. */
const kinds: readonly (readonly [kind: string, body: object, seen?: object])[] = [
  ['sync', { epoch: 1, seq: 2, seen: 0, hub: 1, run: [], slots: 2 }, { slots: 2 }],
  ['answer to a sync', { type: 'ok', hub: 1, seq: 2, leaseMs: 15_000, drop: [], cancel: [] }],
  ['answer to a sync', { type: 'superseded' }],
  ['assign', packAssign(assign), { electrons: [{ name: 'train' }], manifests: [{ user: 'kim' }] }],
  ['answer to an assign', { refused: [{ task, reason: 'busy' }] }, { refused: [{ reason: 'busy' }] }],
  [
    'done',
    { epoch: 1, outcomes: [{ task, token, inputsDigest: digest, outcome }] },
    { outcomes: [{ outcome: { bytes: { $value: [{ $type: 'bigint', value: '1' }] } } }] },
  ],
  ['answer to a done', { all: 'committed' }],
  ['answer to a done', { verdicts: [] }],
  ['cancel', { hub: 1, tasks: [{ task, token, reason: 'r', revoke: false }] }],
  ['answer to a cancel', { stopped: [task], stopping: [] }],
  ['control', { type: 'drain' }],
  ['answer to a control', { ok: true }],
  ['log', { task, token, n: 1, stream: 'stdout', text: 'hello\n' }, { text: 'hello\n' }],
  ['progress', { task, token, fraction: 0.5, note: 'half' }],
  ['logs', { task }],
  ['logs of a task', { token, logs: { stdout: '', stderr: '' } }],
  ['blob get', { digest, offset: 0, length: 100 }],
  ['blob has', { digests: [digest] }, { digests: [digest] }],
  ['blob put', { digest, size: 2, offset: 0, bytes: value('x') }, { bytes: { $value: 'x' } }],
  ['who offers a capability', { site: 'lab', agent: 'gpu-1' }],
  ['redispatch', { key: 'k', id, reuse: true }],
  ['request about a dispatch', { id, since: 3 }],
  ['answer', { ok: true, body: { have: [] } }],
  ['error', { ok: false, error: { code: 'NO', message: 'm', help: '', details: {} } }],
  ['probe, or a request that asks nothing special', {}],
];

describe('polaron decode', () => {
  for (const [kind, body, seen = {}] of kinds)
    it(`knows a message of this kind: ${kind} (${Object.keys(body).join(', ')})`, () => {
      expect(say(body)).toMatchObject({ kind, by, ...(Object.keys(body).length === 0 ? {} : { body: seen }) });
    });

  it('shows arguments with their holes, values, and where larger ones are', () => {
    expect(say(packAssign(assign))).toMatchObject({
      body: {
        tasks: [
          {
            template: { $template: [1, { $input: 0, path: ['a', 2] }] },
            inputs: [
              { $value: { at: { $type: 'Date', value: '1970-01-01T00:00:00.000Z' } } },
              { digest, size: 70_000 },
            ],
          },
        ],
      },
    });
    const pointer = encodePointer({ digest, size: 99 });
    expect(say({ digest, size: 1, offset: 0, bytes: pointer })).toMatchObject({
      body: { bytes: { $value: { $pointer: digest, size: 99 } } },
    });
    const large = Buffer.alloc(300_000, 7);
    expect(say({ digest, size: 1, offset: 0, bytes: large })).toMatchObject({
      body: { bytes: { $bytes: 300_000, begins: '07'.repeat(32) } },
    });
  });

  it('opens the graph of a submit', () => {
    const graph = encodeGraph({
      electrons: [def('train')],
      nodes: [{ kind: 'electron', electron: 0, template, inputs: [], after: [] }],
      output: { template, inputs: [0] },
    });
    expect(
      say({ key: 'k', lattice: { name: 'l' }, graph: { bytes: graph }, args: { bytes: value([2]) } }),
    ).toMatchObject({
      kind: 'submit',
      body: {
        graph: { bytes: { $graph: { electrons: [{ name: 'train' }], nodes: [{ template: { $template: [1, {}] } }] } } },
        args: { bytes: { $value: [2] } },
      },
    });
  });

  it('knows what actors tell each other: mirrored, from another process, in parts', () => {
    const said = { from: 'n1.matchmaker.main', message: { type: 'attempt.finished', task, outcome } };
    const shown = { type: 'attempt.finished', from: said.from, body: { task, outcome: { status: 'completed' } } };
    expect(say({ mirror: true, ...said })).toMatchObject({ kind: 'between actors, mirrored', ...shown });
    expect(say({ body: encodeBody(said) })).toMatchObject({ kind: 'between actors', ...shown });
    expect(say({ id: 'x#1', part: 0, parts: 2, body: encodeBody(said).subarray(0, 20) })).toMatchObject({
      kind: 'part of a message between actors',
      body: { part: 0, parts: 2, body: { $bytes: 20 } },
    });
  });

  it('takes the subject’s word where there is one', () => {
    expect(say({ id }, 'polaron.api.kim.cancel')).toMatchObject({ kind: 'cancel of user kim', body: { id } });
    expect(say({}, 'polaron.down.all.probe')).toMatchObject({ kind: 'probe' });
    expect(json(new Uint8Array(), 'polaron.api.kim.list')).toMatchObject({ kind: 'list of user kim', bytes: 0 });
    expect(say({ ok: true }, '_INBOX.a.lab.gpu-1.7')).toMatchObject({ kind: 'answer to a control' });
  });

  it('knows JSON: events, NATS’ own, and answers with values in them', () => {
    const event = { dispatch: id, seq: 1, transient: false, at: 1, type: 'electron.completed', electron: 'train' };
    expect(json(Buffer.from(JSON.stringify(event)))).toMatchObject({ kind: 'event', type: event.type, body: event });
    const reply = {
      ok: true,
      body: { value: { digest, size: 3 }, bytes: Buffer.from(value({ a: 1 })).toString('base64') },
    };
    expect(json(Buffer.from(JSON.stringify(reply)))).toMatchObject({
      kind: 'answer in JSON',
      body: { body: { bytes: { $value: { a: 1 } } } },
    });
    expect(json(Buffer.from('{"type":"io.nats.micro.v1.ping_response"}'))).toMatchObject({ kind: 'NATS' });
  });

  it('is for people: a line that says what it is, and JSON that fits into lines', () => {
    expect(decoded(encodeEnvelope(by, { all: 'committed' }), { json: false })).toBe(
      'answer to a done, by a.lab.gpu-1, 45 bytes\n{ "all": "committed" }\n',
    );
    for (const line of decoded(encodeEnvelope(by, packAssign(assign)), { json: false }).split('\n'))
      expect(line.length).toBeLessThan(140);
  });

  it('says what it is of another version, of a signed one, of what is no message at all', () => {
    expect(json(encodeBody({ v: 2, by, body: encodeBody({ all: 'committed' }) }))).toMatchObject({
      kind: 'envelope of version 2',
      by,
      body: { all: 'committed' },
    });
    expect(json(encodeBody({ v: 1, by, body: encodeBody({}), sig: new Uint8Array(64), key: 'K' }))).toMatchObject({
      by,
      key: 'K',
      signed: 64,
    });
    expect(json(encodeBody({ a: 1 }))).toMatchObject({ kind: 'MessagePack without an envelope', body: { a: 1 } });
    expect(json(value(['x']))).toMatchObject({ kind: 'a value, or its first chunk', body: { $value: ['x'] } });
    expect(json(Buffer.from('hello there'))).toMatchObject({ kind: 'text', body: 'hello there' });
    expect(json(Uint8Array.of(0xc1, 0xff))).toMatchObject({ body: { $bytes: 2, begins: 'c1ff' } });
    expect(json(new Uint8Array())).toEqual({ kind: 'nothing', bytes: 0 });
  });

  it('leaves a terminal alone', () => {
    expect(decoded(Buffer.from('a\u001B[2Jb'), { json: false })).not.toContain('\u001B');
  });

  it('never fails of any bytes, nor of any message of ours that was broken', () => {
    const ours = kinds.map(([, body]) => encodeEnvelope(by, body));
    const broken = fc
      .tuple(fc.constantFrom(...ours), fc.nat(), fc.integer({ min: 0, max: 255 }))
      .map(([message, at, byte]) => message.map((old, i) => (i === at % message.length ? byte : old)));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          broken,
          fc.jsonValue().map((x) => Buffer.from(JSON.stringify(x))),
        ),
        (bytes) => {
          for (const as of [true, false]) expect(decoded(bytes, { json: as })).toMatch(/\n$/);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('is a command that reads stdin', async () => {
    const command = join(root, 'dist', 'cli', 'main.cjs');
    const run = (...args: readonly string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        const child = execFile(process.execPath, [command, 'decode', ...args], (error, out) =>
          error === null ? resolve(out) : reject(error),
        );
        child.stdin?.end(encodeEnvelope(by, { id }));
      });
    expect(await run('polaron.api.kim.cancel')).toMatch(/^cancel of user kim, by a\.lab\.gpu-1, \d+ bytes\n\{ "id": /);
    expect(JSON.parse(await run('--json'))).toMatchObject({ kind: 'request about a dispatch', body: { id } });
    expect(await run('--help')).toContain('one message of the bus');
    await expect(run('--jason')).rejects.toMatchObject({ code: 2 });
  });
});
