/**
 * A process that hosts threads, from the agent's side: its start, its frames, its end, and who is blamed for that.
 * Invariants: H1 a thread that is alone with user code when the process dies is to blame; of several nobody is, for nobody can tell; H2 one that doesn't end (T1) takes the process with it, and is
 * the only one that has ended; H3 what ran in the others is noted as disturbed: it runs alone the next time, so that who ends processes shows itself, and the others get through;
 * H4 a process of which a thread has ended begins no other, and ends with its last: nothing in it could reap what that one had started;
 * H5 what an ended thread had started is told by its mark, and by its parent: the process's first thread, which starts none itself. A mark of a thread that goes on counts more: that one may have had a thread of its own, which has ended.
 * Not here: which processes there are (thread-hosts.ts), the process's own side (runner/threads.ts).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { Log } from '../../model/log.ts';
import type { Stream } from '../../model/log-entry.ts';
import { killLeftByThreads, killTree, signalGroup } from '../process/process-table.ts';
import { RUNNER_MARK } from '../process/runner-roster.ts';
import type { RunnerExit, RunnerListener, RunnerProcess, RunnerStart } from '../process/runner-process.ts';
import { hostProgram } from '../program.ts';
import { FrameStream } from '../remote/frame-stream.ts';
import { FRAME } from '../remote/wire.ts';
import { decodeThreadEnded, encodeHostWord, type ThreadEnded, type ToThread } from './host-wire.ts';
import { ThreadRunner } from './thread-runner.ts';

/** How long to wait for the rest of the output once the process has exited: a grandchild may hold the pipes. */
const OUTPUT_MS = 100;
const SHOWN_CHARS = 300;

export interface ThreadHostListener {
  /** The task was ended by another one, or may have ended others (H3). */
  disturbed(task: string): void;
  /** It takes no more threads. */
  closed(): void;
  /** The process and all that it had started are gone. */
  gone(): void;
}

export class ThreadHost {
  readonly #start: RunnerStart;
  readonly #log: Log;
  readonly #listener: ThreadHostListener;
  readonly #child: ChildProcess;
  readonly #stream: FrameStream | undefined;
  readonly #mark: string;
  readonly #threads = new Map<number, ThreadRunner>();
  #numbers = 0;
  /** The one that was at work last; what is printed past the pipes may be its. */
  #latest: ThreadRunner | undefined;
  readonly #stuck = new Set<ThreadRunner>();
  #closed = false;
  #ended = false;

