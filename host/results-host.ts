/** Puts the result manager and its blob service on an actor system: in the hub's process, or in one of its own (results-process.ts). */
import type { Bus } from '../bus/bus.ts';
import type { Subjects } from '../bus/subjects.ts';
import type { Clock } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import { serveBlobs } from '../actors/results/blob-service.ts';
import { resultsService } from '../actors/results/service.ts';
import { isResultsAsk, ResultManager } from '../actors/results/manager.ts';
import type { CopyData } from '../actors/results/upkeep.ts';
import type { NearMemory } from '../actors/services.ts';
import type { ActorSystem } from '../actors/system.ts';
import type { Store } from '../store/store.ts';
import { hexOf, type Randomness } from './random.ts';

export interface ResultsHostOptions {
  readonly system: ActorSystem;
  readonly store: Store;
  /** Absent: this store can't be copied. */
  readonly copy?: CopyData;
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly by: string;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly log: Log;
  /** In a process of its own. */
  readonly alone?: boolean;
  readonly near?: NearMemory;
  /** Of the package. */
  readonly version: string;
}

/** Returns what ends it; the store stays open. */
export function hostResults(o: ResultsHostOptions): () => void {
  const pull = { bus: o.bus, subjects: o.subjects, by: o.by, clock: o.clock };
  const alone = o.alone ?? false;
  const { service, countQuery, countBlob } = resultsService({ ...o, node: o.system.node, alone });
  const manager = new ResultManager({
    system: o.system,
    store: o.store,
    clock: o.clock,
    pull,
    epoch: hexOf(o.random.bytes(8)),
    alone,
    log: o.log,
    copy: o.copy,
    near: o.near,
    count: countQuery,
  });
  const address = o.system.address('results', 'main');
  o.system.spawn(address, manager, isResultsAsk);
  const stopBlobs = serveBlobs({
    bus: o.bus,
    subjects: o.subjects,
    by: o.by,
    store: o.store,
    log: o.log,
    monotonic: () => o.clock.monotonic(),
    count: countBlob,
  });
  const stopService = service.listen();
  return () => {
    stopService();
    stopBlobs();
    manager.close();
    o.system.stop(address);
  };
}
