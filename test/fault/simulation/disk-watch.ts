/**
 * Looks at the disk at the instant at which something is told: `flushed` (H2) and `strict`. What an answer rests on must be there as a power cut in this
 * instant would leave it.
 */
import { isDispatchId, parseTaskId } from '../../../model/ids.ts';
import { hasValue, isTerminalDispatch, isTerminalElectron } from '../../../model/lifecycle.ts';
import { sameToken, type Token } from '../../../model/outcome.ts';
import type { ElectronRecord } from '../../../model/records.ts';
import { decodeDispatch, decodeElectron, decodeNumber, keys } from '../../../store/records.ts';
import { SITE } from './agent-host.ts';
import { show } from './attempts.ts';
import type { Logged, TaskRef } from './history.ts';
import type { Home } from './programs.ts';
import type { Broken, PromiseName } from './promise.ts';
import type { StoreDisk } from './store-disk.ts';

export interface DiskWatchOptions {
  readonly disk: StoreDisk;
  readonly homes: ReadonlyMap<string, Home>;
  /** An attempt is given out of which the disk knows nothing yet. */
  readonly early: (attempt: TaskRef) => void;
}

export class DiskWatch {
  readonly broken: Broken[] = [];
  readonly #o: DiskWatchOptions;
  /** What each reported outcome was. */
  readonly #outcomes = new Map<string, string>();

  constructor(options: DiskWatchOptions) {
    this.#o = options;
  }

  readonly hear = (entry: Logged): void => {
    if (entry.type === 'done')
      for (const { task, token, status } of entry.outcomes) this.#outcomes.set(`${task} ${show(token)}`, status);
    else if (entry.type === 'judged')
      for (const { task, token, verdict } of entry.verdicts) {
        if (verdict === 'committed' || verdict === 'duplicate') this.#outcome(task, token, verdict);
      }
    else if (entry.type === 'told') this.#event(entry);
    else if (entry.type === 'answered') this.#answer(entry);
    else if (entry.type === 'assign') this.#assign(entry);
    else if (entry.type === 'begun') this.#begun(entry);
  };

  #assign({ tasks, agent, epoch }: Extract<Logged, { type: 'assign' }>): void {
    for (const { task, token } of tasks) {
      const { dispatch, node } = parseTaskId(task);
      const known = this.#record(dispatch, node)?.token;
      if (known === undefined || !sameToken(known, token)) this.#o.early({ task, token });
    }
    const stored = this.#o.disk.flushed(keys.agent(`${SITE}.${agent}`));
    if (stored === undefined || decodeNumber(stored) < epoch)
      this.#break('flushed', `agent ${agent} of epoch ${epoch} got an assign before it was recorded`);
  }

  #break(promise: PromiseName, what: string): void {
    this.broken.push({ promise, what });
  }

  #record(dispatch: string, node: number): ElectronRecord | undefined {
    if (!isDispatchId(dispatch)) return undefined;
    const bytes = this.#o.disk.flushed(keys.electron(dispatch, node));
    return bytes === undefined ? undefined : decodeElectron(bytes);
  }

  #outcome(task: string, token: Token, verdict: string): void {
    const { dispatch, node } = parseTaskId(task);
    const record = this.#record(dispatch, node);
    const status = this.#outcomes.get(`${task} ${show(token)}`);
    const there =
      status === 'completed'
        ? record?.status === 'completed' && record.token !== undefined && sameToken(record.token, token)
        : record !== undefined && record.failures > 0;
    if (!there)
      this.#break(
        'flushed',
        `${task} [${show(token)}] ${String(status)} was answered ${verdict}, and the disk says ${say(record)}`,
      );
  }

  #event({ dispatch, event, node }: Extract<Logged, { type: 'told' }>): void {
    if (!isDispatchId(dispatch)) return;
    const [kind, status] = event.split('.');
    if (kind === 'dispatch') {
      const bytes = this.#o.disk.flushed(keys.dispatch(dispatch));
      const there = bytes === undefined ? undefined : decodeDispatch(bytes).status;
      const right = status === 'started' ? there !== undefined && there !== 'accepted' : there === status;
      if (!right) this.#break('flushed', `${dispatch}: ${event} was published, and the disk says ${there}`);
    } else if (node !== undefined) {
      const record = this.#record(dispatch, node);
      const right =
        status === 'retrying'
          ? (record?.failures ?? 0) > 0
          : record?.status === status || (record?.status === 'reused' && status === 'completed');
      if (!right)
        this.#break('flushed', `${dispatch}_${node}: ${event} was published, and the disk says ${say(record)}`);
    }
  }

  #answer({ verb, dispatch, ended }: Extract<Logged, { type: 'answered' }>): void {
    if (!isDispatchId(dispatch)) return;
    const bytes = this.#o.disk.flushed(keys.dispatch(dispatch));
    if (bytes === undefined) this.#break('flushed', `${verb} was answered for ${dispatch}, which is not on disk`);
    else if (ended && !isTerminalDispatch(decodeDispatch(bytes).status))
      this.#break(
        'flushed',
        `${verb} told that ${dispatch} has ended, and the disk says ${decodeDispatch(bytes).status}`,
      );
  }

  #begun({ name, task }: Extract<Logged, { type: 'begun' }>): void {
    const { dispatch, node } = parseTaskId(task);
    const home = this.#o.homes.get(name);
    const outer = home?.nodes[home.at];
    if (home?.strict !== true || outer === undefined) return;
    const parents: number[] = [...outer.after];
    if (outer.kind === 'map') parents.push(outer.over);
    const base = node - (home.local ?? node);
    for (const input of home.electron.inputs) {
      if (typeof input === 'number') parents.push(base + input);
      else if ('up' in input) parents.push(input.node);
    }
    for (const parent of parents) {
      const record = this.#record(dispatch, parent);
      if (record === undefined || !hasValue(record.status))
        this.#break('strict', `${name} (${task}) began while the disk says of its parent ${parent}: ${say(record)}`);
    }
  }
}

const say = (record: ElectronRecord | undefined): string =>
  record === undefined
    ? 'nothing'
    : `${record.status} [${show(record.token)}] after ${record.failures} failures${isTerminalElectron(record.status) ? '' : ', not ended'}`;
