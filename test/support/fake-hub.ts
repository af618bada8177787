/**
 * A hub as an agent sees it: joins, assigns with credits, commits outcomes once, drops, cancels, serves values. It obeys docs/protocol.md as far as
 * agents can tell, keeps everything in memory, and writes down what happened. Not the real matchmaker: it doesn't lose or retry by itself.
 */
import type { Bus, BusMessage } from '../../bus/bus.ts';
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../../bus/codec.ts';
import type {
  Assign,
  AssignedTask,
  AssignReply,
  CancelReply,
  FinishedTask,
  Manifest,
  Sync,
  SyncReply,
  Verdict,
} from '../../bus/protocol/agent.ts';
import {
  parseAssignReply,
  parseBlobRead,
  parseCancelReply,
  parseDone,
  parseSync,
} from '../../bus/protocol/wire-agent.ts';
import { packAssign } from '../../bus/protocol/shared-parts.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import { digestOf, valueInfoOf } from '../../bus/value/digest.ts';
import { encodeTemplate } from '../../bus/value/template.ts';
import { encodeValue } from '../../bus/value/value.ts';
import { DEFAULT_RETRY, NO_TIMEOUTS, type ElectronDef } from '../../model/graph.ts';
import type { Digest, TaskId } from '../../model/ids.ts';
import type { Outcome, Token, ValueInfo } from '../../model/outcome.ts';

export const subjects = makeSubjects();
export const SITE = 's1';
export const AGENT = 'a1';
export const HISTORY = 'history-1';
const DISPATCH = '00000000000000000000-n1';

export const taskId = (n: number): TaskId => `${DISPATCH}_${n}`;

class Hole {
  readonly input: number;
  constructor(input: number) {
    this.input = input;
  }
}
const holeIn = (x: unknown): { input: number; path: [] } | undefined =>
  x instanceof Hole ? { input: x.input, path: [] } : undefined;

export interface TaskSpec {
  readonly electron: string;
  readonly args?: readonly unknown[];
  /** Encoded inputs, or values to pull; they become further arguments. */
  readonly inputs?: AssignedTask['inputs'];
  readonly inputCount?: number;
  /** The template is a value to pull. */
  readonly pullTemplate?: boolean;
  readonly timeoutMs?: number;
  readonly silenceMs?: number;
  readonly memoryMb?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly executor?: string;
  readonly executorOptions?: Readonly<Record<string, unknown>>;
  readonly exclusive?: boolean;
  readonly split?: boolean;
  readonly attempt?: number;
  readonly path?: string;
}

export class FakeHub {
  readonly bus: Bus;
  hub = 1_000;
  history = HISTORY;
  /** What every sync is answered, while set. */
  syncAnswer: ((sync: Sync) => SyncReply) | undefined;
  /** What an outcome is answered; default: committed once, then duplicate. */
  judge: (finished: FinishedTask) => Verdict | 'silent' = (finished) =>
    this.outcomes.has(finished.task) ? 'duplicate' : 'committed';
  readonly syncs: Sync[] = [];
  readonly outcomes = new Map<TaskId, Outcome>();
  readonly verdicts: { readonly task: TaskId; readonly token: Token; readonly verdict: Verdict | 'silent' }[] = [];
  readonly logs: unknown[] = [];
  readonly values = new Map<Digest, Uint8Array>();
  readonly reads: { readonly digest: Digest; readonly offset: number; readonly length: number }[] = [];
  drop: { task: TaskId; token: Token }[] = [];
  cancels: { task: TaskId; token: Token; reason: string }[] = [];
  manifest: Manifest = {
    dispatch: DISPATCH,
    user: 'kim',
    lattice: 'test',
    argv: [],
    captures: {},
    expiresAt: 0,
    strict: false,
  };
  n = 0;
  readonly #waiting = new Set<() => void>();

