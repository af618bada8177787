/** What an agent keeps: outcomes that no hub has acknowledged, their values, a cache. Opened from its ground. Not here: what is done with them (agent.ts). */
import type { FinishedTask } from '../../bus/protocol/agent.ts';
import type { Log } from '../../model/log.ts';
import { BlobCache } from './blob-cache.ts';
import type { AgentGround } from './ground.ts';
import { HeldValues, type TakeOver } from './held-values.ts';
import type { ResolvedAgent } from './options.ts';
import type { PullOptions } from './pull.ts';
import { Spool } from './spool.ts';

export interface Stock {
  readonly spool: Spool;
  /** Outcomes of an earlier life that can still be reported. */
  readonly spooled: readonly FinishedTask[];
  readonly values: HeldValues;
  readonly cache: BlobCache;
}

/** Reads what the ground holds: a power cut may have left files that are damaged. Raises the system's error when that can't be read. */
export async function openStock(ground: AgentGround, log: Log): Promise<Stock> {
  const spool = new Spool(ground.spool, log);
  const cache = new BlobCache(ground.cache);
  // electrons that depend on it may run here
  const keep: TakeOver = ({ digest, size }, file) => cache.adopt(digest, size, file);
  const values = new HeldValues(ground.values, spool.outcomes, keep);
  const spooled: FinishedTask[] = [];
  for (const finished of spool.outcomes) {
    const { task, token, outcome } = finished;
    if (await values.isWhole(outcome)) {
      spooled.push(finished);
      continue;
    }
    // it can't be reported: the hub would ask for its value for ever
    log('warn', `agent: the result of ${task} is gone from the state folder, or damaged; it will run again`, { task });
    spool.acknowledge(task, token);
    values.discard(outcome);
  }
  return { spool, spooled, values, cache };
}

/** Where values and code come from. */
export function pullOptions(options: ResolvedAgent): PullOptions {
  const { blobBus, subjects, site, name, by, clock, maxValueBytes } = options;
  return { bus: blobBus, subject: subjects.agentBlob(site, name, 'get'), by, clock, maxBytes: maxValueBytes };
}
