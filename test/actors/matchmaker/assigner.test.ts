/** H4: how assigns go out, are repeated, put back, and left. */
import { beforeEach, describe, expect, it } from 'vitest';
import { AgentState } from '../../../actors/matchmaker/agent-state.ts';
import { ASSIGN_BYTES, sharedBytes, taskBytes } from '../../../actors/matchmaker/assign-size.ts';
import { Assigner, type SendRequest } from '../../../actors/matchmaker/assigner.ts';
import type { Assign, AssignReply, Manifest } from '../../../bus/protocol/agent.ts';
import { encodeEnvelope } from '../../../bus/codec.ts';
import { packAssign } from '../../../bus/protocol/shared-parts.ts';
import { digestOf, valueInfoOf } from '../../../bus/value/digest.ts';
import { PolaronError, type ErrorCode } from '../../../model/errors.ts';
import { taskIdOf, type TaskId } from '../../../model/ids.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { def, template } from '../support/graphs.ts';
import { Talk } from '../support/talk.ts';
import { dispatchId } from '../support/hub-world.ts';

const task = (n: number): TaskId => taskIdOf(dispatchId(1), n);
const manifest: Manifest = {
  dispatch: dispatchId(1),
  user: 'kim',
  lattice: 'l',
  argv: [],
  captures: {},
  expiresAt: 0,
  strict: false,
};
const electron = def('train');
const request = (n: number, over: Partial<SendRequest> = {}): SendRequest => ({
  type: 'attempt.send',
  agent: 'lab.a1',
  task: task(n),
  token: [100, 1],
  inputsDigest: digestOf(new Uint8Array()),
  manifest,
  electron,
  name: `train[${n}]`,
  path: undefined,
  template,
  inputs: [],
  split: false,
  ...over,
});

let clock: FakeClock;
let agent: AgentState;
let sent: Assign[];
let answers: ((assign: Assign) => AssignReply | ErrorCode)[];
let back: string[];
let failed: { readonly task: TaskId; readonly code: string; readonly message: string }[];
let assigner: Assigner;
let maxBytes: number;
const all = (): AssignReply => ({ refused: [] });

beforeEach(() => {
  clock = new FakeClock();
  agent = new AgentState('lab.a1', { leaseMs: 15_000, heartbeatMs: 2_000 }, 3, 0, 'folder.boot');
  agent.admitted(3);
  sent = [];
  answers = [];
  back = [];
  failed = [];
  maxBytes = 1_000_000;
  assigner = new Assigner({
    clock,
    send: async (_agent, assign) => {
      sent.push(assign);
      const answer = (answers.shift() ?? all)(assign);
      if (typeof answer === 'string') throw new PolaronError(answer, 'no');
      return answer;
    },
    hub: () => 100,
    history: () => 'h1',
    maxBytes: () => maxBytes,
    onUnable: () => undefined,
    onBack: (_agent, one, message) => {
      if (message.type === 'attempt.unsendable') failed.push({ task: one, ...message.error });
      else back.push(`${one} ${message.token.join('/')} ${message.reason}`);
    },
  });
});

function add(...requests: readonly SendRequest[]): void {
  for (const one of requests) {
    agent.reserve(one.task);
    assigner.add(agent, one);
  }
}

