/** Who has an agent's name, and with which epoch (H11). Pure. Not here: what else its syncs mean (agent-state.ts). */
import type { AgentKey } from '../../model/ids.ts';
import type { Sync, SyncReply } from '../../bus/protocol/agent.ts';
import type { RosterEntry } from '../../bus/protocol/results.ts';

/** Those whose name was taken over are remembered, this many. */
const MOST_FORMER = 64;

export class NameHolder {
  readonly #key: AgentKey;
  #epoch: number;
  /** The process that this is, and those whose name it took over. */
  #instance: string | undefined;
  readonly #former = new Set<string>();
  #usurped = false;

  constructor(key: AgentKey, epoch: number, instance: string | undefined) {
    this.#key = key;
    this.#epoch = epoch;
    this.#instance = instance;
  }

  get epoch(): number {
    return this.#epoch;
  }
  /** Which process has the name; '' before the first was met. */
  get instance(): string {
    return this.#instance ?? '';
  }
  /** The same, as it is recorded. */
  get identity(): RosterEntry {
    const of = { agent: this.#key, epoch: this.#epoch };
    return this.#instance === undefined ? of : { ...of, instance: this.#instance };
  }
  /** It took over from a process that this life of the hub never heard. */
  get usurped(): boolean {
    return this.#usurped;
  }

  /** Undefined: the name is its own from now on. `last`: of who has it, `alive`: within its lease; `synced`: it was heard in this life of the hub. */
  claim(sync: Sync, last: Sync | undefined, alive: boolean, synced: boolean): SyncReply | undefined {
    const { instance, epoch } = sync;
    if (last !== undefined && last.instance !== instance && alive && !sameFolder(last.instance, instance)) {
      if (this.#former.has(instance)) return { type: 'superseded' };
      return { type: 'name-taken', host: last.host, pid: last.pid };
    }
    const other = this.#instance !== undefined && this.#instance !== instance;
    if (epoch < this.#epoch || (other && epoch === this.#epoch)) {
      if (this.#former.has(instance) || (last !== undefined && sameFolder(last.instance, instance)))
        return { type: 'superseded' };
      return { type: 'epoch-low', n: this.#epoch };
    }
    if (other && this.#instance !== undefined) {
      this.#remember(this.#instance);
      this.#usurped ||= !synced && !sameFolder(this.#instance, instance);
    }
    this.#instance = instance;
    return undefined;
  }

  /** It began anew. */
  began(epoch: number): void {
    this.#epoch = epoch;
  }

  #remember(instance: string): void {
    this.#former.add(instance);
    for (const oldest of this.#former) if (this.#former.size > MOST_FORMER) this.#former.delete(oldest);
  }
}

/** An instance is `<id of the state folder>.<random of the boot>`: the same folder means the same agent, restarted. */
const sameFolder = (a: string, b: string): boolean => a.split('.')[0] === b.split('.')[0];
