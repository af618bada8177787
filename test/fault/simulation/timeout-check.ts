/**
 * Judges what ended, or should have, because its time was over: `timely`. When an electron became ready isn't seen; it lies between the first report of what it
 * waited for and the last event of those, or its own first assign. Not here: what a failure leaves in the records (record-check.ts).
 */
import { taskIdOf, type DispatchId } from '../../../model/ids.ts';
import type { ErrorInfo } from '../../../model/outcome.ts';
import type { TimeoutKind } from '../../../model/timeouts.ts';
import { show, type AttemptLog } from './attempts.ts';
import type { Logged } from './history.ts';
import { agentName, quietAt, type ElectronPlan, type RunPlan } from './plan.ts';
import { endOf } from './program.ts';
import type { Broken } from './promise.ts';
import type { FinalRecords } from './record-check.ts';

export interface TimeoutCheck {
  readonly plan: RunPlan;
  readonly does: ReadonlyMap<string, ElectronPlan>;
  readonly entries: readonly Logged[];
  readonly attempts: ReadonlyMap<string, readonly AttemptLog[]>;
  readonly records: ReadonlyMap<DispatchId, FinalRecords>;
}
type Say = (what: string) => void;

export const timeoutNames: ReadonlyMap<string | undefined, TimeoutKind> = new Map<string, TimeoutKind>([
  ['AttemptTimeout', 'attempt'],
  ['SilenceTimeout', 'silence'],
  ['QueueTimeout', 'queue'],
  ['TotalTimeout', 'total'],
]);
/** A timer may be early by a part of a millisecond, at both ends. */
const EARLY_MS = 2;
/** The record of what is ready is on disk after this, but for a disk that is slow. */
const RECORDED_MS = 2_000;
/** What runs while it is asked back is known to run after this. */
const RECALLED_MS = 1_500;
/** What is stopped may take so long, and some heed no signal. */
const STOPPED_MS = 4_000;

export function checkTimeouts(o: TimeoutCheck): readonly Broken[] {
  const broken: Broken[] = [];
  const say: Say = (what) => void broken.push({ promise: 'timely', what });
  for (const all of o.attempts.values()) for (const attempt of all) ended(o, attempt, say);
  const times = timesOf(o.entries);
  for (const [id, final] of o.records) {
    const parents = final.parents();
    final.electrons.forEach((record, node) => {
      const electron = o.does.get(final.calledOf(node));
      if (electron === undefined || record === undefined) return;
      const { queueMs, totalMs } = electron.timeouts;
      const kind = kindOf(record.error);
      const what = `${taskIdOf(id, node)} [${show(record.token)}]`;
      if (record.error?.code === 'TIMEOUT' && (kind === undefined || electron.timeouts[`${kind}Ms`] === 0))
        say(`${what} failed with ${record.error.name}, and has ${JSON.stringify(electron.timeouts)}`);
      if (queueMs === 0 && totalMs === 0) return;
      const ready = readyOf(o, times, id, final, node, parents[node] ?? []);
      judge(
        o,
        times,
        { id, node, what, electron, kind, ready, attempts: o.attempts.get(taskIdOf(id, node)) ?? [] },
        say,
      );
    });
  }
  return broken;
}

const kindOf = (error: ErrorInfo | undefined): TimeoutKind | undefined =>
  error?.code === 'TIMEOUT' ? timeoutNames.get(error.name) : undefined;

/** An agent judges its attempts by what it was told of them. */
function ended({ does }: TimeoutCheck, attempt: AttemptLog, say: Say): void {
  const electron = does.get(attempt.name);
  if (electron === undefined || attempt.overAt === undefined) return;
  const { ms, by } = endOf(electron.does, electron.timeouts);
  const what = `${attempt.task} [${show(attempt.token)}]`;
  const timeout = timeoutNames.get(attempt.code);
  if (attempt.how === 'completed' || attempt.code === 'TASK_THREW' || timeout !== undefined) {
    if (timeout !== by) say(`${what} ended by ${timeout ?? 'itself'}; by its times ${by ?? 'it ends itself'}`);
    else if (attempt.overAt - attempt.begunAt < ms - EARLY_MS) say(`${what} ended before its ${ms} ms were over`);
  }
}

/** When what is looked up by name happened first, and when the hub began anew. */
interface Times {
  /** By dispatch, event and node. */
  readonly told: ReadonlyMap<string, number>;
  /** By task and token: first reported. */
  readonly done: ReadonlyMap<string, number>;
  /** By task: when each of its tokens was given out first. */
  readonly given: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** By task: the last failure that was committed was heard first. */
  readonly failed: ReadonlyMap<string, number>;
  readonly recovered: readonly number[];
}

function timesOf(entries: readonly Logged[]): Times {
  const told = new Map<string, number>();
  const done = new Map<string, number>();
  const given = new Map<string, Map<string, number>>();
  const failed = new Map<string, number>();
  const failures = new Set<string>();
  const recovered: number[] = [];
  const first = (map: Map<string, number>, key: string, at: number): void => {
    if (!map.has(key)) map.set(key, at);
  };
  for (const entry of entries) {
    if (entry.type === 'told') first(told, `${entry.dispatch} ${entry.event} ${entry.node ?? ''}`, entry.at);
    else if (entry.type === 'assign')
      for (const { task, token } of entry.tasks) {
        const tokens = given.get(task) ?? new Map<string, number>();
        given.set(task, tokens);
        first(tokens, show(token), entry.at);
      }
    else if (entry.type === 'done')
      for (const { task, token, status } of entry.outcomes) {
        first(done, `${task} ${show(token)}`, entry.at);
        if (status === 'failed') failures.add(`${task} ${show(token)}`);
      }
    else if (entry.type === 'judged')
      for (const { task, token, verdict } of entry.verdicts) {
        const key = `${task} ${show(token)}`;
        if (verdict === 'committed' && failures.has(key)) failed.set(task, done.get(key) ?? 0);
      }
    else if (entry.type === 'life' && entry.what === 'recovered') recovered.push(entry.at);
  }
  return { told, done, given, failed, recovered };
}