describe('an assign', () => {
  it('carries all that is for one agent in one turn, and what is common only once', async () => {
    add(request(1), request(2), request(3, { electron: def('score') }));
    expect(sent).toEqual([]);
    await settle();
    expect(sent).toMatchObject([
      { epoch: 3, instance: 'folder.boot', hub: 100, history: 'h1', n: 1, manifests: [manifest] },
    ]);
    expect(sent[0]?.electrons.map(({ name }) => name)).toEqual(['train', 'score']);
    expect(sent[0]?.tasks.map((one) => [one.task, one.electron])).toEqual([
      [task(1), 0],
      [task(2), 0],
      [task(3), 1],
    ]);
    expect(agent.holds(task(2))).toEqual([100, 1]);
  });

  it('names equal electrons of many dispatches once', async () => {
    add(request(1), request(2, { electron: structuredClone(electron) }), request(3, { electron: def('score') }));
    await settle();
    expect(sent[0]?.electrons.map(({ name }) => name)).toEqual(['train', 'score']);
    expect(sent[0]?.tasks.map((one) => one.electron)).toEqual([0, 0, 1]);
  });

  it('stays within what a message may carry', async () => {
    maxBytes = 40_000;
    const large = Array.from({ length: 10 }, (_, i) => request(i, { inputs: [new Uint8Array(9_000)] }));
    add(...large);
    await settle();
    expect(sent.length).toBeGreaterThan(2);
    expect(sent.map(({ n }) => n)).toEqual(sent.map((_, i) => i + 1));
    for (const { tasks } of sent) expect(tasks.length * 9_000).toBeLessThan(40_000);
    expect(sent.flatMap(({ tasks }) => tasks.map((one) => one.task))).toEqual(large.map((one) => one.task));
  });

  it('that is refused puts the electron back at once, with its token', async () => {
    answers = [
      () => ({
        refused: [
          { task: task(1), reason: 'busy' },
          { task: task(9), reason: 'busy' },
        ],
      }),
    ];
    add(request(1), request(2));
    await settle();
    expect(back).toEqual([`${task(1)} 100/1 refused`]);
  });

  it('with no responders on the first try puts all back at once', async () => {
    answers = [() => 'NO_RESPONDERS'];
    add(request(1), request(2));
    await settle();
    expect(back).toEqual([`${task(1)} 100/1 no-responders`, `${task(2)} 100/1 no-responders`]);
    expect(sent).toHaveLength(1);
  });

  it('that never arrived does not leave a hole in the numbers: it goes out empty when the agent misses it', async () => {
    answers = [() => 'NO_RESPONDERS'];
    add(request(1));
    await settle();
    add(request(2));
    await settle();
    expect(sent.map(({ n, tasks }) => [n, tasks.length])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    assigner.resend(agent, 0);
    await settle();
    expect(sent[2]).toMatchObject({ n: 1, tasks: [] });
    assigner.resend(agent, 0);
    await settle();
    expect(sent).toHaveLength(3);
  });

  it('that times out is repeated with the same number and tokens, three times in all, and then left as it is', async () => {
    answers = [() => 'REQUEST_TIMEOUT', () => 'REQUEST_TIMEOUT', () => 'REQUEST_TIMEOUT'];
    add(request(1));
    await settle();
    expect(sent).toHaveLength(3);
    expect(new Set(sent)).toEqual(new Set([sent[0]]));
    expect(back).toEqual([]);
    expect(agent.holds(task(1))).toEqual([100, 1]);
  });

  it('is never put back by no responders after a first try that may have arrived', async () => {
    answers = [() => 'REQUEST_TIMEOUT', () => 'NO_RESPONDERS', () => 'NO_RESPONDERS'];
    add(request(1));
    await settle();
    await clock.advance(1_000);
    expect([sent.length, back]).toEqual([3, []]);
  });

  it('that was left is sent again when a sync says that it was not seen, with its number', async () => {
    answers = [() => 'BUS_DISCONNECTED', () => 'BUS_DISCONNECTED', () => 'BUS_DISCONNECTED'];
    add(request(1));
    await settle();
    await clock.advance(1_000);
    expect(sent).toHaveLength(3);
    assigner.resend(agent, 1);
    await settle();
    expect(sent).toHaveLength(3);
    assigner.resend(agent, 0);
    await settle();
    expect(sent[3]).toBe(sent[0]);
  });

  it('of an agent that restarted meanwhile counts for nothing any more', async () => {
    answers = [
      () => {
        assigner.forget(agent);
        return { refused: [{ task: task(1), reason: 'epoch' }] };
      },
    ];
    add(request(1));
    await settle();
    expect(back).toEqual([]);
  });

  it('to one that began again since the match is put back, and its place is free: it may not be on disk yet (H3)', async () => {
    agent.sync(new Talk().syncOf({ epoch: 4 }), 0, 100, 'h1');
    add(request(1), request(2));
    await settle();
    expect([sent, back]).toEqual([[], [`${task(1)} 100/1 refused`, `${task(2)} 100/1 refused`]]);
    agent.admitted(4);
    add(request(3));
    await settle();
    expect(sent).toMatchObject([{ epoch: 4, n: 1, tasks: [{ task: task(3) }] }]);
  });

  it('can be taken back before it goes out', async () => {
    add(request(1), request(2));
    expect([assigner.withdraw(agent, task(1)), assigner.withdraw(agent, task(7))]).toEqual([true, false]);
    await settle();
    expect(sent.map(({ tasks }) => tasks.map((one) => one.task))).toEqual([[task(2)]]);
    expect(assigner.withdraw(agent, task(2))).toBe(false);
  });
});

describe('an assign that no message can carry', () => {
  const refuse = (): ErrorCode => 'PAYLOAD_TOO_LARGE';

  it('fails its electron with what takes the room, and is not repeated', async () => {
    answers = [refuse];
    add(request(1, { manifest: { ...manifest, argv: ['x'.repeat(5_000)] }, template: new Uint8Array(700) }));
    await settle();
    await clock.advance(10_000);
    assigner.resend(agent, 0);
    await settle();
    expect(back).toEqual([]);
    expect(failed).toMatchObject([{ task: task(1), code: 'PAYLOAD_TOO_LARGE' }]);
    expect(failed[0]?.message).toMatch(
      /^electron "train\[1\]" can't be sent to agent lab\.a1: no \(captured variables and command line: 50\d\d bytes, the electron's options: \d+, its arguments: 705\); Pass large data as arguments/,
    );
    // Only its number goes out, empty, so that the agent misses nothing.
    expect(sent.map(({ n, tasks }) => [n, tasks.length])).toEqual([
      [1, 1],
      [1, 0],
    ]);
  });

  it('of several electrons puts all back, and each goes by itself then, so that only the one to blame fails', async () => {
    const bad = (assign: Assign): AssignReply | ErrorCode =>
      assign.tasks.some((one) => one.task === task(2)) ? 'PAYLOAD_TOO_LARGE' : all();
    answers = [bad, bad, bad, bad, bad];
    add(request(1), request(2), request(3));
    await settle();
    expect([back.length, failed]).toEqual([3, []]);
    add(request(1), request(2), request(3), request(4));
    await settle();
    expect(sent.slice(1).map(({ tasks }) => tasks.map((one) => one.task))).toEqual([
      [task(1)],
      [task(2)],
      [task(3)],
      [task(4)],
    ]);
    expect([back.length, failed.map((one) => one.task)]).toEqual([3, [task(2)]]);
    add(request(5), request(6));
    await settle();
    expect(sent.at(-1)?.tasks).toHaveLength(2);
  });

  it('or that is nothing an agent would understand fails its electron, too', async () => {
    answers = [() => 'REQUEST_TIMEOUT', () => 'BAD_MESSAGE'];
    add(request(1));
    await settle();
    expect(failed).toEqual([
      { task: task(1), code: 'BAD_MESSAGE', message: `electron "train[1]" can't be sent to agent lab.a1: no` },
    ]);
  });
});

