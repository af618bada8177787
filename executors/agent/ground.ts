/**
 * What an agent stands on: its state folder, opened, and what runs its electrons. A simulation gives another that it can take away.
 * Not here: what is kept there (stock.ts), and what is done with it (agent.ts).
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Dependencies, refuseDeps, type DepsInstaller } from '../deps/dependencies.ts';
import { Environments } from '../deps/environments.ts';
import { killLeftRunners, RunnerRoster } from '../process/runner-roster.ts';
import type { Executor } from '../executor.ts';
import { processPool } from '../process/process-executor.ts';
import { Executors } from './executors.ts';
import { folderShelf } from './folder-shelf.ts';
import type { ResolvedAgent } from './options.ts';
import type { Shelf } from './shelf.ts';
import { openSpoolFile, type SpoolFile } from './spool-file.ts';
import { openStateFolder, type StateFolder } from './state-folder.ts';

export interface AgentGround {
  readonly folder: StateFolder;
  readonly spool: SpoolFile;
  /** Large results that the hub hasn't acknowledged. */
  readonly values: Shelf;
  readonly cache: Shelf;
  readonly bundles: Shelf;
  readonly executors: Executors;
  readonly deps: DepsInstaller;
  /** Lets another process use it; the executors have been stopped. */
  close(): void;
}

/** A5: what an earlier life left running is killed before anything else. Raises AGENT_NAME_TAKEN, or the system's error when the folder can't be used. */
export function openGround(options: ResolvedAgent): AgentGround {
  const {
    stateDir,
    dir,
    log,
    slots,
    graceMs,
    clock,
    spareRunner,
    executors,
    nodePath,
    runnerEnv,
    runnerCwd,
    maxValueBytes,
    name,
    site,
    installDeps,
    depsDir,
    python,
  } = options;
  const folder = openStateFolder(stateDir);
  killLeftRunners(dir.runners, log);
  // of attempts that ended with an earlier life
  rmSync(dir.scratch, { recursive: true, force: true });
  mkdirSync(dir.scratch, { mode: 0o700 });
  const spool = openSpoolFile(join(stateDir, 'spool'));
  const [values, cache, bundles] = [folderShelf(dir.values), folderShelf(dir.cache), folderShelf(dir.bundles)];
  const roster = new RunnerRoster(join(dir.runners, String(folder.epoch)), log);
  const start = { nodePath, env: runnerEnv, cwd: runnerCwd, maxValueBytes, agent: name, roster, clock };
  const environments = new Environments({
    root: depsDir,
    agent: `${site}.${name}`,
    env: runnerEnv,
    nodePath,
    python,
    roster,
    clock,
    log,
  });
  environments.tidy();
  return {
    folder,
    spool,
    values,
    cache,
    bundles,
    executors: new Executors((others) => {
      const room = (): number => Math.max(0, slots - others());
      const life = { id: folder.id, epoch: folder.epoch };
      const own = { site, agent: name, life, stateDir, slots, room, graceMs, clock, log, start, spare: spareRunner };
      const ground = { ...own, scratchDir: dir.scratch, jobsDir: dir.jobs };
      let pool: Executor | undefined;
      const processes = (): Executor => (pool ??= processPool(ground));
      return executors.map((make) => make({ ...ground, processes }));
    }, log),
    deps: installDeps ? new Dependencies(environments, clock) : refuseDeps(`${site}.${name}`),
    close() {
      roster.close();
      folder.release();
    },
  };
}
