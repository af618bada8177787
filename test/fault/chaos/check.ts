/**
 * Decides from an account whether every promise was held. Pure; says what was broken in one line each. C1–C8 are the promises:
 * C1 a dispatch whose id was returned ends; C2 its value is right, and rests on one finished execution of each electron;
 * C3 what an execution was given is what is recorded: of those that count, and in a strict lattice of all;
 * C4 an execution is repeated for a cause only; C5 each electron's outcome is committed once, and what was told is never taken back;
 * C6 the store holds the same, whole; C7 a cancelled dispatch is cancelled, and what it was answered to have stopped has; C8 nothing is left over.
 */
import type { Account, Dispatched, Execution, Heard, Outcome } from './account.ts';
import { causeOf, type Cause } from './cause.ts';

export interface Verdict {
  readonly violations: readonly string[];
  /** Executions beyond the first of their electron, by what excuses them. */
  readonly repeats: Readonly<Record<Cause, number>>;
}

const END = /^electron\.(completed|failed|cancelled|skipped)$/;
const DISPATCH_END = /^dispatch\.(completed|failed|cancelled)$/;

export function check(account: Account): Verdict {
  const byDispatch = grouped(account.executions, ({ dispatch }) => dispatch);
  const repeats: Record<Cause, number> = { failed: 0, agent: 0, runner: 0, silence: 0, unrecorded: 0 };
  const strict = new Set(account.dispatched.filter(({ ordered }) => ordered.strict).map(({ id }) => id));
  const repeated: string[] = [];
  for (const [id, executions] of byDispatch) {
    for (const tries of grouped(executions, ({ task }) => task).values()) {
      for (const [at, later] of tries.entries()) {
        const earlier = tries[at - 1];
        if (earlier === undefined) continue;
        const cause = causeOf(account, earlier, later, strict.has(id));
        if (cause !== undefined) repeats[cause]++;
        else
          repeated.push(`C4 ${id} ${later.task}: ran again as ${later.mark}, after ${earlier.mark}, without a cause`);
      }
    }
  }
  const violations = [
    ...account.dispatched.flatMap((one) => ofDispatch(account, one, byDispatch.get(one.id) ?? [])),
    ...repeated,
    ...ofEvents(account),
    ...account.stored.damaged.map((what) => `C6 ${what}`),
    ...account.stored.live.map((id) => `C6 ${id}: the store has it as unfinished`),
    ...account.left.map((what) => `C8 left over: ${what}`),
  ];
  return { violations, repeats };
}

function ofDispatch(account: Account, one: Dispatched, executions: readonly Execution[]): readonly string[] {
  const { id, ordered, outcome, later, cancel } = one;
  const at = `${id} (${ordered.kind})`;
  if (outcome === undefined) return [`C1 ${at}: has no end`];
  const told = JSON.stringify(outcome);
  const found: string[] = [];
  if (later !== undefined && JSON.stringify(later) !== told)
    found.push(`C5 ${at}: was ${told}, and later ${JSON.stringify(later)}`);
  const stored = account.stored.dispatches.get(id);
  if (stored?.status !== outcome.status)
    found.push(`C6 ${at}: is ${outcome.status}, and ${stored?.status ?? 'not there'} in the store`);
  if (outcome.status === 'completed')
    found.push(...ofValue(account, one, outcome, executions).map((x) => `${x}: ${at}`));
  else if (outcome.status !== 'cancelled' || ordered.cancelAfterMs === undefined)
    found.push(`C1 ${at}: ended ${outcome.status}: ${outcome.errors?.join('; ') ?? ''}`);
  if (cancel !== undefined && cancel.unconfirmed.length === 0)
    found.push(...ofCancel(account, cancel.at, executions).map((x) => `${x}: ${at}`));
  return found;
}

function ofValue(
  account: Account,
  { id, ordered }: Dispatched,
  { value }: Outcome,
  executions: readonly Execution[],
): readonly string[] {
  const { expected } = ordered;
  if (value === undefined || value.value !== expected.value)
    return [`C2 the value is ${value?.value}, expected ${expected.value}`];
  const marks = new Set(value.marks);
  const found: string[] = [];
  const missing: string[] = [];
  const byMark = new Map(executions.map((execution) => [execution.mark, execution]));
  const used = [...marks].flatMap((mark) => byMark.get(mark) ?? []);
  const tasks = new Set(used.map(({ task }) => task));
  if (used.length !== marks.size || tasks.size !== expected.electrons || used.length !== tasks.size)
    found.push(`C2 it rests on ${marks.size} executions of ${tasks.size} electrons, expected ${expected.electrons}`);
  for (const execution of used) {
    if (execution.ended?.how !== 'end') found.push(`C2 ${execution.mark} is used, and did not end`);
  }
  // a map has no attempt, and what only cuts its list has one without an execution of ours
  const stored = [...(account.stored.attempts.get(id) ?? [])];
  for (const { attempt, mark } of used) {
    const at = stored.indexOf(attempt);
    if (at === -1) missing.push(mark);
    else stored.splice(at, 1);
  }
  if (missing.length > 0)
    found.push(`C6 it rests on ${missing.join()}, and the store has no electron with that attempt`);
  for (const execution of ordered.strict ? executions : used) {
    const foreign = execution.given.filter((mark) => !marks.has(mark));
    if (foreign.length > 0)
      found.push(`C3 ${execution.mark} was given ${foreign.join()}, which isn't what is recorded`);
  }
  return found;
}

/** What ran on after the answer, in a process that nobody had struck. */
function ofCancel(account: Account, answeredAt: number, executions: readonly Execution[]): readonly string[] {
  return executions.flatMap(({ ended, mark, agent, began }) => {
    if (ended === undefined || ended.how !== 'end' || ended.at <= answeredAt + 50) return [];
    const struck = account.blows.some(
      ({ role, pid, at, until }) => (role === 'hub' || pid === agent) && at <= ended.at && until >= began,
    );
    return struck ? [] : [`C7 ${mark} ended ${ended.at - answeredAt} ms after the answer that it was stopped`];
  });
}

function ofEvents(account: Account): readonly string[] {
  const found: string[] = [];
  const bySeq = new Map<string, Heard>();
  const ends = new Map<string, Heard>();
  for (const event of account.events) {
    const { dispatch, type, seq, transient, node } = event;
    if (transient) continue;
    const place = `${dispatch} event ${seq}`;
    const before = bySeq.get(place);
    if (before !== undefined && (before.type !== type || before.node !== node))
      found.push(`C5 ${place}: was ${before.type} of ${before.node}, and later ${type} of ${node}`);
    bySeq.set(place, event);
    const key = END.test(type) ? `${dispatch}/${node}` : DISPATCH_END.test(type) ? dispatch : undefined;
    if (key === undefined) continue;
    const end = ends.get(key);
    if (end !== undefined && end.seq !== seq)
      found.push(`C5 ${key}: ended as ${end.type} (${end.seq}), and again as ${type} (${seq})`);
    ends.set(key, event);
  }
  for (const [key, { type, seq }] of ends) {
    const stored = account.stored.electrons.get(key) ?? account.stored.dispatches.get(key);
    const status = type.slice(type.indexOf('.') + 1);
    if (stored?.status !== status || stored.seq !== seq)
      found.push(`C5 ${key}: ${type} (${seq}) was told, and the store has ${JSON.stringify(stored)}`);
  }
  return found;
}

/** In the order in which they came. */
function grouped<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}
