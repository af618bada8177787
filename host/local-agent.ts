/**
 * The hub's own agent: a process of its own, in its own process group. It outlives a killed hub; the next hub takes it over when its slots are the same.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import { beginAgentChild, livingAgent, type AgentChild } from './agent-child.ts';
import { agentTargetFile } from './data-folder.ts';
import { endProcesses } from './end-processes.ts';
import { forgetInstance, livingInstances, recordInstance } from './instances.ts';

export interface LocalAgentOptions {
  readonly home: string;
  readonly data: string;
  readonly site: string;
  readonly name: string;
  readonly slots: number;
  /** Its process, if that has been begun. */
  readonly begun?: AgentChild;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LocalAgent {
  /** Was it already there? */
  readonly adopted: boolean;
  readonly pid: number;
  /** It was told to leave: it isn't started again before the hub is. */
  dismissed(): void;
  stop(): Promise<void>;
}

/** Longer than an agent's own grace for what runs. */
const STOP_GRACE_MS = 8_000;
const WATCH_MS = 1_000;
/** One that lived for so long didn't die in a row, ms. */
const SETTLED_MS = 30_000;

/** Starts it, or finds the living one that an earlier hub of this home started with the same settings; one with others is ended first. */
export async function startLocalAgent(o: LocalAgentOptions): Promise<LocalAgent> {
  const settingsFile = join(o.data, 'agent-settings.json');
  const wanted = JSON.stringify({ site: o.site, name: o.name, slots: o.slots, data: o.data });
  const found = livingAgent(o.home);
  const adopted = found !== undefined && settingsOf(settingsFile) === wanted;
  if (found !== undefined && !adopted) await end(o.home, found.pid);
  writeFileSync(settingsFile, wanted, { mode: 0o600 });
  if (adopted) o.begun?.drop();
  let pid = adopted ? found.pid : startAgent(o, o.begun);
  let stopped = false;
  let inARow = 0;
  let since = o.clock.monotonic();
  const watch = (): void => {
    if (stopped) return;
    const settled = o.clock.monotonic() - since > SETTLED_MS;
    if (settled) inARow = 0;
    if (livingAgent(o.home) === undefined) {
      o.log('error', 'the local agent died; starting it again', { pid, inARow: ++inARow });
      pid = startAgent(o);
      since = o.clock.monotonic();
    }
    // one that dies again and again is started less and less often
    watcher = o.clock.after(WATCH_MS * Math.min(30, Math.max(1, inARow)), watch);
  };
  let watcher = o.clock.after(WATCH_MS, watch);
  return {
    adopted,
    pid,
    dismissed: () => {
      stopped = true;
      watcher.cancel();
    },
    stop: () => {
      stopped = true;
      watcher.cancel();
      return end(o.home, pid);
    },
  };
}

/** With the process that was begun before, if that is still there. */
function startAgent(o: LocalAgentOptions, begun?: AgentChild): number {
  const child = begun?.process.connected === true ? begun : beginAgentChild(o.data);
  const pid = child.process.pid ?? 0;
  child.process.on('error', (error) => o.log('error', `the local agent could not be started: ${error.message}`));
  child.process.on('exit', () => forgetInstance(o.home, 'local-agent', pid));
  recordInstance(o.home, 'local-agent', pid, process.pid);
  child.go({
    home: o.home,
    site: o.site,
    name: o.name,
    slots: o.slots,
    stateDir: join(o.data, 'agent'),
    targetFile: agentTargetFile(o.data),
  });
  return pid;
}

function settingsOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function end(home: string, pid: number): Promise<void> {
  const living = livingInstances(home).find((instance) => instance.kind === 'local-agent' && instance.pid === pid);
  if (living !== undefined) await endProcesses([living], { graceMs: STOP_GRACE_MS });
  forgetInstance(home, 'local-agent', pid);
}
