/** Judges the history: `once`, `seq`, `kept`, `executed`, `reason`, `fenced`, and what was told against the last records. */
import { parseTaskId } from '../../../model/ids.ts';
import { sameToken } from '../../../model/outcome.ts';
import { predecessorOf, type AttemptLog, show } from './attempts.ts';
import type { Logged } from './history.ts';
import type { ElectronPlan, RunPlan } from './plan.ts';
import type { Broken, PromiseName } from './promise.ts';
import type { FinalRecords } from './record-check.ts';

export interface RunCheck {
  readonly plan: RunPlan;
  readonly does: ReadonlyMap<string, ElectronPlan>;
  readonly entries: readonly Logged[];
  readonly attempts: ReadonlyMap<string, readonly AttemptLog[]>;
  readonly records: ReadonlyMap<string, FinalRecords>;
}
type Say = (promise: PromiseName, what: string) => void;

export function checkRun(o: RunCheck): readonly Broken[] {
  const broken: Broken[] = [];
  const say: Say = (promise, what) => void broken.push({ promise, what });
  events(o, say);
  verdicts(o, say);
  cancels(o, say);
  executions(o, say);
  contact(o, say);
  for (const all of o.attempts.values()) for (const attempt of all) reason(o, attempt, all, say);
  tokens(o, say);
  return broken;
}

/** What was published stays, and a seq stands for one transition. */
function events({ entries, records }: RunCheck, say: Say): void {
  const bySeq = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type !== 'told') continue;
    const { dispatch, event, seq, node } = entry;
    const what = `${event} of ${node ?? 'all'}`;
    const known = bySeq.get(`${dispatch} ${seq}`);
    if (known !== undefined && known !== what) say('seq', `${dispatch}: seq ${seq} was ${known}, then ${what}`);
    bySeq.set(`${dispatch} ${seq}`, what);
    const [kind, status] = event.split('.');
    const final = records.get(dispatch);
    const record = node === undefined ? undefined : final?.electrons[node];
    if (kind === 'dispatch') {
      if (status !== 'started' && final?.dispatch.status !== status)
        say('kept', `${dispatch}: ${event} was published, and the disk says ${final?.dispatch.status}`);
    } else if (status === 'retrying') {
      if ((record?.failures ?? 0) === 0 || (record?.seq ?? 0) < seq)
        say('kept', `${dispatch}_${node}: ${event} was published, and no failure is on the disk`);
    } else if (tellsOf(record?.status) !== status || record?.seq !== seq)
      say('kept', `${dispatch}_${node}: ${event} ${seq} was published, the disk says ${record?.status} ${record?.seq}`);
  }
}

/** What was taken over is told as completed. */
const tellsOf = (status: string | undefined): string | undefined => (status === 'reused' ? 'completed' : status);

/** An outcome whose agent may forget it is there. */
function verdicts({ entries, records }: RunCheck, say: Say): void {
  const statuses = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type === 'done')
      for (const { task, token, status } of entry.outcomes) statuses.set(`${task} ${show(token)}`, status);
    if (entry.type !== 'judged') continue;
    for (const { task, token, verdict } of entry.verdicts) {
      const { dispatch, node } = parseTaskId(task);
      const record = records.get(dispatch)?.electrons[node];
      const status = statuses.get(`${task} ${show(token)}`);
      const its = record?.token !== undefined && sameToken(record.token, token);
      const final = `${record?.status} [${show(record?.token)}]`;
      if (verdict === 'committed' || verdict === 'duplicate') {
        const there = status === 'completed' ? its && record.status === 'completed' : (record?.failures ?? 0) > 0;
        if (!there)
          say('kept', `${task} [${show(token)}] ${status} was answered ${verdict}, and ${final} is on the disk`);
      } else if ((verdict === 'stale' || verdict === 'unknown') && its && record.status === 'completed')
        say('once', `${task} [${show(token)}] was answered ${verdict}, and is the one on the disk`);
    }
  }
}

function cancels({ entries, records }: RunCheck, say: Say): void {
  for (const entry of entries) {
    if (entry.type !== 'cancelled') continue;
    const final = records.get(entry.dispatch);
    if (final === undefined) continue;
    const names = new Map(final.electrons.map((record, node) => [final.plan.nameOf(node), record?.status]));
    for (const name of entry.names)
      if (names.get(name) !== 'cancelled')
        say('cancelled', `${entry.dispatch}: ${name} was told to be cancelled, and is ${names.get(name)}`);
  }
}

