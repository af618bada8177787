/**
 * Which runner process groups belong to this agent, on disk (A5): `runners/<epoch>/<pid>` holds the start time. A restarted agent kills what
 * an earlier life left. And a guardian, one small shell per agent, kills them at once when the agent dies without a word: it waits for the
 * end of a pipe that only the agent holds, which also reaches runners that are in a busy loop.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../model/log.ts';
import { killGroupOf, signalGroup, startTimeOf } from './process-table.ts';

/** `cat` ends when the agent does; the folder is empty after an orderly stop. */
const GUARDIAN =
  'trap "" HUP INT TERM; cat >/dev/null; cd "$1" 2>/dev/null || exit 0; for p in *; do [ -f "$p" ] && kill -s KILL -- "-$p"; done 2>/dev/null';

/** Kills the process groups that earlier lives left in the folder. Returns how many there were. */
export function killLeftRunners(dir: string, log: Log): number {
  let killed = 0;
  for (const life of readdirSync(dir, { withFileTypes: true })) {
    const folder = join(dir, life.name);
    for (const name of life.isDirectory() ? readdirSync(folder) : []) {
      const pid = Number(name);
      if (Number.isSafeInteger(pid) && pid > 1 && killGroupOf(pid, readFileSync(join(folder, name), 'utf8'))) killed++;
    }
    rmSync(folder, { recursive: true, force: true });
  }
  if (killed > 0) log('warn', `agent: killed ${killed} runner processes that an earlier life had left`, { killed });
  return killed;
}

export class RunnerRoster {
  readonly #dir: string;
  readonly #log: Log;
  #guardian: ChildProcess | undefined;

  /** `dir` is `<runners>/<epoch>`. */
  constructor(dir: string, log: Log) {
    this.#dir = dir;
    this.#log = log;
    mkdirSync(dir, { recursive: true });
    const guardian = spawn('/bin/sh', ['-c', GUARDIAN, 'polaron-guardian', dir], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guardian.on('error', (error) => log('warn', `agent: no guardian for its runner processes: ${error.message}`));
    guardian.stdin.on('error', () => undefined);
    guardian.unref();
    this.#guardian = guardian;
  }

  /** Never throws: on a full disk the runner works unrecorded, and ends with its pipe when the agent dies. */
  add(pid: number): void {
    const start = startTimeOf(pid);
    if (start === undefined) return;
    try {
      writeFileSync(join(this.#dir, String(pid)), start);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log('warn', `agent: runner ${pid} can't be recorded: ${why}`);
    }
  }

  /** The leader has ended: its group's left members are killed. */
  remove(pid: number): void {
    signalGroup(pid, 'SIGKILL');
    rmSync(join(this.#dir, String(pid)), { force: true });
  }

  /** After the last `remove`. */
  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
    this.#guardian?.stdin?.end();
    this.#guardian = undefined;
  }
}
