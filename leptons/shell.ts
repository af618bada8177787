/**
 * Shell leptons: a command of `/bin/sh`, or a program with its arguments. What the electron is given is never part of the text: it comes as `$1`, `$2`, …
 * and as variables that begin with ARG_, so that nothing in it is read as shell.
 * Whoever runs this owns the process group: a cancel ends the command itself here, and the agent ends all that it started (lane.ts).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { PolaronError } from '../model/errors.ts';
import { shownLepton, type ShellSpec } from '../model/lepton.ts';
import { textsOf, type ShellArguments } from './shell-arguments.ts';
import type { LeptonHost } from './host.ts';

/** 64 MiB of standard output are taken as a result. */
export const MOST_STDOUT = 64 * 1024 * 1024;
/** Of stderr, in the error of a command that failed. */
const STDERR_CHARS = 4 * 1024;

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  /** The last of it. */
  readonly stderr: string;
  readonly tooLong: boolean;
}

/** Raises LEPTON_ARGUMENT, LEPTON_MISSING, LEPTON_OUTPUT, CRASHED, and CommandFailed as an error of the user's code. */
export async function runShell(spec: ShellSpec, args: readonly unknown[], host: LeptonHost): Promise<unknown> {
  const where = shownLepton(spec);
  const end = await endOf(start(spec, textsOf(args, where), where), spec, host, where);
  if (host.context.signal.aborted) throw host.context.signal.reason;
  if (end.tooLong) {
    throw new PolaronError('LEPTON_OUTPUT', `${where} wrote more than ${MOST_STDOUT} bytes to its standard output`, {
      help: 'Write to a file and return its path, or print less.',
    });
  }
  if (end.signal !== null) {
    throw new PolaronError('CRASHED', `${where}: its command died by ${end.signal}${shown(end.stderr)}`);
  }
  if (spec.output === 'exitCode') return end.code;
  if (end.code !== 0) throw new CommandFailed(where, end.code ?? -1, end.stderr);
  const text = textOf(end.stdout, where);
  return spec.output === 'json' ? parsed(text, where) : text.replace(/\n+$/, '');
}

/** A command that ended with another exit code than 0. `retryOn` knows it by its class, and by `EXIT_n`. */
class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly code: string;

  constructor(where: string, exitCode: number, stderr: string) {
    super(`${where}: its command ended with exit code ${exitCode}${shown(stderr)}`);
    this.code = `EXIT_${exitCode}`;
    // where in the driver it was made tells nobody anything
    this.stack = `${this.name}: ${this.message}`;
  }
}

const shown = (stderr: string): string => (stderr.trim() === '' ? '' : `: ${stderr.trim()}`);

/** Raises LEPTON_ARGUMENT when the system doesn't take the arguments. */
function start({ command }: ShellSpec, { positional, variables }: ShellArguments, where: string): ChildProcess {
  const [program, ...before] =
    typeof command === 'string' ? [process.env['POLARON_SHELL'] ?? '/bin/sh', '-c', command, 'sh'] : command;
  try {
    return spawn(program ?? '', [...before, ...positional], {
      env: { ...process.env, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (cause) {
    throw notStarted(where, program ?? '', cause);
  }
}

function notStarted(where: string, program: string, cause: unknown): PolaronError {
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'EACCES') {
    return new PolaronError(
      'LEPTON_MISSING',
      `${where}: the program ${JSON.stringify(program)} can't be run here (${code})`,
      {
        cause,
        details: { program },
      },
    );
  }
  const advice =
    code === 'E2BIG' ? 'arguments are too long for a command line; write them to a file, or pass less' : String(cause);
  return new PolaronError('LEPTON_ARGUMENT', `${where}: its command can't be started: ${advice}`, { cause });
}

/** Resolves when the command has ended and nothing holds its output open any more, as `$(…)` in a shell does. */
function endOf(child: ChildProcess, spec: ShellSpec, host: LeptonHost, where: string): Promise<End> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    let tooLong = false;
    let stderr = '';
    const stop = (): void => void child.kill('SIGTERM');
    const { signal } = host.context;
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    child.on('error', (error) => reject(notStarted(where, child.spawnfile, error)));
    const errors = new StringDecoder('utf8');
    child.stderr?.on('data', (chunk: Buffer) => {
      const text = errors.write(chunk);
      stderr = (stderr + text).slice(-STDERR_CHARS);
      host.write('stderr', text);
    });
    const prints = new StringDecoder('utf8');
    child.stdout?.on('data', (chunk: Buffer) => {
      if (spec.output === 'exitCode') return host.write('stdout', prints.write(chunk));
      bytes += chunk.length;
      tooLong ||= bytes > MOST_STDOUT;
      if (!tooLong) pieces.push(chunk);
      else child.kill('SIGKILL');
    });
    const end = (code: number | null, killedBy: NodeJS.Signals | null): void => {
      signal.removeEventListener('abort', stop);
      // what still writes to them ends by that
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ code, signal: killedBy, stdout: Buffer.concat(pieces), stderr, tooLong });
    };
    // of what was stopped nobody wants the output, and what it started may hold that open for long
    child.on('exit', (code, killedBy) => {
      if (signal.aborted || tooLong) end(code, killedBy);
    });
    child.on('close', end);
  });
}

function textOf(bytes: Buffer, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new PolaronError('LEPTON_OUTPUT', `${where}: its standard output is not UTF-8 text`, {
      help: 'Pipe it through base64, or write to a file and return its path.',
    });
  }
}

function parsed(text: string, where: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    const start = text.length > 200 ? `${text.slice(0, 200)}…` : text;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PolaronError(
      'LEPTON_OUTPUT',
      `${where}: its standard output is no JSON (${why}): ${JSON.stringify(start)}`,
      {
        cause,
      },
    );
  }
}
