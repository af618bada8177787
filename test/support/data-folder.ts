/** A data folder with some ended and live dispatches, small and large values, logs and a list with a pointer: for tests that damage or copy it. */
import { composeList } from '../../actors/results/values.ts';
import { openLmdbStore } from '../../store/lmdb-store.ts';
import type { DispatchId } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { dispatchId, specOf } from '../actors/support/hub-world.ts';
import { ResultsRig } from '../actors/support/results-rig.ts';

export interface MadeData {
  readonly ended: DispatchId;
  readonly live: DispatchId;
  readonly small: ValueInfo;
  readonly large: ValueInfo;
  /** Points to `large`. */
  readonly list: ValueInfo;
}

/** Electrons of the ended dispatch: 0 has the small value, 1 the large one, 2 the list, then `more`. */
export async function makeData(path: string, more = 100): Promise<MadeData> {
  const store = await openLmdbStore({ path, log: () => undefined });
  const rig = new ResultsRig(store, () => Date.now());
  const [ended, live] = [dispatchId(1), dispatchId(2)];
  const [graph, args] = [rig.value('the graph'), rig.value('the arguments')];
  const small = rig.value('a small value');
  const large = await rig.blob(new Uint8Array(Buffer.alloc(100_000, 'large ')));
  const list = await composeList(store, [small, large]);
  for (const id of [ended, live]) await rig.accept(specOf(id, { graph, args, literals: [small] }));
  const values = [small, large, list];
  for (const [node, value] of values.entries()) void rig.completed(ended, node, value);
  for (let node = 3; node < 3 + more; node++)
    void rig.completed(ended, node, rig.value(`value ${node}`.padEnd(300, '.')));
  void rig.write({ op: 'logs', id: ended, node: 0, attempt: 1, logs: { stdout: 'said', stderr: '' } });
  void rig.write({ op: 'expansion', id: ended, record: { map: 1, base: 3, count: 1, items: [small] } });
  void rig.write({ op: 'agent', agent: 'local.a', epoch: 3 }, { op: 'epoch', epoch: 7 });
  await rig.ended(ended, { endedAt: 5 });
  await store.close();
  return { ended, live, small, large, list };
}