  constructor(bus: Bus) {
    this.bus = bus;
    bus.subscribe(subjects.up(SITE, AGENT, 'sync'), (message) => this.#sync(message));
    bus.subscribe(subjects.up(SITE, AGENT, 'done'), (message) => this.#done(message));
    bus.subscribe(subjects.up(SITE, AGENT, 'log'), (message) => {
      this.logs.push(bodyOf(message));
      this.#wake();
    });
    bus.subscribe(subjects.agentBlob(SITE, AGENT, 'get'), (message) => {
      const read = parseBlobRead(bodyOf(message));
      this.reads.push(read);
      const bytes = this.values.get(read.digest) ?? new Uint8Array(0);
      message.respond(bytes.slice(read.offset, read.offset + read.length));
    });
  }

  /** Stores bytes under their digest. */
  store(bytes: Uint8Array): ValueInfo {
    this.values.set(digestOf(bytes), bytes);
    return valueInfoOf(bytes);
  }

  /** The code of all tasks from now on. */
  useBundle(text: string): void {
    this.manifest = { ...this.manifest, bundle: this.store(Buffer.from(text)) };
  }

  task(id: number, spec: TaskSpec, electrons: ElectronDef[]): AssignedTask {
    electrons.push(electronDef(spec));
    const inputs = spec.inputs ?? [];
    const count = spec.inputCount ?? (Array.isArray(inputs) ? inputs.length : 0);
    const holes = Array.from({ length: count }, (_, i) => new Hole(i));
    const template = encodeTemplate([...(spec.args ?? []), ...holes], holeIn, 'arguments');
    return {
      task: taskId(id),
      token: [this.hub, spec.attempt ?? 1],
      inputsDigest: digestOf(Buffer.from(String(id))),
      manifest: 0,
      electron: electrons.length - 1,
      name: spec.electron,
      ...(spec.path === undefined ? {} : { path: spec.path }),
      template: spec.pullTemplate === true ? this.store(template) : template,
      inputs,
      split: spec.split ?? false,
      timeoutMs: spec.timeoutMs ?? 0,
    };
  }

  /** Makes an assign of these tasks; sends nothing. */
  compose(tasks: Readonly<Record<number, TaskSpec>>, over: Partial<Assign> = {}): Assign {
    const electrons: ElectronDef[] = [];
    const list = Object.entries(tasks).map(([id, spec]) => this.task(Number(id), spec, electrons));
    const { epoch = 0, instance = '' } = this.syncs.at(-1) ?? {};
    return {
      epoch,
      instance,
      hub: this.hub,
      history: this.history,
      n: ++this.n,
      manifests: [this.manifest],
      electrons,
      tasks: list,
      ...over,
    };
  }

  async send(assign: Assign, timeoutMs = 5_000): Promise<AssignReply> {
    const answer = await this.bus.request(
      subjects.down(SITE, AGENT, 'assign'),
      encodeEnvelope('hub.n1', packAssign(assign)),
      {
        timeoutMs,
      },
    );
    return parseAssignReply(bodyOf(answer));
  }

  assign(tasks: Readonly<Record<number, TaskSpec>>): Promise<AssignReply> {
    return this.send(this.compose(tasks));
  }

  /** Assigns; what is refused as `busy` is assigned again when something has ended. */
  async assignAll(tasks: Readonly<Record<number, TaskSpec>>): Promise<void> {
    for (let left = tasks; Object.keys(left).length > 0; ) {
      const ended = this.outcomes.size;
      const { refused } = await this.assign(left);
      const busy = new Set(refused.map(({ task }) => task));
      left = Object.fromEntries(Object.entries(left).filter(([id]) => busy.has(taskId(Number(id)))));
      if (busy.size > 0) await this.when(() => this.outcomes.size > ended, 'a free slot');
    }
  }

  async cancel(
    ids: readonly number[],
    options: { readonly revoke?: boolean; readonly attempt?: number } = {},
  ): Promise<CancelReply> {
    const tasks = ids.map((id) => ({
      task: taskId(id),
      token: [this.hub, options.attempt ?? 1],
      reason: 'asked for',
      revoke: options.revoke ?? false,
    }));
    const body = encodeEnvelope('hub.n1', { hub: this.hub, tasks });
    return parseCancelReply(
      bodyOf(await this.bus.request(subjects.down(SITE, AGENT, 'cancel'), body, { timeoutMs: 2_000 })),
    );
  }

  /** Pulls a value that the agent holds. */
  async pull(info: ValueInfo, chunk: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < info.size; ) {
      const body = encodeEnvelope('hub.n1', { digest: info.digest, offset, length: chunk });
      const { data } = await this.bus.request(subjects.down(SITE, AGENT, 'blob'), body, { timeoutMs: 2_000 });
      if (data.length === 0) break;
      parts.push(data);
      offset += data.length;
    }
    return Buffer.concat(parts);
  }

  /** Resolves when the task has ended. */
  async outcome(id: number, timeoutMs = 15_000): Promise<Outcome> {
    const task = taskId(id);
    await this.when(() => this.outcomes.has(task), `the outcome of task ${id}`, timeoutMs);
    const outcome = this.outcomes.get(task);
    if (outcome === undefined) throw new Error('unreachable');
    return outcome;
  }

  /** Resolves when the condition holds; it is looked at after every message. */
  when(condition: () => boolean, what: string, timeoutMs = 15_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms for ${what}`)), timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }

  joined(): Promise<void> {
    return this.when(() => this.syncs.length > 0, 'a sync');
  }

  /** The first one of a life of the agent; of an earlier life one may still come when the next has been started. */
  async firstSync(epoch: number): Promise<Sync> {
    const first = (): Sync | undefined => this.syncs.find((sync) => sync.epoch === epoch);
    await this.when(() => first() !== undefined, `a sync of epoch ${epoch}`);
    return first() ?? Promise.reject(new Error('it was there'));
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }

  #sync(message: BusMessage): void {
    const sync = parseSync(bodyOf(message));
    this.syncs.push(sync);
    const ok: SyncReply = {
      type: 'ok',
      hub: this.hub,
      history: this.history,
      seq: sync.seq,
      leaseMs: 15_000,
      heartbeatMs: 2_000,
      drop: this.drop,
      cancel: this.cancels,
    };
    message.respond(encodeEnvelope('hub.n1', this.syncAnswer?.(sync) ?? ok));
    this.#wake();
  }

  #done(message: BusMessage): void {
    const { outcomes } = parseDone(bodyOf(message));
    const verdicts: { task: TaskId; token: Token; verdict: Verdict }[] = [];
    for (const finished of outcomes) {
      const { task, token, outcome } = finished;
      const verdict = this.judge(finished);
      this.verdicts.push({ task, token, verdict });
      if (verdict !== 'silent') verdicts.push({ task, token, verdict });
      if (verdict === 'committed') this.outcomes.set(task, outcome);
    }
    const [first] = verdicts;
    const same = verdicts.length === outcomes.length && verdicts.every(({ verdict }) => verdict === first?.verdict);
    if (first !== undefined) message.respond(encodeEnvelope('hub.n1', same ? { all: first.verdict } : { verdicts }));
    this.#wake();
  }
}

const bodyOf = (message: BusMessage): unknown => decodeBody(decodeEnvelope(message.data).body);

function electronDef(spec: TaskSpec): ElectronDef {
  const def: ElectronDef = {
    name: spec.electron,
    executor: spec.executor ?? 'process',
    needs: [],
    retries: DEFAULT_RETRY,
    timeouts: { ...NO_TIMEOUTS, silenceMs: spec.silenceMs ?? 0 },
  };
  return {
    ...def,
    ...(spec.memoryMb === undefined ? {} : { memoryMb: spec.memoryMb }),
    ...(spec.env === undefined ? {} : { env: spec.env }),
    ...(spec.executorOptions === undefined ? {} : { executorOptions: spec.executorOptions }),
    ...(spec.exclusive === undefined ? {} : { exclusive: spec.exclusive }),
  };
}

/** An encoded value as an input. */
export const input = (value: unknown): Uint8Array => encodeValue(value, 'input');
