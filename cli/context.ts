/** What every command gets, and nothing else: where to write, whom to ask, what time it is. */
import type { DetachedProcess } from '../host/detach.ts';
import type { Self } from './early-hub.ts';
import type { HostPort } from './host-port.ts';
import type { HubApi } from './hub-api.ts';
import type { Terminal } from './terminal.ts';

export interface Context {
  readonly terminal: Terminal;
  /** `--json`: stdout is JSON only. */
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly self: Self;
  /** A detached hub's process that was begun before its options were read. */
  readonly begun?: DetachedProcess;
  /** Wall clock, ms. */
  readonly now: () => number;
  /** Raises NO_HUB, AUTH_FAILED. */
  connect(): Promise<HubApi>;
  host(): Promise<HostPort>;
  /** Aborts at SIGINT or SIGTERM. The second such signal ends the process. */
  interrupted(): AbortSignal;
}

/** Runs `body` with a connection that is closed afterwards. */
export async function withHub<T>(context: Context, body: (hub: HubApi) => Promise<T>): Promise<T> {
  const hub = await context.connect();
  try {
    return await body(hub);
  } finally {
    await hub.close();
  }
}

/** Writes the one JSON document, or one of the lines of `watch` and `logs`. */
export const writeJson = (context: Context, document: unknown): void => context.terminal.out(JSON.stringify(document));