  constructor(start: RunnerStart, log: Log, listener: ThreadHostListener) {
    this.#start = start;
    this.#log = log;
    this.#listener = listener;
    const { nodePath, cwd, env, roster, maxValueBytes, agent, scratchRoot, clock } = start;
    this.#mark = roster.nextMark();
    const settings = [String(maxValueBytes), agent, scratchRoot];
    const child = spawn(nodePath, ['--enable-source-maps', hostProgram(), ...settings], {
      cwd,
      env: { ...env, [RUNNER_MARK]: this.#mark },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    if (this.pid > 0) roster.add(this.pid, this.#mark);
    const pipe = child.stdio[3];
    if (pipe instanceof Socket)
      this.#stream = new FrameStream(pipe, {
        frame: (kind, number, payload) => this.#frame(kind, number, payload),
        // the exit says it better
        ended: () => this.kill(),
      });
    for (const [stream, from] of [
      ['stdout', child.stdout],
      ['stderr', child.stderr],
    ] as const) {
      const decoder = new StringDecoder('utf8');
      from?.on('data', (chunk: Buffer) => this.#printed(stream, decoder.write(chunk)));
      from?.on('error', () => undefined);
    }
    child.on('error', () => {
      if (this.pid === 0) this.#end({ code: null, signal: null });
    });
    child.on('exit', (code, signal) => {
      this.#close();
      // what its group still runs may hold the pipes open
      signalGroup(this.pid, 'SIGKILL');
      clock.after(OUTPUT_MS, () => this.#end({ code, signal }));
    });
    child.on('close', (code, signal) => this.#end({ code, signal }));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Threads that it has. */
  get size(): number {
    return this.#threads.size;
  }

  /** Begins a thread. */
  add(start: RunnerStart, listener: RunnerListener): RunnerProcess {
    const number = ++this.#numbers;
    const { memoryMb } = start;
    const thread: ThreadRunner = new ThreadRunner(start, listener, {
      pid: this.pid,
      send: (frames) => this.#stream?.send(FRAME.runner, number, frames),
      end: () => this.#tell(number, { type: 'end' }),
      stuck: () => {
        this.#stuck.add(thread);
        this.kill();
      },
    });
    this.#threads.set(number, thread);
    this.#tell(number, {
      type: 'start',
      mark: this.#markOf(number),
      ...(memoryMb === undefined ? {} : { memoryMb: Math.floor(memoryMb) }),
    });
    return thread;
  }

  kill(): void {
    this.#close();
    if (this.pid <= 0 || this.#ended) return;
    killTree(this.pid);
    signalGroup(this.pid, 'SIGKILL');
  }

  #markOf(number: number): string {
    return `${this.#mark}/${number}`;
  }

  #tell(number: number, word: ToThread): void {
    this.#stream?.send(FRAME.control, number, encodeHostWord(word));
  }

  #frame(kind: number, number: number, payload: Buffer): void {
    const thread = this.#threads.get(number);
    if (thread === undefined || this.#ended) return;
    if (kind === FRAME.runner) {
      if (thread.runs !== undefined) this.#latest = thread;
      thread.frames(payload);
    } else if (kind === FRAME.control) this.#threadEnded(number, thread, decodeThreadEnded(payload));
    else if (kind === FRAME.stdout) thread.wrote('stdout', payload);
    else if (kind === FRAME.stderr) thread.wrote('stderr', payload);
  }

  #threadEnded(number: number, thread: ThreadRunner, { exitCode, heapFull }: ThreadEnded): void {
    this.#close(); // H4
    this.#threads.delete(number);
    thread.leaving();
    // H5
    const others = new Set([...this.#threads.keys()].map((other) => this.#markOf(other)));
    killLeftByThreads(this.pid, RUNNER_MARK, (mark) => others.has(mark));
    for (const other of this.#threads.values()) other.neighbourEnded();
    this.#start.roster.removeThread(this.#markOf(number), () => {
      thread.exit({ code: exitCode, signal: null, thread: { heapFull, bystander: false } });
      if (this.#threads.size === 0) this.kill();
    });
  }

  /** What native code or child processes write to the process's own output is of the only thread at work, if there is one. */
  #printed(stream: Stream & ('stdout' | 'stderr'), text: string): void {
    if (text === '') return;
    const active = [...this.#threads.values()].filter((thread) => thread.active);
    const [only = this.#latest] = active;
    if (active.length <= 1 && only !== undefined) only.printed(stream, text);
    else
      this.#log(
        'info',
        `agent: threads of process ${this.pid} wrote past console: ${text.trim().slice(0, SHOWN_CHARS)}`,
      );
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.closed();
  }

  #end(exit: RunnerExit): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#close();
    const threads = [...this.#threads.values()];
    this.#threads.clear();
    const exits = new Map(threads.map((thread) => [thread, this.#exitOf(thread, threads, exit)]));
    for (const [thread, { thread: how }] of exits) {
      if (thread.runs !== undefined && how?.bystander === true) this.#listener.disturbed(thread.runs);
      thread.leaving();
    }
    const gone = (): void => {
      for (const [thread, told] of exits) thread.exit(told);
      this.#listener.gone();
    };
    if (this.pid > 0) this.#start.roster.remove(this.pid, gone);
    else gone();
  }

  /** H1, H2. */
  #exitOf(thread: ThreadRunner, threads: readonly ThreadRunner[], exit: RunnerExit): RunnerExit {
    const blamed: RunnerExit = { ...exit, thread: { heapFull: false, bystander: false } };
    const bystander: RunnerExit = { code: null, signal: null, thread: { heapFull: false, bystander: true } };
    if (this.#stuck.size > 0) return this.#stuck.has(thread) ? blamed : bystander;
    const suspects = threads.filter(({ active }) => active);
    const loading = suspects.find(({ runs }) => runs === undefined);
    // what an electron of another thread has left may have ended the process while this one only loaded code
    if (suspects.length <= 1 && (loading === undefined || threads.length === 1))
      return thread.active ? blamed : bystander;
    // of those that load code one counts as killed, so that code which never loads doesn't for ever
    return thread === loading ? { ...blamed, code: null, signal: 'SIGKILL' } : bystander;
  }
}