/** Nothing new goes to an agent that the hub has not heard of for three heartbeats (suspect), and no outcome counts that came after its cancel. */
function contact({ plan, does, entries }: RunCheck, say: Say): void {
  const heard = new Map<string, number>();
  const sent = new Set<string>();
  const stopped = new Set<string>();
  const before = new Set<string>();
  const timed = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'sync') heard.set(`${entry.agent} ${entry.hub}`, entry.at);
    else if (entry.type === 'assign') {
      const name = `${entry.agent} ${entry.hubEpoch} ${entry.epoch} ${entry.n}`;
      const silent = entry.at - (heard.get(`${entry.agent} ${entry.hub}`) ?? Number.NEGATIVE_INFINITY);
      const patience = 3 * plan.heartbeatMs + MATCHED_MS;
      // what the hub couldn't hear is no agent's silence: it counts anew when it is back
      const deaf = plan.faults.some(({ kind, target, at, ms }) => {
        const cut = kind === 'restart-broker' || ((kind === 'sever' || kind === 'silence') && target === 'hub');
        return cut && entry.at > at && entry.at < at + ms + patience;
      });
      if (!sent.has(name) && silent > patience && !deaf)
        say('contact', `${entry.agent} got assign ${entry.n} after ${Math.round(silent)} ms without a sync`);
      sent.add(name);
    } else if (entry.type === 'begun') {
      // stopped by its total, it counts when it was quicker (docs/adr/009)
      if ((does.get(entry.name)?.timeouts.totalMs ?? 0) > 0) timed.add(entry.task);
    } else if (entry.type === 'stop') for (const one of entry.tasks) stopped.add(`${one.task} ${show(one.token)}`);
    else if (entry.type === 'done') {
      for (const { task, token } of entry.outcomes)
        if (!stopped.has(`${task} ${show(token)}`)) before.add(`${task} ${show(token)}`);
    } else if (entry.type === 'judged')
      for (const { task, token, verdict } of entry.verdicts) {
        const name = `${task} ${show(token)}`;
        if (verdict === 'committed' && stopped.has(name) && !before.has(name) && !timed.has(task))
          say('cancelled', `${task} [${show(token)}] was reported after its cancel, and committed`);
      }
  }
}
/** From a match to its assign: inputs may have to be read. */
const MATCHED_MS = 500;

function executions({ plan, attempts, records }: RunCheck, say: Say): void {
  if (plan.faults.length > 0) return;
  for (const [task, all] of attempts) {
    const { dispatch, node } = parseTaskId(task);
    const record = records.get(dispatch)?.electrons[node];
    const failures = all.filter(({ how }) => how === 'failed').length;
    if (all.some(({ name }) => KILLS.has(name))) continue;
    if (record?.status === 'completed' && all.length !== 1 + failures && record.losses === 0)
      say('executed', `${task} ran ${all.length} times with ${failures} failures, without faults`);
  }
}
const KILLS: ReadonlySet<string> = new Set();

/** Tokens rise: what begins is newer than what began before, and one token begins once. */
function tokens({ attempts, entries }: RunCheck, say: Say): void {
  for (const [task, all] of attempts)
    all.forEach((attempt, i) => {
      if (all.some((other, j) => j < i && sameToken(other.token, attempt.token)))
        say('fenced', `${task} [${show(attempt.token)}] began twice`);
    });
  const given = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type !== 'assign') continue;
    for (const { task, token } of entry.tasks) {
      const who = `${entry.agent} with ${entry.hubEpoch}/${entry.epoch}/${entry.n}`;
      const before = given.get(`${task} ${show(token)}`);
      if (before !== undefined && before !== who)
        say('fenced', `${task} [${show(token)}] was given to ${before} and ${who}`);
      given.set(`${task} ${show(token)}`, who);
    }
  }
}

const nameOf = (process: string): string => process.replace(/-twin\d+$/, '');