/** Between which times it became ready first; `by` is absent when nothing tells. */
interface Ready {
  readonly from: number;
  readonly by: number | undefined;
  /** What it waits for had ended on disk by then: a hub that begins anew has it ready. */
  readonly sure: number | undefined;
}

function readyOf(
  { plan, entries }: TimeoutCheck,
  times: Times,
  id: DispatchId,
  final: FinalRecords,
  node: number,
  parents: readonly number[],
): Ready {
  const submitted = entries.find((entry) => entry.type === 'submitted' && entry.dispatch === id);
  let from = submitted?.type === 'submitted' ? (plan.dispatches[submitted.index]?.at ?? 0) : 0;
  let by = times.told.get(`${id} dispatch.started `);
  for (const parent of parents) {
    const token = final.electrons[parent]?.token;
    from = Math.max(from, times.done.get(`${taskIdOf(id, parent)} ${show(token)}`) ?? 0);
    const end = times.told.get(`${id} electron.completed ${parent}`);
    by = by === undefined || end === undefined ? undefined : Math.max(by, end);
  }
  // an item also waits for its map, and for its turn
  if (final.plan.place(node).region !== final.plan.root()) by = undefined;
  const [given] = times.given.get(taskIdOf(id, node))?.values() ?? [];
  return { from, by: given === undefined ? by : Math.min(by ?? given, given), sure: by };
}

interface Timed {
  readonly id: DispatchId;
  readonly node: number;
  readonly what: string;
  readonly electron: ElectronPlan;
  readonly kind: TimeoutKind | undefined;
  readonly ready: Ready;
  readonly attempts: readonly AttemptLog[];
}

function judge(o: TimeoutCheck, times: Times, timed: Timed, say: Say): void {
  const { plan } = o;
  const { id, node, what, electron, kind, ready, attempts } = timed;
  const { queueMs, totalMs } = electron.timeouts;
  const event = (status: string): number | undefined => times.told.get(`${id} electron.${status} ${node}`);
  const failed = event('failed');
  const turned = clockTurned(plan);
  if (failed !== undefined && (kind === 'queue' || kind === 'total')) {
    const base = kind === 'total' ? ready.from : Math.max(ready.from, times.failed.get(taskIdOf(id, node)) ?? 0);
    const ms = kind === 'total' ? totalMs : queueMs;
    // after a restart what is left is read from the wall clock
    if (failed - base < ms - EARLY_MS && !(turned && times.recovered.length > 1))
      say(`${what} failed by ${kind} ${Math.round(failed - base)} ms after it was ready, not ${ms}`);
    for (const attempt of kind === 'queue' ? attempts : [])
      if (attempt.begunAt < failed - RECALLED_MS && (attempt.overAt ?? Infinity) > failed)
        if (calm(plan, attempt.begunAt, failed)) say(`${what} failed by queue while ${show(attempt.token)} ran`);
  }
  if (ready.by === undefined) return;
  const { by } = ready;
  const restarted = times.recovered.filter((at) => at > by && (turned || slow(plan) || at < by + RECORDED_MS));
  // what it waited for may have been lost with its own record: nothing tells when it was ready again
  if (restarted.some((at) => ready.sure === undefined || ready.sure > at)) return;
  const since = Math.max(by, ...restarted);
  const end = event('completed') ?? failed ?? event('cancelled');
  const last = Math.max(since + totalMs, quietAt(plan) + 1.5 * plan.leaseMs) + STOPPED_MS + electron.does.ms;
  if (totalMs > 0 && end !== undefined && end > last)
    say(`${what} ended ${Math.round(end - since)} ms after it was ready at the latest; its total is ${totalMs}`);
  // what the hub gives out it decides alone
  const given = [...(times.given.get(taskIdOf(id, node))?.values() ?? [])];
  for (const [at, i] of given.map((at, i) => [at, i] as const)) {
    if (totalMs > 0 && at > since + totalMs + EARLY_MS)
      say(
        `${what} was given out ${Math.round(at - since)} ms after it was ready at the latest; its total is ${totalMs}`,
      );
    if (queueMs > 0 && i === 0 && at > since + queueMs + EARLY_MS)
      say(
        `${what} was given out ${Math.round(at - since)} ms after it was ready at the latest; its queue is ${queueMs}`,
      );
  }
}

const slow = ({ faults }: RunPlan): boolean => faults.some(({ kind }) => kind === 'slow-disk');

/** The hub's machine has been told another time. */
const clockTurned = ({ faults, agents }: RunPlan): boolean =>
  faults.some(
    ({ kind, target }) =>
      kind === 'skew-clock' && (target === 'hub' || agents.some(({ local }, i) => local && agentName(i) === target)),
  );

/** No fault, nor what follows from one, touched this time. */
const calm = ({ faults, leaseMs }: RunPlan, from: number, to: number): boolean =>
  faults.every(({ at, ms }) => at > to || at + ms + 2 * leaseMs < from);
