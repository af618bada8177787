/**
 * Arguments of the machine's own `ssh`. It brings the user's configuration, agents, certificates and hardware keys along; what matters here is set whatever that configuration says:
 * no question is ever asked, host keys are known beforehand, and nothing is forwarded. Hosts in between are reached by `ssh -W` of our own making: options on the command line hold for
 * the last host only, and a jump host is to be checked as strictly. Not here: what is run over there (bootstrap.ts), what ssh says when it fails (ssh-failure.ts).
 */
import type { SshOptions } from './ssh-options.ts';

/** A dead connection is noticed after about three of them. */
const ALIVE_S = 5;
const CONNECT_S = 10;

const always = [
  ['BatchMode', 'yes'],
  ['StrictHostKeyChecking', 'yes'],
  ['ConnectTimeout', String(CONNECT_S)],
  ['ConnectionAttempts', '1'],
  ['ServerAliveInterval', String(ALIVE_S)],
  ['ServerAliveCountMax', '3'],
  ['ClearAllForwardings', 'yes'],
  ['ForwardAgent', 'no'],
  ['ForwardX11', 'no'],
  ['PermitLocalCommand', 'no'],
  ['ControlMaster', 'no'],
  ['ControlPath', 'none'],
  ['RequestTTY', 'no'],
  ['EscapeChar', 'none'],
  ['LogLevel', 'ERROR'],
  ['RemoteCommand', 'none'],
] as const;

interface Hop {
  readonly host: string;
  readonly user?: string;
  readonly port?: string;
}

/** Arguments that run `command`, a line for the shell of the user over there. */
export function sshArguments(options: SshOptions, command: string): string[] {
  const { host, user, port, jump = [] } = options;
  const target: Hop = {
    host: host.replaceAll(/[[\]]/g, ''),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: String(port) }),
  };
  return [...hopArguments(options, target, jump.map(hopOf)), '--', target.host, command];
}

function hopArguments(options: SshOptions, { user, port }: Hop, through: readonly Hop[]): string[] {
  const { identityFile, knownHosts } = options;
  const set = always.flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  if (identityFile !== undefined) set.push('-i', identityFile, '-o', 'IdentitiesOnly=yes');
  if (knownHosts !== undefined)
    set.push('-o', `UserKnownHostsFile="${knownHosts.replaceAll('%', '%%')}"`, '-o', 'GlobalKnownHostsFile=/dev/null');
  if (user !== undefined) set.push('-l', user);
  if (port !== undefined) set.push('-p', port);
  const last = through.at(-1);
  if (last === undefined) return set;
  // expanded by the ssh that runs it: what is for a further one is protected
  const inner = ['ssh', ...hopArguments(options, last, through.slice(0, -1))].map((word) =>
    shellWord(word).replaceAll('%', '%%'),
  );
  return [...set, '-o', `ProxyCommand=${inner.join(' ')} -W '[%h]:%p' -- ${shellWord(last.host)}`];
}

function hopOf(text: string): Hop {
  const at = text.lastIndexOf('@');
  const place = text.slice(at + 1);
  const port = /^(?:[^:]+|\[.*\]):(\d+)$/.exec(place)?.[1];
  const host = (port === undefined ? place : place.slice(0, -port.length - 1)).replaceAll(/[[\]]/g, '');
  return { host, ...(at === -1 ? {} : { user: text.slice(0, at) }), ...(port === undefined ? {} : { port }) };
}

/** One word for any usual shell. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
