/**
 * Records of the processes that Polaron started on this machine: `$POLARON_HOME/run/<kind>-<pid>.json`, so that a later `start` or `stop`
 * finds what a killed hub left behind. A record holds pid and start time; one whose process is gone is removed by whoever reads it.
 * Not here: ending processes (end-processes.ts).
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processInfo } from '../executors/process/process-table.ts';

/** `local-agent` belongs to the hub of this home; `agent` was started by hand and is left alone by `stop`, its runners too. */
export const instanceKinds = ['hub', 'local-agent', 'agent', 'runner'] as const;
export type InstanceKind = (typeof instanceKinds)[number];

export interface Instance {
  readonly kind: InstanceKind;
  readonly pid: number;
  /** Opaque (process-table.ts). */
  readonly startTime: string;
  /** Pid of the process of ours that started it. */
  readonly owner?: number;
}

const folder = (home: string): string => join(home, 'run');
const fileOf = (home: string, kind: InstanceKind, pid: number): string => join(folder(home), `${kind}-${pid}.json`);

/** Records a living process; undefined (and no record) when it is gone already. */
export function recordInstance(home: string, kind: InstanceKind, pid: number, owner?: number): Instance | undefined {
  const info = processInfo(pid);
  if (info === undefined) return undefined;
  const instance = { kind, pid, startTime: info.startTime, ...(owner === undefined ? {} : { owner }) };
  mkdirSync(folder(home), { recursive: true, mode: 0o700 });
  const file = fileOf(home, kind, pid);
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(instance)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
  return instance;
}

/** Removes the record, if there is one. */
export function forgetInstance(home: string, kind: InstanceKind, pid: number): void {
  rmSync(fileOf(home, kind, pid), { force: true });
}

/** Does any process have this pid now? */
export const isRunning = (pid: number): boolean => processInfo(pid) !== undefined;

/** Is it still the same process? False for another one that got its pid. */
export const isLiving = (instance: Pick<Instance, 'pid' | 'startTime'>): boolean =>
  processInfo(instance.pid)?.startTime === instance.startTime;

/** The recorded processes that still live; records of others are removed. */
export function livingInstances(home: string): readonly Instance[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder(home));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    if (!name.endsWith('.json')) return [];
    const file = join(folder(home), name);
    const instance = readInstance(file);
    if (instance !== undefined && isLiving(instance)) return [instance];
    rmSync(file, { force: true });
    return [];
  });
}

/** Those of `instances` that belong to the hub of this home: all but agents started by hand and what these started. */
export function ofHub(instances: readonly Instance[]): readonly Instance[] {
  const byHand = new Set(instances.filter(({ kind }) => kind === 'agent').map(({ pid }) => pid));
  return instances.filter(({ kind, owner }) => kind !== 'agent' && (owner === undefined || !byHand.has(owner)));
}

/** Record files are renamed into place whole, so one that can't be read isn't ours. */
function readInstance(file: string): Instance | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isInstance(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isInstance(x: unknown): x is Instance {
  return (
    typeof x === 'object' &&
    x !== null &&
    'kind' in x &&
    instanceKinds.some((kind) => kind === x.kind) &&
    'pid' in x &&
    typeof x.pid === 'number' &&
    'startTime' in x &&
    typeof x.startTime === 'string' &&
    (!('owner' in x) || typeof x.owner === 'number')
  );
}
