/** A context that collects what a command writes, and a hub that answers from data. */
import type { Context } from '../../../cli/context.ts';
import type { HostPort } from '../../../cli/host-port.ts';
import type { HubApi } from '../../../cli/hub-api.ts';
import { PolaronError } from '../../../model/errors.ts';
import { showFailure } from '../../../cli/failure.ts';
import { runProgram } from '../../../cli/program.ts';

export const NOW = Date.UTC(2026, 2, 1, 9, 5, 7);

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** Every state of the line at the bottom. */
  readonly statuses: readonly string[];
  readonly closed: boolean;
}

export interface FakeOptions {
  readonly hub?: Partial<HubApi>;
  readonly host?: Partial<HostPort>;
  readonly env?: NodeJS.ProcessEnv;
  readonly live?: boolean;
  readonly colour?: boolean;
  readonly self?: Context['self'];
  readonly signal?: AbortSignal;
  /** Called with each line on stdout. */
  readonly onOut?: (line: string) => void;
}

const missing = (what: string) => (): never => {
  throw new Error(`the fake has no ${what}`);
};

/** Runs `polaron <argv>` against the fake. */
export async function polaron(argv: readonly string[], options: FakeOptions = {}): Promise<Ran> {
  let out = '';
  let err = '';
  let closed = false;
  const statuses: string[] = [];
  const noHub = (): never => {
    throw new PolaronError('NO_HUB', 'no hub found: there is no hub.json');
  };
  const hub: HubApi = {
    status: missing('status'),
    agents: missing('agents'),
    drain: missing('drain'),
    list: missing('list'),
    snapshot: missing('snapshot'),
    logs: missing('logs'),
    attempts: missing('attempts'),
    why: missing('why'),
    cancel: missing('cancel'),
    redispatch: missing('redispatch'),
    purge: missing('purge'),
    backup: missing('backup'),
    result: missing('result'),
    graph: missing('graph'),
    watch: missing('watch'),
    ...options.hub,
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  };
  const context: Context = {
    terminal: {
      out: (line) => {
        out += `${line}\n`;
        options.onOut?.(line);
      },
      raw: (text) => {
        out += text;
      },
      err: (line) => {
        err += `${line}\n`;
      },
      status: (line) => {
        statuses.push(line);
      },
      live: options.live ?? false,
      colour: options.colour ?? false,
      columns: 100,
    },
    json: argv.includes('--json'),
    env: options.env ?? {},
    cwd: process.cwd(),
    self: options.self ?? { command: process.execPath, args: [] },
    now: () => NOW,
    connect: async () => (options.hub === undefined ? noHub() : hub),
    host: async () => ({
      prepareBackup: missing('prepareBackup'),
      checkFolder: missing('checkFolder'),
      compactData: missing('compactData'),
      examine: missing('examine'),
      prepareHub: missing('prepareHub'),
      startHub: missing('startHub'),
      runAgent: missing('runAgent'),
      ...options.host,
    }),
    interrupted: () => options.signal ?? new AbortController().signal,
  };
  const exit = await runProgram(context, argv).catch((error: unknown) => showFailure(context, error));
  return { exit, out, err, statuses, closed };
}
