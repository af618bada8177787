/** By what it is told that a rule of docs/protocol.md was at work: something on the wire, at an executor, or on the disk. Judges nothing. */
import { sameToken } from '../../../model/outcome.ts';
import { show } from './attempts.ts';
import type { Logged } from './history.ts';
import { innerNames, innerSights } from './inner-sights.ts';
import { reuseNames, reuseSights } from './reuse-sights.ts';
import type { FinalRecords } from './record-check.ts';
import { timeoutNames } from './timeout-check.ts';
import type { World } from './world.ts';

export const ruleNames = [
  'H1 committed',
  'H1 duplicate',
  'H1 stale',
  'H1 later',
  'H2 answer after a flush',
  'H3 given out before its record was flushed',
  'H3 agent recorded before its first assign',
  'H4 assign repeated',
  'H4 put back',
  'H5 old sync only answered',
  'H5 drop',
  'H5 lost, next token',
  'H5 sent again with the next sync',
  'H6 newer epoch lists its spool',
  'H7 lease ended',
  'H8 held back until the roster has synced',
  'H8 adopted',
  'H9 lost attempts on record',
  'H10 cancel told',
  'H10 cancel repeated in a sync',
  'H10 outcome after a cancel',
  'H11 name-taken',
  'H11 epoch-low',
  'H11 superseded',
  'A1 not a word on what is for another process',
  'A1 refused stale',
  'A1 repeat answered',
  'A2 reported again',
  'A2 reported after a restart',
  'A3 ended without contact',
  'A4 drained',
  'A5 left runner killed',
  'time over: attempt',
  'time over: silence',
  'time over: queue',
  'time over: total',
  'asked back, and given back',
  'asked back, and ran on',
  ...innerNames,
  ...reuseNames,
] as const;
export type RuleName = (typeof ruleNames)[number];

export function sightsOf(world: World, records: ReadonlyMap<string, FinalRecords>): ReadonlyMap<RuleName, number> {
  const sights = new Map<RuleName, number>();
  const see = (rule: RuleName): void => void sights.set(rule, (sights.get(rule) ?? 0) + 1);
  const { entries } = world.history;
  verdictSights(entries, see);
  assignSights(entries, see);
  syncSights(entries, world, see);
  agentSights(entries, world, see);
  timeSights(entries, see);
  innerSights(entries, records, see);
  reuseSights(entries, records, see);
  for (const { record } of world.finalElectrons()) {
    if (record.losses > 0) see('H9 lost attempts on record');
    const kind = timeoutNames.get(record.error?.name);
    if (kind === 'queue' || kind === 'total') see(`time over: ${kind}`);
  }
  return sights;
}

type See = (rule: RuleName) => void;
const key = ({ task, token }: { readonly task: string; readonly token: readonly number[] }): string =>
  `${task} ${show(token)}`;

function timeSights(entries: readonly Logged[], see: See): void {
  const begun = new Set<string>();
  const asked = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'begun') begun.add(key(entry));
    else if (entry.type === 'recall')
      for (const one of entry.tasks) {
        if (!asked.has(key(one))) see(begun.has(key(one)) ? 'asked back, and ran on' : 'asked back, and given back');
        asked.add(key(one));
      }
    else if (entry.type === 'over') {
      const kind = timeoutNames.get(entry.code);
      if (kind === 'attempt' || kind === 'silence') see(`time over: ${kind}`);
    }
  }
}

function verdictSights(entries: readonly Logged[], see: See): void {
  const reported = new Map<string, { readonly life: string; readonly at: number }>();
  const cancelled = new Set<string>();
  const endedIn = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type === 'over') endedIn.set(key(entry), entry.life);
    if (entry.type === 'stop') for (const one of entry.tasks) cancelled.add(key(one));
    if (entry.type === 'synced' && entry.reply.type === 'ok')
      for (const one of entry.reply.cancel) cancelled.add(key(one));
    if (entry.type === 'done')
      for (const one of entry.outcomes) {
        const before = reported.get(key(one));
        if (before !== undefined && before.life === entry.life) see('A2 reported again');
        if (endedIn.get(key(one)) !== entry.life) see('A2 reported after a restart');
        reported.set(key(one), { life: entry.life, at: entry.at });
      }
    if (entry.type !== 'judged') continue;
    for (const one of entry.verdicts) {
      const { verdict } = one;
      if (verdict === 'committed') see('H1 committed');
      else if (verdict === 'duplicate') see('H1 duplicate');
      else if (verdict === 'stale') see(cancelled.has(key(one)) ? 'H10 outcome after a cancel' : 'H1 stale');
      else if (verdict === 'later') see('H1 later');
      const told = reported.get(key(one));
      if (verdict === 'committed' && told !== undefined && entry.at > told.at) see('H2 answer after a flush');
    }
  }
}

