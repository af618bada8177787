/**
 * One connection to a host: a process of the machine's `ssh`, up to the moment when the daemon over there answers. Everything that can be wrong on the way is one coded error.
 * Not here: what goes over it, and the next connection when it breaks (ssh-host.ts).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import type { Clock } from '../../model/clock.ts';
import { PolaronError, type ErrorCode } from '../../model/errors.ts';
import { errorTable } from '../../model/error-table.ts';
import { Records } from '../remote/records.ts';
import { remoteProgram } from '../remote/remote-program.ts';
import { bootstrapCommand, bootstrapProgram } from './bootstrap.ts';
import { markerOf } from './marker.ts';
import { sshArguments } from './ssh-command.ts';
import { sshFailure } from './ssh-failure.ts';
import { DEFAULT_LEASE_MS, type SshOptions } from './ssh-options.ts';

/** From the start of ssh to the daemon's word, a program on its way included. */
const DIAL_MS = 60_000;
const STDERR_CHARS = 16 * 1024;
/** What a login script may print before. */
const MOST_BEFORE = 256 * 1024;

export interface DialOptions {
  readonly host: SshOptions;
  /** `host gpu1`. */
  readonly place: string;
  /** Names the agent over there. */
  readonly agent: string;
  readonly boot: number;
  readonly way: string;
  readonly clock: Clock;
  /** The `ssh` to run. */
  readonly program: string;
  /** Aborts when nobody wants it any more. */
  readonly signal: AbortSignal;
}

export interface SshConnection {
  readonly records: Records;
  /** Of the ssh process. */
  readonly pid: number;
  /** What ssh has said, when it was about an end. */
  failure(): PolaronError;
  close(): void;
}

/** Rejects with SSH_HOST_KEY, SSH_AUTH, SSH_UNREACHABLE, SSH_NO_NODE, DISK_FULL, EXECUTOR_FAILED. */
export function dial(options: DialOptions): Promise<SshConnection> {
  const { host, place, agent, boot, way, clock, program, signal } = options;
  const carried = remoteProgram('ssh');
  const nonce = randomBytes(8).toString('hex');
  const command = bootstrapCommand({
    nonce,
    node: host.node ?? '',
    folder: host.folder ?? '',
    agent,
    boot,
    way,
    leaseMs: host.leaseMs ?? DEFAULT_LEASE_MS,
    version: carried.version,
  });
  return new Promise((resolve, reject) => {
    // a group of its own: what a terminal sends to the agent's is not for it
    const child = spawn(program, sshArguments(host, command), {
      detached: true,
      env: ownEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stderr = '';
    let over = false;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_CHARS);
    });
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => undefined);
    const failure = (): PolaronError => errorOf(sshFailure(place, stderr));
    const settled = (): void => {
      over = true;
      late.cancel();
      signal.removeEventListener('abort', unwanted);
    };
    const unwanted = (): void => fail(new PolaronError('SSH_UNREACHABLE', `${place}: the agent ends`));
    const fail = (error: PolaronError): void => {
      if (over) return;
      settled();
      end(child);
      reject(error);
    };
    signal.addEventListener('abort', unwanted);
    const late = clock.after(DIAL_MS, () =>
      fail(errorOf({ code: 'SSH_UNREACHABLE', message: `${place}: it has not answered within ${DIAL_MS} ms` })),
    );
    child.once('error', (error) =>
      fail(new PolaronError('EXECUTOR_FAILED', `${place}: ${program} can't be run on the agent: ${error.message}`)),
    );
    // its last words are read by then
    child.once('close', () => fail(failure()));

    const marker = Buffer.from(markerOf(nonce));
    let before: Buffer = Buffer.alloc(0);
    const heard = (chunk: Buffer): void => {
      before = Buffer.concat([before, chunk]);
      for (;;) {
        const at = before.indexOf(marker);
        const end = at === -1 ? -1 : before.indexOf(10, at + marker.length);
        if (end === -1) {
          if (before.length > MOST_BEFORE) fail(noWord(place));
          return;
        }
        const [word = '', about = ''] = split(before.toString('utf8', at + marker.length, end));
        before = before.subarray(end + 1);
        if (word === 'need') {
          child.stdin.write(bootstrapProgram(carried));
        } else if (word === 'fail') {
          return fail(failureOf(place, about));
        } else if (word === 'ready') {
          return ready();
        }
      }
    };
    const ready = (): void => {
      if (over) return;
      settled();
      child.stdout.pause();
      child.stdout.removeListener('data', heard);
      if (before.length > 0) child.stdout.unshift(before);
      const records = new Records(Duplex.from({ readable: child.stdout, writable: child.stdin }));
      child.once('close', () => records.destroy());
      resolve({ records, pid: child.pid ?? 0, failure, close: () => end(child) });
    };
    child.stdout.on('data', heard);
  });
}

/** ssh may be told to send variables: none of Polaron's, among which are credentials. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('POLARON_'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

function end(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}

function split(line: string): readonly string[] {
  const at = line.indexOf(' ');
  return at === -1 ? [line] : [line.slice(0, at), line.slice(at + 1)];
}

const noWord = (place: string): PolaronError =>
  new PolaronError(
    'EXECUTOR_FAILED',
    `${place}: its login scripts print without end; keep them silent where nobody looks`,
  );

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(errorTable, code);

const errorOf = ({ code, message }: { readonly code: string; readonly message: string }): PolaronError =>
  new PolaronError(isCode(code) ? code : 'EXECUTOR_FAILED', message);

/** What the host's side says of itself. */
function failureOf(place: string, about: string): PolaronError {
  let told: unknown;
  try {
    told = JSON.parse(about);
  } catch {
    told = undefined;
  }
  const message = fieldOf(told, 'message') ?? about;
  const code = fieldOf(told, 'code') ?? 'EXECUTOR_FAILED';
  const advice =
    code === 'SSH_NO_NODE'
      ? "; install Node.js there, or name it by the option 'node'"
      : code === 'DISK_FULL'
        ? "; make room there, or name another place by the option 'folder'"
        : '';
  return errorOf({ code, message: `${place}: ${message}${advice}` });
}

function fieldOf(of: unknown, name: string): string | undefined {
  const value: unknown = typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}
