/**
 * One interpreter: a process that calls functions of one module, one at a time, over a pipe of its own. What it prints by Python's own means comes in order
 * with the result; what bypasses those (C code, processes it starts) goes where this process's output goes.
 * Invariants: Y1 a call has one answer, and none is awaited of a process that is gone; Y2 idle it keeps nobody alive, and it ends when this process does.
 * Not here: which interpreter a call gets (python-pool.ts), what its answers mean (python.ts).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath } from 'node:url';
import type { PythonSpec } from '../model/lepton.ts';
import type { LeptonHost } from './host.ts';
import { FrameReader } from './python-frames.ts';
import { readFailure, readProgress, type Answer, type Failure } from './python-report.ts';

/** Signals of which faulthandler tells more. */
const FAULTS: readonly string[] = ['SIGSEGV', 'SIGFPE', 'SIGABRT', 'SIGBUS', 'SIGILL'];
const LAST_READ_MS = 100;

interface Call {
  readonly host: LeptonHost;
  readonly decoders: Readonly<Record<'stdout' | 'stderr', StringDecoder>>;
  readonly answer: (answer: Answer) => void;
}

export class PythonProcess {
  readonly program: string;
  readonly #child: ChildProcess;
  readonly #pipe: Socket;
  readonly #frames = new FrameReader((kind, content) => this.#frame(kind, content));
  #call: Call | undefined;
  /** Why it is gone. */
  #gone: Failure | undefined;

  /** Never throws: a program that can't be run is an answer. */
  constructor(program: string, spec: PythonSpec, env: NodeJS.ProcessEnv) {
    this.program = program;
    this.#child = spawn(program, [entryFile()], { env, stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    const pipe = this.#child.stdio[3];
    this.#pipe = pipe instanceof Socket ? pipe : new Socket();
    this.#child.on('error', (error) => this.#end({ kind: 'absent', message: error.message }));
    this.#child.on('exit', (code, signal) => this.#exited(code, signal));
    this.#pipe.on('data', (chunk) => this.#frames.feed(chunk));
    // its exit says it better
    this.#pipe.on('error', () => undefined);
    const { module, sources, folder } = spec;
    this.#send('I', Buffer.from(JSON.stringify({ module, sources, folder })));
    this.#idle();
  }

  /** Can it take another call? */
  get alive(): boolean {
    return this.#gone === undefined;
  }

  /** Resolves with its answer, or with how it ended (Y1). */
  call(request: string, args: Uint8Array, host: LeptonHost): Promise<Answer> {
    return new Promise((answer) => {
      if (this.#gone !== undefined) return answer(this.#gone);
      const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
      this.#call = { host, decoders, answer };
      this.#child.ref();
      this.#pipe.ref();
      // in one write: the interpreter wakes up once
      this.#pipe.cork();
      this.#send('C', Buffer.from(request));
      this.#send('A', args);
      this.#pipe.uncork();
    });
  }

  /** KeyboardInterrupt in what it runs. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  /** Ends it at once. */
  end(): void {
    this.#child.kill('SIGKILL');
  }

  #send(kind: string, content: Uint8Array): void {
    const head = Buffer.alloc(5);
    head.write(kind, 0, 'latin1');
    head.writeUInt32BE(content.length, 1);
    this.#pipe.cork();
    this.#pipe.write(head);
    this.#pipe.write(content);
    this.#pipe.uncork();
  }

  #frame(kind: string, content: Buffer): void {
    const call = this.#call;
    switch (kind) {
      case 'O':
      case 'e': {
        const stream = kind === 'O' ? 'stdout' : 'stderr';
        // a thread that prints between two calls is nobody's
        if (call === undefined) process[stream].write(content);
        else call.host.write(stream, call.decoders[stream].write(content));
        return;
      }
      case 'P': {
        const [fraction, note] = readProgress(content);
        call?.host.context.progress(fraction, note);
        return;
      }
      case 'R':
        this.#answer({ kind: 'result', bytes: content });
        return;
      case 'E':
        this.#answer(readFailure(content));
        return;
      default:
        // user code has written to the pipe: nothing that comes after it can be told apart
        this.#end({ kind: 'exit', code: 0, message: 'something else wrote to file descriptor 3' });
        this.end();
    }
  }

  #answer(answer: Answer): void {
    const call = this.#call;
    this.#call = undefined;
    this.#idle();
    call?.answer(answer);
  }

  #idle(): void {
    this.#child.unref();
    this.#pipe.unref();
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    const message = signal !== null && FAULTS.includes(signal) ? "; Python's own words stand in its stderr" : '';
    const how: Failure =
      signal === null ? { kind: 'exit', code: code ?? -1, message } : { kind: 'signal', signal, message };
    // what it wrote before is still to be read; what it started may hold the pipe
    if (this.#pipe.closed) return this.#end(how);
    const late = setTimeout(() => this.#end(how), LAST_READ_MS);
    this.#pipe.once('close', () => {
      clearTimeout(late);
      this.#end(how);
    });
  }

  #end(how: Failure): void {
    this.#gone ??= how;
    this.#pipe.destroy();
    if (this.#call !== undefined) this.#answer(this.#gone);
  }
}

/** Where the package has Python's side: beside this file as a source, in dist/ from wherever it was packed into. */
function entryFile(): string {
  for (const up of ['.', '../leptons', '../../leptons', '../../../leptons']) {
    const file = fileURLToPath(new URL(join(up, 'python', 'polaron_lepton.py'), import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new Error(`polaron_lepton.py is missing above ${import.meta.url}; install polaron again`);
}