function assignSights(entries: readonly Logged[], see: See): void {
  const given = new Map<string, number>();
  const joined = new Set<string>();
  const answered = new Set<string>();
  let brought: Extract<Logged, { type: 'brought' }> | undefined;
  for (const entry of entries) {
    if (entry.type === 'assign') {
      const name = `${entry.agent} ${entry.hubEpoch} ${entry.epoch} ${entry.n}`;
      const times = (given.get(name) ?? 0) + 1;
      given.set(name, times);
      if (times > 1 && times <= 3) see('H4 assign repeated');
      if (times > 3) see('H5 sent again with the next sync');
      if (!joined.has(`${entry.agent} ${entry.epoch}`)) see('H3 agent recorded before its first assign');
      joined.add(`${entry.agent} ${entry.epoch}`);
    }
    if (brought !== undefined && entry.at > brought.at) {
      see('A1 not a word on what is for another process');
      brought = undefined;
    }
    if (entry.type === 'brought') brought = entry;
    if (entry.type !== 'taken') continue;
    // what is carried out is answered in the same turn
    if (brought?.life === entry.life && brought.n === entry.n) brought = undefined;
    const name = `${entry.life} ${entry.n}`;
    if (answered.has(name)) see('A1 repeat answered');
    answered.add(name);
    for (const { reason } of entry.refused) {
      if (reason === 'stale') see('A1 refused stale');
      if (reason === 'busy' || reason === 'draining') see('H4 put back');
    }
  }
}

function syncSights(entries: readonly Logged[], { plan }: World, see: See): void {
  const last = new Map<
    string,
    { readonly instance: string; readonly epoch: number; readonly seq: number; readonly at: number }
  >();
  const cancels = new Map<string, number>();
  const holders = new Map<
    string,
    { readonly agent: string; readonly hub: string; readonly token: readonly number[] }
  >();
  const listedTo = new Map<string, Set<string>>();
  /** Retried, not lost. */
  const failed = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'sync') {
      const before = last.get(`${entry.agent} ${entry.hub}`);
      if (before?.instance === entry.instance && entry.seq <= before.seq) see('H5 old sync only answered');
      const older = last.get(entry.agent);
      if (older !== undefined && older.epoch < entry.epoch && entry.run.some(({ state }) => state === 'done'))
        see('H6 newer epoch lists its spool');
      for (const one of entry.run) {
        const heard = listedTo.get(key(one)) ?? new Set();
        listedTo.set(key(one), heard.add(entry.hub));
      }
      const { instance, epoch, seq, at } = entry;
      last.set(`${entry.agent} ${entry.hub}`, { instance, epoch, seq, at });
      last.set(entry.agent, { instance, epoch, seq, at });
    } else if (entry.type === 'synced') {
      const { reply } = entry;
      if (reply.type === 'name-taken') see('H11 name-taken');
      else if (reply.type === 'epoch-low') see('H11 epoch-low');
      else if (reply.type === 'superseded') see('H11 superseded');
      else if (reply.type === 'ok') {
        if (reply.drop.length > 0) see('H5 drop');
        for (const one of reply.cancel) {
          const times = (cancels.get(key(one)) ?? 0) + 1;
          cancels.set(key(one), times);
          if (times === 2) see('H10 cancel repeated in a sync');
        }
      }
    } else if (entry.type === 'done') {
      for (const one of entry.outcomes) if (one.status === 'failed') failed.add(key(one));
    } else if (entry.type === 'stop') see('H10 cancel told');
    else if (entry.type === 'assign')
      for (const one of entry.tasks) {
        const holder = holders.get(one.task);
        holders.set(one.task, { agent: entry.agent, hub: entry.hub, token: one.token });
        if (holder === undefined || show(holder.token) === show(one.token)) continue;
        if (failed.has(key({ task: one.task, token: holder.token }))) continue;
        const seen = last.get(holder.agent);
        if (seen === undefined || entry.at - seen.at > plan.leaseMs) see('H7 lease ended');
        else see('H5 lost, next token');
      }
    else if (entry.type === 'judged')
      for (const one of entry.verdicts) {
        const heard = listedTo.get(key(one));
        if (one.verdict === 'committed' && heard !== undefined && !givenBy(entries, one, entry.hub)) see('H8 adopted');
      }
  }
}

const givenBy = (
  entries: readonly Logged[],
  { task, token }: { readonly task: string; readonly token: readonly [number, number] },
  hub: string,
): boolean =>
  entries.some(
    (entry) =>
      entry.type === 'assign' &&
      entry.hub === hub &&
      entry.tasks.some((one) => one.task === task && sameToken(one.token, token)),
  );

function agentSights(entries: readonly Logged[], { plan }: World, see: See): void {
  const synced = new Map<string, number>();
  const lives = new Map<string, string>();
  let recovered = 0;
  let heldBack = false;
  for (const entry of entries) {
    if (entry.type === 'synced' && entry.reply.type === 'ok') {
      synced.set(entry.life, entry.at);
      if (heldBack) see('H8 held back until the roster has synced');
      heldBack = false;
    } else if (entry.type === 'life') {
      if (entry.what === 'begins') lives.set(entry.who, `${entry.who} ${entry.at}`);
      if (entry.what === 'leaves' && entry.why === 'drained') see('A4 drained');
      if (entry.who === 'hub' && entry.what === 'recovered') heldBack = recovered++ > 0;
    } else if (entry.type === 'over') {
      const contact = synced.get(entry.life);
      if (entry.heard && contact !== undefined && entry.at - contact > 2.5 * plan.heartbeatMs)
        see('A3 ended without contact');
      if (entry.how === 'killed' && entry.orphan) see('A5 left runner killed');
    } else if (entry.type === 'early') see('H3 given out before its record was flushed');
  }
}