/** Had the agent got the assign when it wrote the sync? */
const hadSeen = (sync: Extract<Logged, { type: 'sync' }>, { hubEpoch, n }: Extract<Logged, { type: 'assign' }>) =>
  sync.hubEpoch > hubEpoch || (sync.hubEpoch === hubEpoch && sync.seen >= n);

/** Why a task ran again, although an attempt of it had begun. */
function reason({ entries, plan, does }: RunCheck, attempt: AttemptLog, all: readonly AttemptLog[], say: Say): void {
  const before = predecessorOf(attempt, all);
  if (before === undefined || before.how === 'failed') return;
  // its agent, cut off, has killed it (A3)
  if (before.how === 'killed' && does.get(before.name)?.exclusive === true) return;
  let given: Extract<Logged, { type: 'assign' }> | undefined;
  let sentBefore: typeof given;
  let heardBy: string | undefined;
  let recoveredAt: number | undefined;
  let lastHeard = before.begunAt;
  let silent = 0;
  const onHubsMachine = plan.agents[Number(nameOf(before.agent).slice(1)) - 1]?.local === true;
  const cuts = plan.faults
    .filter(
      ({ kind, target }) => (kind === 'cut-agent' && target === before.agent) || (kind === 'cut-hub' && onHubsMachine),
    )
    .map(({ at }) => at);
  let digestBefore: string | undefined;
  let digest: string | undefined;
  for (const entry of entries) {
    if (entry.type === 'life' && entry.who === before.agent && (entry.what === 'dies' || entry.what === 'leaves')) {
      // what it had finished is in its spool, but for a power cut, perhaps of a machine on which it was dead already
      const cut = entry.why !== 'killed' || cuts.some((at) => at >= entry.at && at <= attempt.begunAt);
      const spooled = !cut && before.heard && (before.overAt ?? entry.at) < entry.at;
      if (entry.at >= before.begunAt && entry.at <= attempt.begunAt && !spooled) return;
    }
    // a hub that begins from disk, in a new process or in the same, has to be told anew, and waits for that (H8)
    if (entry.type === 'life' && entry.what === 'recovered' && digestBefore !== undefined && given === undefined) {
      heardBy = undefined;
      recoveredAt = entry.at;
    }
    // another process has its name now: what it had is lost (H6, H11)
    if (entry.type === 'synced' && entry.reply.type === 'ok' && recoveredAt !== undefined && given === undefined)
      if (entry.agent === nameOf(before.agent) && !entry.life.startsWith(`${before.agent}#`)) return;
    if (entry.type === 'fault' && entry.kind === 'drain-agent' && entry.target === before.agent) {
      if (entry.at <= attempt.begunAt) return;
    }
    if (entry.type === 'assign')
      for (const one of entry.tasks) {
        if (one.task !== attempt.task) continue;
        if (sameToken(one.token, before.token)) {
          digestBefore = one.inputsDigest;
          sentBefore ??= entry;
        }
        if (!sameToken(one.token, attempt.token)) continue;
        digest = one.inputsDigest;
        given ??= entry;
      }
    if (entry.type === 'sync' && given === undefined && entry.life.startsWith(`${before.agent}#`)) {
      if (entry.at >= before.begunAt) silent = Math.max(silent, entry.at - lastHeard);
      lastHeard = entry.at;
      if (entry.run.some((one) => one.task === before.task && sameToken(one.token, before.token))) heardBy = entry.hub;
      // it wrote to the restarted hub before the assign had reached it: not listed is lost (H8)
      else if (recoveredAt !== undefined && heardBy === undefined && sentBefore && !hadSeen(entry, sentBefore)) return;
    }
  }
  if (given === undefined)
    return say('fenced', `${attempt.task} [${show(attempt.token)}] began, and nobody gave it out`);
  silent = Math.max(silent, given.at - lastHeard);
  // an assign that arrived late: what came after it was given out before it began
  if (before.begunAt > given.at) return;
  if (silent >= plan.leaseMs || digest !== digestBefore) return;
  if (recoveredAt !== undefined && heardBy === undefined && given.at - recoveredAt >= 1.5 * plan.leaseMs) return;
  say(
    'reason',
    `${attempt.task} [${show(attempt.token)}] began at ${attempt.begunAt}, while ${before.agent} had [${show(before.token)}] and ${heardBy} knew it`,
  );
}
