/** Exit codes, and which one an error gets. docs/cli.md has the same table (a test compares). */
import type { DispatchStatus } from '../model/lifecycle.ts';
import type { ErrorCode } from '../model/errors.ts';

export const exitCodes = { ok: 0, failed: 1, usage: 2, noHub: 3, notFinished: 4 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Error codes that don't exit with 1. */
export const exitCodeOf: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  USAGE: 2,
  NODE_TOO_OLD: 2,
  BAD_SUBJECT: 2,
  BAD_REQUEST: 2,
  INSECURE_LISTEN: 2,
  ALREADY_RUNNING: 2,
  UNKNOWN_DISPATCH: 2,
  UNKNOWN_ELECTRON: 2,
  UNKNOWN_AGENT: 2,
  NOT_OWNER: 2,
  NO_HUB: 3,
  NO_RESPONDERS: 3,
  AUTH_FAILED: 3,
  BUS_CLOSED: 3,
  BUS_DISCONNECTED: 3,
  REQUEST_TIMEOUT: 3,
  WAIT_TIMEOUT: 4,
};

export const exitOfDispatch: Readonly<Record<DispatchStatus, ExitCode>> = {
  accepted: 4,
  running: 4,
  completed: 0,
  failed: 1,
  cancelled: 1,
};
