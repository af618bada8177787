/**
 * A peer that a driver measures: a process that is the peer's client and answers driver-protocol.ts. Started when it is first asked for something. What a run
 * that failed or was late left going ends with its servers: the next run begins anew. Not responsible for any one peer.
 */
import type { Openings } from '../openings.ts';
import type { Peer } from '../peer.ts';
import { type Figures, median, percentile } from '../statistics.ts';
import { readDriverLine } from './driver-protocol.ts';
import { type PeerProcess, PeerProcesses } from './peer-processes.ts';

export interface DrivenPeer extends Omit<Peer, 'open'> {
  /** Finds and installs what it needs. Raises Error that says what is missing and how to get it. */
  prepare(processes: PeerProcesses, say: (line: string) => void): Promise<ReadyPeer>;
}

export interface ReadyPeer {
  readonly versions: Readonly<Record<string, string>>;
  /** Starts servers and workers on empty data, and the driver last: that one it returns. Raises Error when one isn't ready in time. */
  start(processes: PeerProcesses): Promise<PeerProcess>;
}

/** A run that takes longer is a workload that the peer doesn't finish. */
const RUN_MS = 120_000;

/** `withinMs`: of one run. */
export function peerOf(driven: DrivenPeer, withinMs = RUN_MS): Peer {
  const { name, what, forms } = driven;
  return {
    name,
    what,
    forms,
    async open(openings, say) {
      const ready = await driven.prepare(await openProcesses(openings), say);
      const session = new Session(ready, openings);
      return {
        versions: ready.versions,
        measure: async (id, form) => figuresOf(id, await session.measure(`${id} ${form}`, withinMs)),
      };
    },
  };
}

/** A driver's raw figures → those that Polaron's files of the same workload have. */
export function figuresOf(id: string, values: readonly number[]): Figures {
  if (id === 'W1') return { step: median(values) };
  if (id === 'W4') return { p50: median(values), p99: percentile(values, 0.99) };
  return { rate: median(values) };
}

/** Open from the start: an interrupt must not wait for what is started in them. */
const openProcesses = (openings: Openings): Promise<PeerProcesses> =>
  openings.open(
    () => Promise.resolve(new PeerProcesses()),
    (one) => one.close(),
  );

class Session {
  readonly #peer: ReadyPeer;
  readonly #openings: Openings;
  #open: { readonly processes: PeerProcesses; readonly driver: PeerProcess } | undefined;

  constructor(peer: ReadyPeer, openings: Openings) {
    this.#peer = peer;
    this.#openings = openings;
  }

  async measure(form: string, withinMs: number): Promise<readonly number[]> {
    this.#open ??= await this.#start();
    const { driver, processes } = this.#open;
    try {
      const answer = driver.line(readDriverLine, withinMs);
      driver.send(JSON.stringify({ form }));
      const read = await answer;
      if (read.kind === 'values') return read.values;
      throw new Error(read.kind === 'error' ? read.error : `the driver began anew at ${form}`);
    } catch (error) {
      this.#open = undefined;
      await processes.close();
      throw error;
    }
  }

  async #start(): Promise<{ readonly processes: PeerProcesses; readonly driver: PeerProcess }> {
    const processes = await openProcesses(this.#openings);
    try {
      return { processes, driver: await this.#peer.start(processes) };
    } catch (error) {
      await processes.close();
      throw error;
    }
  }
}
