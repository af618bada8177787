/** Where an electron stands with its attempts: the current one, and the counts that the next rests on. Holds and compares; decides nothing. */
import type { AgentKey, Digest } from '../../model/ids.ts';
import type { ElectronStatus } from '../../model/lifecycle.ts';
import { olderToken, sameToken, type Token } from '../../model/outcome.ts';
import type { ElectronRecord } from '../../model/records.ts';

type WritableRecord = { -readonly [K in keyof ElectronRecord]: ElectronRecord[K] };

export class Attempts {
  /** Of the last one; 0: none yet. */
  number: number;
  /** Attempts that failed by themselves, and those lost with their agent. */
  failures: number;
  losses: number;
  agent: AgentKey | undefined;
  token: Token | undefined;
  startedAt: number | undefined;
  /** Its agent may have it. */
  sent = false;
  /** Agents that it was lost with. */
  lostWith: readonly AgentKey[] | undefined;

  constructor(restored: ElectronRecord | undefined) {
    this.number = restored?.attempt ?? 0;
    this.failures = restored?.failures ?? 0;
    this.losses = restored?.losses ?? 0;
    this.agent = restored?.agent;
    this.token = restored?.token;
    this.startedAt = restored?.startedAt;
    this.lostWith = restored?.lostWith;
  }

  /** The next one, in this life of the hub. */
  begin(agent: AgentKey, epoch: number, now: number): void {
    this.number++;
    this.agent = agent;
    this.token = [epoch, this.number];
    this.startedAt = now;
    this.sent = false;
  }

  /** One that an agent has had since an earlier life of the hub. */
  adopt(agent: AgentKey, token: Token, startedAt: number): void {
    this.number = token[1];
    this.agent = agent;
    this.token = token;
    this.startedAt = startedAt;
    this.sent = true;
  }

  lostWithAgent(): void {
    this.losses++;
    if (this.agent !== undefined) this.lostWith = [...(this.lostWith ?? []), this.agent];
  }

  isCurrent(token: Token): boolean {
    return this.token !== undefined && sameToken(token, this.token);
  }

  /** Given out after ours, by a life of the hub before `epoch`: its record was lost. */
  isUnrecorded(token: Token, epoch: number): boolean {
    return token[0] < epoch && (this.token === undefined || olderToken(this.token, token));
  }

  /** As it stands. Field by field: two of these are made for every electron. */
  record(status: ElectronStatus, inputsDigest: Digest): WritableRecord {
    const { number: attempt, failures, losses } = this;
    const record: WritableRecord = { status, attempt, failures, losses, seq: 0, inputsDigest };
    if (this.token !== undefined) record.token = this.token;
    if (this.agent !== undefined) record.agent = this.agent;
    if (this.startedAt !== undefined) record.startedAt = this.startedAt;
    if (this.lostWith !== undefined) record.lostWith = this.lostWith;
    return record;
  }
}