describe('the size that is counted', () => {
  it('is never below what is sent, and not far above', async () => {
    const text = 'ü€\u{1F600}'.repeat(3_000);
    const info = { ...valueInfoOf(new Uint8Array(3)), size: 2 ** 40, length: 2 ** 31 };
    for (const over of [
      {},
      {
        name: `${'€'.repeat(200)}[7]`,
        path: `${'1234[5678].'.repeat(16)}9`,
        manifest: { ...manifest, argv: [text], captures: { f: { text, big: 2n ** 60n } } },
      },
      { template: info, inputs: info, electron: def(text, { env: { [text]: text }, memoryMb: 1.5 }) },
      {
        template: new Uint8Array(70_000),
        inputs: [info, new Uint8Array(), new Uint8Array(300)],
        token: [2 ** 42, 2 ** 40],
      },
    ] satisfies Partial<SendRequest>[]) {
      sent = [];
      const one = request(1, over);
      add(one);
      await settle();
      const [first] = sent;
      if (first === undefined) throw new Error('nothing was sent');
      const actual = encodeEnvelope('hub.n1', packAssign(first)).byteLength;
      const counted = ASSIGN_BYTES + taskBytes(one) + sharedBytes(one.manifest) + sharedBytes(one.electron);
      expect(counted).toBeGreaterThanOrEqual(actual);
      expect(counted).toBeLessThan(actual + ASSIGN_BYTES + 500);
    }
  });
});
