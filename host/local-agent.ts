/**
 * The hub's own agent: a process of its own, in its own process group. It outlives a killed hub; the next hub takes it over when its slots are the same.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../model/log.ts';
import { childEntry } from './child-entry.ts';
import { agentTargetFile } from './data-folder.ts';
import { endProcesses } from './end-processes.ts';
import { forgetInstance, livingInstances, recordInstance } from './instances.ts';

export interface LocalAgentOptions {
  readonly home: string;
  readonly data: string;
  readonly site: string;
  readonly name: string;
  readonly slots: number;
  readonly log: Log;
}

export interface LocalAgent {
  /** Was it already there? */
  readonly adopted: boolean;
  readonly pid: number;
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 6_000;

/** Starts it, or finds the living one that an earlier hub of this home started with the same settings; one with others is ended first. */
export async function startLocalAgent(o: LocalAgentOptions): Promise<LocalAgent> {
  const living = livingInstances(o.home).find((instance) => instance.kind === 'local-agent');
  const settingsFile = join(o.data, 'agent-settings.json');
  const wanted = JSON.stringify({ site: o.site, name: o.name, slots: o.slots, data: o.data });
  if (living !== undefined) {
    if (settingsOf(settingsFile) === wanted)
      return { adopted: true, pid: living.pid, stop: () => end(o.home, living.pid) };
    await end(o.home, living.pid);
  }
  writeFileSync(settingsFile, wanted, { mode: 0o600 });
  const output = openSync(join(o.data, 'agent.log'), 'a', 0o600);
  const settings = {
    home: o.home,
    site: o.site,
    name: o.name,
    slots: o.slots,
    stateDir: join(o.data, 'agent'),
    targetFile: agentTargetFile(o.data),
    owner: process.pid,
  };
  const child = spawn(process.execPath, [...childEntry('agent-process'), JSON.stringify(settings)], {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: o.data,
  });
  closeSync(output);
  child.unref();
  const pid = child.pid ?? 0;
  child.on('error', (error) => o.log('error', `the local agent could not be started: ${error.message}`));
  child.on('exit', () => forgetInstance(o.home, 'local-agent', pid));
  recordInstance(o.home, 'local-agent', pid, process.pid);
  return { adopted: false, pid, stop: () => end(o.home, pid) };
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
