/** An agent as the matchmaker meets it on the bus: answers assigns and cancels as a test says, syncs and reports when a test says. */
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../../../bus/codec.ts';
import type {
  Assign,
  AssignReply,
  Cancel,
  CancelReply,
  DoneReply,
  FinishedTask,
  RunEntry,
  Sync,
  SyncReply,
} from '../../../bus/protocol/agent.ts';
import { parseAssign, parseCancel, parseDoneReply, parseSyncReply } from '../../../bus/protocol/wire-agent.ts';
import type { FakeBus, FakeNetwork } from '../../support/fake-bus.ts';
import { subjects } from './hub-world.ts';

export class FakeAgent {
  readonly name: string;
  readonly bus: FakeBus;
  readonly assigns: Assign[] = [];
  readonly cancels: Cancel[] = [];
  /** What it lists. */
  run: RunEntry[] = [];
  base: Partial<Sync> = {};
  answer: (assign: Assign) => AssignReply = () => ({ refused: [] });
  stop: (cancel: Cancel) => CancelReply = (cancel) => ({ stopped: [], stopping: cancel.tasks.map(({ task }) => task) });
  seen = 0;
  #hub = 0;
  #seq = 0;
  #ears: { unsubscribe(): void }[] = [];

  constructor(network: FakeNetwork, name = 'a1') {
    this.name = name;
    this.bus = network.connect(this.identity);
    this.listen();
  }

  get identity(): string {
    return `a.lab.${this.name}`;
  }

  listen(): void {
    this.#ears.push(
      this.bus.subscribe(subjects.down('lab', this.name, 'assign'), (message) => {
        const assign = parseAssign(decodeBody(decodeEnvelope(message.data).body));
        if (assign.hub > this.#hub) this.seen = 0;
        this.#hub = assign.hub;
        if (assign.n === this.seen + 1) this.seen = assign.n;
        this.assigns.push(assign);
        message.respond(encodeEnvelope(this.identity, this.answer(assign)));
      }),
      this.bus.subscribe(subjects.down('lab', this.name, 'cancel'), (message) => {
        const cancel = parseCancel(decodeBody(decodeEnvelope(message.data).body));
        this.cancels.push(cancel);
        message.respond(encodeEnvelope(this.identity, this.stop(cancel)));
      }),
    );
  }
  deaf(): void {
    for (const ear of this.#ears.splice(0)) ear.unsubscribe();
  }

  async sync(over: Partial<Sync> = {}): Promise<SyncReply> {
    const sync: Sync = {
      epoch: 1,
      seq: ++this.#seq,
      seen: this.seen,
      hub: this.#hub,
      history: 'h1',
      slots: 2,
      free: 2,
      queue: 0,
      capabilities: ['process'],
      host: 'box',
      pid: 7,
      version: '0',
      draining: false,
      instance: `${this.name}.boot`,
      run: this.run,
      ...this.base,
      ...over,
    };
    return parseSyncReply(await this.#ask('sync', sync));
  }

  async done(...outcomes: readonly FinishedTask[]): Promise<DoneReply> {
    return parseDoneReply(await this.#ask('done', { epoch: 1, outcomes }));
  }

  async #ask(kind: 'sync' | 'done', body: unknown): Promise<unknown> {
    const reply = await this.bus.request(subjects.up('lab', this.name, kind), encodeEnvelope(this.identity, body), {
      timeoutMs: 5_000,
    });
    return decodeBody(decodeEnvelope(reply.data).body);
  }
}
