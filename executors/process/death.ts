/** Why a runner process died, as the error of the electron that was running. Pure. */
import type { ErrorInfo } from '../../model/outcome.ts';

export interface Death {
  /** It was a thread that ended. */
  readonly thread?: { readonly heapFull: boolean };
  /** Why its place couldn't be reached any more. */
  readonly error?: ErrorInfo;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last of what the process wrote to stderr. */
  readonly stderr: string;
  /** The agent killed it for its memory. */
  readonly overMemory: boolean;
  readonly memoryMb: number | undefined;
}

const HEAP =
  /(FATAL ERROR|Fatal JavaScript).*(heap|memory|Allocation failed|invalid array length)|JavaScript heap out of memory/i;

const limitOf = ({ memoryMb }: Death): string =>
  memoryMb === undefined ? 'the default limit' : `its limit of ${memoryMb} MiB`;

/** Of a thread it is known, unless the whole process died. */
const heapFull = ({ thread, signal, stderr }: Death): boolean =>
  thread?.heapFull === true || ((thread === undefined || signal !== null) && HEAP.test(stderr));

/** The agent's own reasons go first; then the heap's last words, the signal, the exit code. */
export function causeOfDeath(electron: string, death: Death): ErrorInfo {
  if (death.error !== undefined) return { ...death.error, message: `electron "${electron}": ${death.error.message}` };
  const limit = limitOf(death);
  if (death.overMemory) {
    return {
      code: 'MEMORY_LIMIT',
      message: `electron "${electron}": its process went over ${limit} and was killed; raise memoryMb, or use less`,
    };
  }
  const what = death.thread === undefined ? 'process' : 'thread';
  if (heapFull(death)) {
    return {
      code: 'OUT_OF_MEMORY',
      message: `electron "${electron}": its ${what} ran out of heap (${limit}); raise memoryMb, or use less`,
    };
  }
  if (death.signal !== null) {
    return {
      code: 'CRASHED',
      message: `electron "${electron}": its process died by ${death.signal}${lastLine(death.stderr)}`,
    };
  }
  return {
    code: 'EXITED',
    message: `electron "${electron}": ended its ${what} with exit code ${death.code ?? 'unknown'}; return or throw instead of process.exit()`,
  };
}

/** A load's error as that of one electron. */
export function loadErrorOf(electron: string, error: ErrorInfo): ErrorInfo {
  return {
    ...error,
    message: error.message.replace(/^the code of this dispatch/, `the module of electron '${electron}'`),
  };
}

/** A process that died before its code was loaded. */
export function loadDeath(death: Death): ErrorInfo {
  if (death.error !== undefined) return death.error;
  const limit = limitOf(death);
  if (death.overMemory)
    return {
      code: 'MEMORY_LIMIT',
      message: `the code of this dispatch went over ${limit} while it was loaded; raise memoryMb, or use less`,
    };
  if (heapFull(death))
    return {
      code: 'OUT_OF_MEMORY',
      message: `the code of this dispatch ran out of heap while it was loaded (${limit}); raise memoryMb, or use less`,
    };
  const how = death.signal === null ? `ended with exit code ${death.code ?? 'unknown'}` : `died by ${death.signal}`;
  return {
    code: 'BUNDLE_LOAD',
    message: `the runner process ${how} while it loaded the code${lastLine(death.stderr)}`,
  };
}

function lastLine(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  return line === '' ? '' : `: ${line.slice(0, 300)}`;
}
