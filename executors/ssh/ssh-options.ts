/** What an electron says of the host that it wants: `executor: { type: 'ssh', host: 'gpu1', … }`, checked. Not here: ssh's own arguments (ssh-command.ts). */
import { PolaronError } from '../../model/errors.ts';

/** What `executor: { type: 'ssh', … }` takes. */
export interface SshOptions {
  /** Name, address, or an alias of the agent's ssh configuration. */
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** File of a private key, on the agent. @default what ssh's configuration and agent offer */
  readonly identityFile?: string;
  /** Hosts to go through, in order: `user@host:port`. */
  readonly jump?: readonly string[];
  /** File with the host's key, on the agent. @default ssh's own */
  readonly knownHosts?: string;
  /** Path of Node.js over there. @default the one of its PATH, else of its login shell */
  readonly node?: string;
  /** Folder over there for what Polaron keeps. @default ~/.cache/polaron */
  readonly folder?: string;
  /** Variables of user code, over those of the host. */
  readonly env?: Readonly<Record<string, string>>;
  /** Electrons at once. @default the agent's slots */
  readonly slots?: number;
  /** How long what runs there is kept when the agent can't be reached, ms. @default 900000 */
  readonly leaseMs?: number;
}

export const DEFAULT_LEASE_MS = 15 * 60 * 1_000;
const SHORTEST_LEASE_MS = 2_000;
const LONGEST_LEASE_MS = 7 * 24 * 60 * 60 * 1_000;

type Check = (value: unknown) => string | undefined;

const matching =
  (pattern: RegExp, what: string): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? undefined : what;
const wholeFrom =
  (min: number, max: number): Check =>
  (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? undefined
      : `a whole number from ${min} to ${max}`;

// nothing that ssh could take for an option, or a shell for anything
const HOST = String.raw`(?:[A-Za-z0-9_][\w.-]*(?:%\w+)?|\[?[0-9a-fA-F:]*:[0-9a-fA-F:.]*(?:%\w+)?\]?)`;
const USER = String.raw`[A-Za-z0-9_][\w.@+-]*`;
const aHost = matching(new RegExp(`^${HOST}$`), 'the name or address of a host');
const aPath = matching(/^(?!-)[^\0\n\r"]+$/, 'the path of a file');
const fromRoot = matching(/^\/[^\0\n\r]*$/, 'an absolute path');
const JUMP = new RegExp(`^(?:${USER}@)?${HOST}(?::\\d{1,5})?$`);

const checks: Readonly<Record<keyof SshOptions, Check>> = {
  host: aHost,
  user: matching(new RegExp(`^${USER}$`), 'the name of a user'),
  port: wholeFrom(1, 65_535),
  identityFile: aPath,
  jump: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && JUMP.test(each))
      ? undefined
      : 'a list of hosts to go through, each as user@host:port',
  knownHosts: aPath,
  node: fromRoot,
  folder: fromRoot,
  env: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(([name, text]) => /^[A-Za-z_]\w*$/.test(name) && typeof text === 'string')
      ? undefined
      : 'an object of texts by the names of variables',
  slots: wholeFrom(1, 10_000),
  leaseMs: wholeFrom(SHORTEST_LEASE_MS, LONGEST_LEASE_MS),
};

const isOption = (name: string): name is keyof SshOptions => Object.hasOwn(checks, name);
const isSshOptions = (options: object): options is SshOptions => 'host' in options;

/** Raises EXECUTOR_OPTION, which names the option. */
export function checkSshOptions(given: Readonly<Record<string, unknown>> | undefined): SshOptions {
  const options = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined));
  for (const [name, value] of Object.entries(options)) {
    if (!isOption(name)) throw wrong(name, `is none; it takes ${Object.keys(checks).join(', ')}`);
    const expected = checks[name](value);
    if (expected !== undefined) throw wrong(name, `is ${shown(value)}; expected ${expected}`);
  }
  if (!isSshOptions(options)) throw wrong('host', `is missing: say which one, { type: 'ssh', host: 'gpu1' }`);
  return options;
}

const wrong = (option: string, what: string): PolaronError =>
  new PolaronError('EXECUTOR_OPTION', `executor "ssh": option "${option}" ${what}`, { details: { option } });

const shown = (value: unknown): string => (JSON.stringify(value) ?? typeof value).slice(0, 80);
