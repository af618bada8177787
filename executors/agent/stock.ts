/** What an agent keeps on disk and the processes that it runs, opened from its options. Not here: what is done with them (agent.ts). */
import { join } from 'node:path';
import type { FinishedTask } from '../../bus/protocol/agent.ts';
import { ProcessPool } from '../process/pool.ts';
import { RunnerRoster } from '../process/runner-roster.ts';
import { BlobCache } from './blob-cache.ts';
import { HeldValues } from './held-values.ts';
import type { ResolvedAgent } from './options.ts';
import type { PullOptions } from './pull.ts';
import { Spool } from './spool.ts';
import type { StateFolder } from './state-folder.ts';

export interface Stock {
  readonly spool: Spool;
  /** Outcomes of an earlier life that can still be reported. */
  readonly spooled: readonly FinishedTask[];
  readonly values: HeldValues;
  readonly cache: BlobCache;
  readonly roster: RunnerRoster;
}

/** Opens the state folder's parts. Raises the system's error when one can't be. */
export function openStock(options: ResolvedAgent, folder: StateFolder): Stock {
  const { dir, log, stateDir } = options;
  const spool = new Spool(join(stateDir, 'spool'), log);
  const values = new HeldValues(dir.values, spool.outcomes);
  const spooled: FinishedTask[] = [];
  for (const finished of spool.outcomes) {
    if (values.hasAllOf(finished.outcome)) {
      spooled.push(finished);
      continue;
    }
    // it can't be reported: the hub would ask for its value for ever
    const { task, token } = finished;
    log('warn', `agent: the result of ${task} is gone from the state folder; it will run again`, { task });
    spool.acknowledge(task, token);
  }
  const roster = new RunnerRoster(join(dir.runners, String(folder.epoch)), log);
  return { spool, spooled, values, cache: new BlobCache(dir.cache), roster };
}

export function makePool(options: ResolvedAgent, roster: RunnerRoster): ProcessPool {
  const { slots, graceMs, clock, dir, spareRunner, nodePath, runnerEnv, runnerCwd, maxValueBytes, name } = options;
  const start = { nodePath, env: runnerEnv, cwd: runnerCwd, maxValueBytes, agent: name, roster, clock };
  return new ProcessPool({ slots, graceMs, clock, scratchDir: dir.scratch, spare: spareRunner, start });
}

/** Where values and code come from. */
export function pullOptions(options: ResolvedAgent): PullOptions {
  const { blobBus, subjects, site, name, by, clock, maxValueBytes } = options;
  return { bus: blobBus, subject: subjects.agentBlob(site, name, 'get'), by, clock, maxBytes: maxValueBytes };
}
