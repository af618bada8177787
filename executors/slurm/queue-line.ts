/** What squeue and sacct say of a job, and what that means for its electron. Pure. Not here: who asks (queue.ts). */
import { constants } from 'node:os';
import type { JobState } from '../job/definition.ts';

/** One job, or one of an array. */
export interface QueueLine {
  /** `12`, or `12_3` of an array. */
  readonly id: string;
  readonly name: string;
  /** Slurm's word: PENDING, RUNNING, … */
  readonly state: string;
  readonly reason: string;
  readonly exitCode: number;
  readonly signal: number;
  readonly timeLimit: string;
  readonly memory: string;
  readonly partition: string;
  readonly nodes: string;
}

const SQUEUE = [
  'JobArrayID',
  'State',
  'exit_code',
  'Name',
  'TimeLimit',
  'MinMemory',
  'Partition',
  'NodeList',
  'Reason',
];

/** For `squeue --Format`: whole fields, with a bar behind each. */
export const squeueFormat = SQUEUE.map((field) => `${field}:|`).join(',');

/** For `sacct --format`, with `--parsable2`. */
export const sacctFormat = 'JobID,State,ExitCode,JobName,Timelimit,ReqMem,Partition,NodeList,Reason';

/** A line of squeue; undefined when it is something else. */
export function readSqueue(line: string): QueueLine | undefined {
  const [id, state, status, name, timeLimit, memory, partition, nodes, reason] = line.split('|');
  if (id === undefined || state === undefined || name === undefined || !/^\d+(_\d+)?$/.test(id)) return undefined;
  const raw = Number(status);
  return line_(id, state, name, raw >> 8, raw & 0x7f, [timeLimit, memory, partition, nodes, reason]);
}

/** A line of `sacct --parsable2`. */
export function readSacct(line: string): QueueLine | undefined {
  const [id, states, status, name, timeLimit, memory, partition, nodes, reason] = line.split('|');
  if (id === undefined || states === undefined || name === undefined || !/^\d+(_\d+)?$/.test(id)) return undefined;
  const [code = 0, signal = 0] = (status ?? '').split(':').map(Number);
  // it says `CANCELLED by 1000`
  return line_(id, states.split(' ')[0] ?? '', name, code, signal, [timeLimit, memory, partition, nodes, reason]);
}

function line_(
  id: string,
  state: string,
  name: string,
  exitCode: number,
  signal: number,
  [timeLimit = '', memory = '', partition = '', nodes = '', reason = '']: readonly (string | undefined)[],
): QueueLine {
  return { id, state, name, exitCode, signal, timeLimit, memory, partition, nodes, reason };
}

const WAITING = new Set(['PENDING', 'CONFIGURING', 'REQUEUED', 'REQUEUE_HOLD', 'REQUEUE_FED', 'SPECIAL_EXIT']);
const ENDED = new Set([
  'BOOT_FAIL',
  'CANCELLED',
  'COMPLETED',
  'DEADLINE',
  'FAILED',
  'NODE_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'REVOKED',
  'TIMEOUT',
]);
/** Slurm's own, where a signal's number would be: the job's output can't be opened on the node. */
const NO_OUTPUT = 53;

export function jobState(line: QueueLine): JobState {
  const { state, reason, exitCode, signal } = line;
  if (WAITING.has(state)) return { state: 'queued', reason };
  if (!ENDED.has(state)) return { state: 'running' };
  const error = errorOf(line);
  if (error !== undefined) return { state: 'ended', error };
  const died = signal > 0 ? signal : exitCode > 128 ? exitCode - 128 : 0;
  const name = SIGNALS.get(died);
  return {
    state: 'ended',
    reason: inSlurm(line),
    ...(name === undefined ? { exitCode } : { signal: name }),
  };
}

/** What Slurm did to it; undefined: it ended by itself. */
function errorOf(line: QueueLine): { readonly code: string; readonly message: string } | undefined {
  const { state, signal, timeLimit, memory, partition } = line;
  const its = inSlurm(line);
  switch (state) {
    case 'TIMEOUT':
      return {
        code: 'SLURM_LIMIT',
        message: `Slurm ended it at its time limit of ${timeLimit} (${its}); ask for more with \`time\`, within what partition ${partition} allows`,
      };
    case 'DEADLINE':
      return { code: 'SLURM_LIMIT', message: `Slurm ended it at its deadline (${its})` };
    case 'OUT_OF_MEMORY':
      return {
        code: 'SLURM_LIMIT',
        message: `Slurm killed it for its memory, of which it had ${memory} (${its}); ask for more with \`mem\` or memoryMb`,
      };
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return { code: 'SLURM_NODE_FAIL', message: `its node failed (${its})` };
    case 'PREEMPTED':
      return { code: 'SLURM_PREEMPTED', message: `Slurm gave its place to another job (${its})` };
    case 'CANCELLED':
    case 'REVOKED':
      return { code: 'SLURM_CANCELLED', message: `somebody cancelled its job in Slurm (${its})` };
    default:
      return signal === NO_OUTPUT
        ? {
            code: 'SLURM_FOLDER',
            message: `its job could not write to its folder (${its}); the agent's folder has to be on a disk that the nodes share`,
          }
        : undefined;
  }
}

/** `Slurm job 12: FAILED, NonZeroExitCode, on n1`. */
function inSlurm({ id, state, reason, nodes }: QueueLine): string {
  const why = reason === '' || reason === 'None' ? '' : `, ${reason}`;
  return `Slurm job ${id}: ${state}${why}${nodes === '' ? '' : `, on ${nodes}`}`;
}

const isSignal = (name: string): name is NodeJS.Signals => Object.hasOwn(constants.signals, name);
const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map(
  Object.entries(constants.signals)
    .reverse()
    .flatMap(([name, number]): [number, NodeJS.Signals][] => (isSignal(name) ? [[number, name]] : [])),
);
