/** Runs one plan and judges it: which promises were broken. */
import { isDispatchId, type DispatchId } from '../../../model/ids.ts';
import { keys } from '../../../store/records.ts';
import { attemptsOf } from './attempts.ts';
import { DiskWatch } from './disk-watch.ts';
import type { Logged } from './history.ts';
import type { RunPlan } from './plan.ts';
import type { Broken } from './promise.ts';
import { checkDispatch, FinalRecords } from './record-check.ts';
import { checkKeys } from './key-check.ts';
import { checkRun } from './run-check.ts';
import { checkTimeouts } from './timeout-check.ts';
import { World } from './world.ts';

export interface Verdict {
  readonly plan: RunPlan;
  readonly digest: string;
  readonly broken: readonly Broken[];
  readonly world: World;
}

/** `hear`: each entry of the history as it comes. */
export async function judge(plan: RunPlan, hear?: (entry: Logged) => void): Promise<Verdict> {
  const world = new World(plan);
  if (hear !== undefined) world.history.listen(hear);
  const { disk } = world.hub;
  const watch = new DiskWatch({
    disk,
    programs: world.programs,
    early: (attempt) => world.history.add({ type: 'early', ...attempt }),
  });
  world.history.listen(watch.hear);
  const rested = await world.run();
  const broken: Broken[] = [...watch.broken];
  for (const error of world.timeline.errors)
    broken.push({
      promise: 'ends',
      what: `something was thrown: ${error instanceof Error ? error.stack : String(error)}`,
    });
  if (!rested) broken.push({ promise: 'ends', what: 'not everything came to rest' });
  broken.push(...left(world));
  const { entries } = world.history;
  const attempts = attemptsOf(entries);
  const records = new Map<DispatchId, FinalRecords>();
  for (const entry of entries) {
    if (entry.type !== 'submitted') continue;
    const { dispatch: id, index } = entry;
    const dispatchPlan = plan.dispatches[index];
    if (!isDispatchId(id) || dispatchPlan === undefined || records.has(id)) continue;
    try {
      const final = new FinalRecords(disk.content, id);
      records.set(id, final);
      const told = entries.find((one) => one.type === 'ended' && one.dispatch === id);
      const cancelAsked = entries.some((one) => one.type === 'cancelling' && one.dispatch === id);
      const o = { id, plan: dispatchPlan, does: world.does, store: disk.content, attempts, cancelAsked };
      broken.push(...checkDispatch({ ...o, told: told?.type === 'ended' ? told : undefined }, final));
    } catch (error) {
      broken.push({ promise: 'kept', what: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
  broken.push(...checkRun({ plan, does: world.does, entries, attempts, records }));
  broken.push(...checkKeys({ plan, does: world.does, entries, attempts, records }));
  broken.push(...checkTimeouts({ plan, does: world.does, entries, attempts, records }));
  return { plan, digest: world.history.digest, broken, world };
}

/** What shouldn't be there any more. */
function left({ hub, agents, history, client, plan }: World): readonly Broken[] {
  const broken: Broken[] = [];
  const say = (what: string): void => void broken.push({ promise: 'clean', what });
  for (const { key } of hub.disk.content.range(keys.allLive)) say(`the record ${key} is still there`);
  for (const host of agents) {
    for (const _runner of host.runners.list) say(`a runner of ${host.o.client} still runs`);
    const status = host.alive ? host.agent?.status() : undefined;
    if (status !== undefined && status.unfinished + status.unacknowledged > 0)
      say(`${host.o.client} has ${status.unfinished} unfinished and ${status.unacknowledged} spooled`);
  }
  for (const entry of history.entries) {
    if (entry.type === 'agents') for (const busy of entry.busy) say(`the hub thinks that ${busy}`);
    if (entry.type === 'refusal') broken.push({ promise: 'ends', what: `the client was refused: ${entry.code}` });
  }
  if (client.ids.filter((id) => id !== undefined).length < plan.dispatches.length)
    broken.push({ promise: 'ends', what: 'a dispatch was never accepted' });
  return broken;
}
