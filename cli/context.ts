/** What every command gets, and nothing else: where to write, whom to ask, what time it is. */
import type { HostPort } from './host-port.ts';
import type { HubApi } from './hub-api.ts';
import type { Terminal } from './terminal.ts';

export interface Context {
  readonly terminal: Terminal;
  /** `--json`: stdout is JSON only. */
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** How this program is run, to run it again: command and its arguments before the subcommand. */
  readonly self: { readonly command: string; readonly args: readonly string[] };
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
