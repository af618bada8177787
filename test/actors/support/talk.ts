/** An agent and the hub's view of it, without anything between: syncs with rising numbers, and what the hub makes of them. */
import { AgentState, type AgentEffect } from '../../../actors/matchmaker/agent-state.ts';
import type { RunEntry, Sync, SyncReply } from '../../../bus/protocol/agent.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { taskIdOf, type TaskId } from '../../../model/ids.ts';
import type { Token } from '../../../model/outcome.ts';
import { dispatchId } from './hub-world.ts';

export const HUB = 100;
export const LEASE = 15_000;
const leases = { leaseMs: LEASE, heartbeatMs: 2_000 };
export const task = (n: number): TaskId => taskIdOf(dispatchId(1), n);
export const token = (attempt = 1, hub = HUB): Token => [hub, attempt];
export const entry = (n: number, over: Partial<RunEntry> = {}): RunEntry => ({
  task: task(n),
  token: token(),
  inputsDigest: digestOf(new Uint8Array()),
  state: 'running',
  startedAt: 5,
  ...over,
});

export class Talk {
  readonly state: AgentState;
  now = 1_000;
  seq = 0;
  base: Partial<Sync> = {};
  hub = HUB;

  constructor(roster = 0) {
    this.state = new AgentState('lab.a1', leases, roster, this.now);
  }

  sync(over: Partial<Sync> = {}): { readonly reply: SyncReply; readonly effects: readonly AgentEffect[] } {
    return this.state.sync(this.syncOf(over), this.now, this.hub, 'h1');
  }
  syncOf(over: Partial<Sync> = {}): Sync {
    return {
      epoch: 1,
      seq: ++this.seq,
      seen: 0,
      // the answer to its first sync tells it
      hub: this.state.synced ? HUB : 0,
      history: 'h1',
      slots: 2,
      free: 2,
      queue: 0,
      capabilities: ['process'],
      host: 'box',
      pid: 7,
      version: '0',
      draining: false,
      instance: 'folder.boot',
      run: [],
      ...this.base,
      ...over,
    };
  }
  join(): this {
    this.sync();
    this.state.admitted(this.state.epoch);
    return this;
  }
  send(n: number, attempt = 1): number {
    const number = this.state.nextN();
    this.state.reserve(task(n));
    this.state.hold(task(n), token(attempt), number);
    return number;
  }
}
export const lost = ({ effects }: { readonly effects: readonly AgentEffect[] }): TaskId[] =>
  effects.flatMap((effect) => (effect.type === 'lost' ? [effect.task] : []));
export const dropped = ({ reply }: { readonly reply: SyncReply }): (readonly [TaskId, Token])[] =>
  reply.type === 'ok' ? reply.drop.map((one) => [one.task, one.token]) : [];
