/**
 * The result manager alone on an actor system of its own, wired to a bus and a store. Not here: the process around it (results-process.ts).
 */
import type { Bus } from '../bus/bus.ts';
import type { Subjects } from '../bus/subjects.ts';
import type { Clock } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import { RemoteDelivery } from '../actors/remote.ts';
import type { CopyData } from '../actors/results/upkeep.ts';
import { ActorSystem } from '../actors/system.ts';
import type { Store } from '../store/store.ts';
import type { Randomness } from './random.ts';
import { hostResults } from './results-host.ts';

export interface ResultsCoreOptions {
  readonly node: string;
  readonly by: string;
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly store: Store;
  /** Makes a backup. */
  readonly copy?: CopyData;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly log: Log;
  /** Of the package. */
  readonly version: string;
  /** The store or the manager failed: the process has to begin again. */
  readonly onFatal: (error: Error) => void;
}

/** Begins to answer; returns what ends it. The store stays open. */
export function startResultsCore(o: ResultsCoreOptions): () => void {
  const { bus, subjects, by, log, node } = o;
  const remote = new RemoteDelivery({ bus, subjects, by, log });
  const system = new ActorSystem({
    node,
    onCrash: (_address, error) => o.onFatal(error),
    onDeadLetter: () => undefined,
  });
  system.connect(remote);
  const stopListening = remote.listen(system);
  const stopResults = hostResults({ ...o, system, alone: true });
  void o.store.failed.then(o.onFatal);
  return () => {
    stopListening();
    stopResults();
  };
}
