/**
 * Which runner process groups belong to this agent, on disk (A5): `runners/<epoch>/<pid>` holds the start time. A restarted agent kills what
 * an earlier life left. And a guardian, one small shell per agent, kills them at once when the agent dies without a word: it waits for the
 * end of a pipe that only the agent holds, which also reaches runners that are in a busy loop.
 * What a runner starts is told by the environment that it inherits, detached or not (Linux): POLARON_RUNNER is `<runners>/<epoch>:<number>`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../../model/log.ts';
import { killGroupOf, killMarked, signalGroup, startTimeOf } from './process-table.ts';

/** In the environment of a runner and of all that it starts. */
export const RUNNER_MARK = 'POLARON_RUNNER';

/** `cat` ends when the agent does; the folder is gone after an orderly stop. What is being started meanwhile is found in a second look. */
const GUARDIAN = `
trap "" HUP INT TERM
cat >/dev/null
exec 2>/dev/null
cd "$1" || exit 0
for p in *; do [ -f "$p" ] && kill -s KILL -- "-$p"; done
for look in 1 2; do
  for e in $(grep -lsF "${RUNNER_MARK}=$1:" /proc/[0-9]*/environ); do
    p=\${e#/proc/}
    kill -s KILL -- "\${p%/environ}"
  done
done`;

/** Kills the process groups that earlier lives left in the folder. Returns how many there were. */
export function killLeftRunners(dir: string, log: Log): number {
  let killed = 0;
  for (const life of readdirSync(dir, { withFileTypes: true })) {
    const folder = join(dir, life.name);
    for (const name of life.isDirectory() ? readdirSync(folder) : []) {
      const pid = Number(name);
      if (Number.isSafeInteger(pid) && pid > 1 && killGroupOf(pid, readFileSync(join(folder, name), 'utf8'))) killed++;
    }
    killMarked(RUNNER_MARK, (mark) => mark.startsWith(`${folder}:`));
    rmSync(folder, { recursive: true, force: true });
  }
  if (killed > 0) log('warn', `agent: killed ${killed} runner processes that an earlier life had left`, { killed });
  return killed;
}

/** All processes of the machine are looked at after runners have ended; when many end, together, and no more often than this. */
const SWEEP_MS = 50;

interface Ended {
  /** Absent: a thread. */
  readonly pid?: number;
  readonly mark: string | undefined;
  readonly gone: () => void;
}

export class RunnerRoster {
  readonly #dir: string;
  readonly #log: Log;
  readonly #marks = new Map<number, string>();
  #ended: Ended[] = [];
  #sweptAt = Number.NEGATIVE_INFINITY;
  #guardian: ChildProcess | undefined;
  #marked = 0;

  /** `dir` is `<runners>/<epoch>`. */
  constructor(dir: string, log: Log) {
    this.#dir = dir;
    this.#log = log;
    mkdirSync(dir, { recursive: true });
    // with the first process of a container everything else ends, and there may be no shell
    if (process.pid === 1) return;
    const guardian = spawn('/bin/sh', ['-c', GUARDIAN, 'polaron-guardian', dir], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guardian.on('error', (error) => log('warn', `agent: no guardian for its runner processes: ${error.message}`));
    guardian.stdin.on('error', () => undefined);
    guardian.unref();
    this.#guardian = guardian;
  }

  /** The value of POLARON_RUNNER for a process that is about to be started. */
  nextMark(): string {
    return `${this.#dir}:${++this.#marked}`;
  }

  /** Never throws: on a full disk the runner works unrecorded, and ends with its pipe when the agent dies. */
  add(pid: number, mark: string): void {
    this.#marks.set(pid, mark);
    const start = startTimeOf(pid);
    if (start === undefined) return;
    try {
      writeFileSync(join(this.#dir, String(pid)), start);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log('warn', `agent: runner ${pid} can't be recorded: ${why}`);
    }
  }

  /** The leader has ended: what is left of its group, and of all that it started, is killed; then `gone` is called. */
  remove(pid: number, gone: () => void): void {
    signalGroup(pid, 'SIGKILL');
    this.#sweepSoon({ pid, mark: this.#marks.get(pid), gone });
  }

  /** The same for a thread of a process that goes on: its mark is that of its process, `/` and a number. */
  removeThread(mark: string, gone: () => void): void {
    this.#sweepSoon({ mark, gone });
  }

  #sweepSoon(ended: Ended): void {
    this.#ended.push(ended);
    if (this.#ended.length > 1) return;
    const pause = this.#sweptAt + SWEEP_MS - performance.now();
    if (pause <= 0) setImmediate(this.#sweep);
    else setTimeout(this.#sweep, pause);
  }

  readonly #sweep = (): void => {
    const ended = this.#ended;
    this.#ended = [];
    this.#sweptAt = performance.now();
    const marks = new Set(ended.map(({ mark }) => mark));
    killMarked(RUNNER_MARK, (mark) => marks.has(mark) || marks.has(mark.replace(/\/\d+$/, '')));
    for (const { pid, gone } of ended) {
      if (pid !== undefined) {
        this.#marks.delete(pid);
        rmSync(join(this.#dir, String(pid)), { force: true });
      }
      gone();
    }
  };

  /** After the last `remove`. */
  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
    this.#guardian?.stdin?.end();
    this.#guardian = undefined;
  }
}
