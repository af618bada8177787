/** What a round left behind when everything was stopped: processes, told by their environment, and locks. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listProcesses } from '../../../executors/process/process-table.ts';
import { until } from '../../support/until.ts';

/** Handed down to every process of a round, its electrons' children too. */
export const MARK = 'CHAOS_ROUND';
const LOCKS = /(^|\/)(hub\.json|polaron\.lock|agent\.pid|start\.lock)$|\/run\/[^/]+\.json$|\/runners\/\d+\/\d+$/;
/** A killed process takes a moment to go. */
const GRACE_MS = 2_000;

/** One line each. */
export async function leftovers(home: string): Promise<readonly string[]> {
  await until(() => processesOf(home).length === 0, 'all processes have gone', GRACE_MS).catch(() => undefined);
  return [
    ...processesOf(home),
    ...filesBelow(home)
      .filter((path) => LOCKS.test(path))
      .map((path) => `file ${path}`),
  ];
}

export function processesOf(home: string): readonly string[] {
  return listProcesses().flatMap(({ pid }) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${MARK}=${home}`)) return [];
      return [`process ${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 160)}`];
    } catch {
      return []; // gone meanwhile
    }
  });
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).map(({ parentPath, name }) =>
    join(parentPath, name),
  );
}
