/** Runs one plan and judges it: which promises were broken. */
import { isDispatchId, type DispatchId } from '../../../model/ids.ts';
import { Answers } from './answers.ts';
import { checkInside, checkLate, checkNone, outerOf } from './inner-check.ts';
import { keys } from '../../../store/records.ts';
import { attemptsOf } from './attempts.ts';
import { DiskWatch } from './disk-watch.ts';
import type { Logged } from './history.ts';
import type { RunPlan } from './plan.ts';
import { BrokenPromise, type Broken } from './promise.ts';
import { checkReuse, OldWatch, takenFrom, type Judged } from './reuse-check.ts';
import { InnerWatch } from './inner-watch.ts';
import { checkDispatch, FinalRecords, type DispatchCheck } from './record-check.ts';
import { checkKeys } from './key-check.ts';
import { checkRun } from './run-check.ts';
import { checkTimeouts } from './timeout-check.ts';
import { World } from './world.ts';

export interface Verdict {
  readonly plan: RunPlan;
  readonly digest: string;
  readonly broken: readonly Broken[];
  readonly world: World;
  /** Of all dispatches, those inside others included. */
  readonly records: ReadonlyMap<DispatchId, FinalRecords>;
}

/** `hear`: each entry of the history as it comes. */
export async function judge(plan: RunPlan, hear?: (entry: Logged) => void): Promise<Verdict> {
  const world = new World(plan);
  if (hear !== undefined) world.history.listen(hear);
  const { disk } = world.hub;
  const watch = new DiskWatch({
    disk,
    homes: world.homes,
    early: (attempt) => world.history.add({ type: 'early', ...attempt }),
  });
  const inner = new InnerWatch(disk, () => world.timeline.now);
  world.history.listen(watch.hear);
  const old = new OldWatch(disk, world.programs);
  world.history.listen(inner.hear);
  world.history.listen(old.hear);
  const rested = await world.run();
  const broken: Broken[] = [...watch.broken, ...inner.broken];
  for (const error of world.timeline.errors)
    broken.push({
      promise: 'ends',
      what: `something was thrown: ${error instanceof Error ? error.stack : String(error)}`,
    });
  if (!rested) broken.push({ promise: 'ends', what: 'not everything came to rest' });
  broken.push(...left(world));
  const { entries } = world.history;
  const happened = world.plan;
  const attempts = attemptsOf(entries);
  const records = new Map<DispatchId, FinalRecords>();
  const judged: Judged[] = [];
  for (const entry of entries) {
    if (entry.type !== 'submitted') continue;
    const { dispatch: id, index } = entry;
    const program = world.programs[index];
    if (!isDispatchId(id) || program === undefined || records.has(id)) continue;
    const { again, values } = program;
    try {
      const from = again === undefined ? undefined : judged[again.of];
      if (again !== undefined && from === undefined) continue;
      const called = (name: string): string => program.called.get(name) ?? name;
      const final = new FinalRecords(disk.content, id, called);
      const { output, failFast, timeoutMs } = program.plan;
      const taken = again?.reuse === true && from !== undefined ? takenFrom(from) : new Map();
      const answers = new Answers(final, { does: world.does, called, taken }, values);
      const told = entries.find((one) => one.type === 'ended' && one.dispatch === id);
      const o = { id, output, does: world.does, attempts, mayCancel: failFast || timeoutMs > 0, answers };
      const reuses = again?.reuse === true;
      broken.push(
        ...checkTree({ ...o, reuses, told: told?.type === 'ended' ? told : undefined }, final, entries, records),
      );
      judged[index] = { id, records: final, answers };
      if (again !== undefined && from !== undefined)
        broken.push(...checkReuse({ id, records: final, answers }, from, again, attempts));
    } catch (error) {
      if (error instanceof BrokenPromise) broken.push({ promise: error.promise, what: error.message });
      else
        broken.push({ promise: 'kept', what: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
  broken.push(...old.broken());
  broken.push(...checkNone(disk.content, new Set(records.keys())));
  broken.push(...checkLate(entries, (id) => outerOf(disk.content, id)?.dispatch));
  broken.push(...checkRun({ plan: happened, does: world.does, entries, attempts, records }));
  broken.push(...checkKeys({ plan: happened, does: world.does, entries, attempts, records }));
  broken.push(...checkTimeouts({ plan: happened, does: world.does, entries, attempts, records }));
  return { plan, digest: world.history.digest, broken, world, records };
}

/** A dispatch and those inside it; `records` gets those of all. */
function checkTree(
  o: DispatchCheck,
  final: FinalRecords,
  entries: readonly Logged[],
  records: Map<DispatchId, FinalRecords>,
): readonly Broken[] {
  records.set(o.id, final);
  const asked = entries.some((entry) => entry.type === 'cancelling' && entry.dispatch === o.id);
  const mayCancel = o.mayCancel || asked;
  const broken = [...checkDispatch({ ...o, mayCancel }, final), ...checkInside(o.id, final, o.answers)];
  for (const [node, { id, records: inner }] of final.inside) {
    const output = inner.plan.graph.output.inputs.filter((input) => typeof input === 'number');
    const answers = o.answers.inside(node);
    broken.push(...checkTree({ ...o, id, output, mayCancel, answers, told: undefined }, inner, entries, records));
  }
  return broken;
}

/** What shouldn't be there any more. */
function left({ hub, agents, history, client, programs }: World): readonly Broken[] {
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
  if (client.ids.filter((id) => id !== undefined).length < programs.length)
    broken.push({ promise: 'ends', what: 'a dispatch was never accepted' });
  return broken;
}
