/**
 * Which bus to dial, and as whom: option `bus`, else POLARON_URL, else the hub file of this machine.
 * Pure but for reading that file; it is read again at each dial, since a restarted hub may listen elsewhere.
 * Not here: dialling (connection.ts).
 */
import { userInfo } from 'node:os';
import { hubFilePath, polaronHome, readHubFile } from '../../bus/hub-file.ts';
import { PolaronError } from '../../model/errors.ts';
import { toToken } from '../../model/ids.ts';

export interface TargetOptions {
  /** Bus URL, e.g. `nats://host:4222`; several are separated by commas. */
  readonly bus?: string | undefined;
  /** Who to be on the bus. @default the URL's user, else the name of the OS user */
  readonly user?: string | undefined;
  /** `user:password` for the bus. @default those in the URL, else none */
  readonly credentials?: string | undefined;
}

/** What to dial. */
export interface Target {
  /** Server URLs without credentials. */
  readonly servers: readonly string[];
  /** Subject token: `polaron.api.<user>.…`. */
  readonly user: string;
  /** For the bus: `u.<user>`. */
  readonly identity: string;
  readonly login?: { readonly user: string; readonly password: string };
  /** See HubFile.ownTls. */
  readonly ownTls?: boolean;
  /** Where the address came from, for messages: `POLARON_URL`, `option bus`, or the hub file's path. */
  readonly from: string;
}

/** Environment and file system as this module sees them. */
export interface TargetSources {
  readonly env: NodeJS.ProcessEnv;
  readonly osUser: () => string;
}

export const realSources: TargetSources = { env: process.env, osUser: osUserName };

/** Raises NO_HUB, in one line that says what was tried and what to do. */
export function resolveTarget(options: TargetOptions, sources: TargetSources = realSources): Target {
  if (options.bus !== undefined && options.bus !== '') return fromUrl(options.bus, 'option bus', options, sources);
  const url = sources.env['POLARON_URL'];
  if (url !== undefined && url !== '') return fromUrl(url, 'POLARON_URL', options, sources);
  const home = polaronHome(sources.env);
  const file = readHubFile(home);
  if (file === undefined) {
    throw new PolaronError(
      'NO_HUB',
      `no hub found: POLARON_URL is not set and there is no ${hubFilePath(home)}; run \`polaron start\`, or set POLARON_URL`,
      { details: { tried: ['POLARON_URL', hubFilePath(home)] } },
    );
  }
  const target = fromUrl(file.userUrl, hubFilePath(home), { user: file.user, ...given(options) }, sources);
  return file.ownTls === true ? { ...target, ownTls: true } : target;
}

const given = (o: TargetOptions): TargetOptions => ({
  ...(o.user === undefined ? {} : { user: o.user }),
  ...(o.credentials === undefined ? {} : { credentials: o.credentials }),
});

function fromUrl(text: string, from: string, options: TargetOptions, sources: TargetSources): Target {
  const urls = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseUrl(part, from));
  if (urls.length === 0) throw badUrl(text, from);
  const signed = urls.find((url) => url.username !== '');
  const login = loginOf(options.credentials, signed);
  const user = options.user ?? userOf(login) ?? sources.osUser();
  const token = userToken(user);
  return {
    servers: urls.map((url) => `${url.protocol}//${url.host}`),
    user: token,
    identity: `u.${token}`,
    from,
    ...(login === undefined ? {} : { login }),
  };
}

/** The scheme is optional, as with the `nats` CLI. */
function parseUrl(text: string, from: string): URL {
  try {
    const url = new URL(text.includes('://') ? text : `nats://${text}`);
    if (url.hostname === '') throw badUrl(text, from);
    return url;
  } catch (error) {
    throw error instanceof PolaronError ? error : badUrl(text, from);
  }
}

const badUrl = (text: string, from: string): PolaronError =>
  new PolaronError(
    'NO_HUB',
    `${from} is ${JSON.stringify(withoutPassword(text))}, which is not a bus URL; expected nats://host:4222`,
    { details: { from } },
  );

const withoutPassword = (text: string): string => text.replaceAll(/:[^:@/]*@/g, ':…@');

function loginOf(credentials: string | undefined, url: URL | undefined): Target['login'] {
  if (credentials !== undefined) {
    const cut = credentials.indexOf(':');
    if (cut <= 0) {
      throw new PolaronError('USAGE', 'option `credentials` must be "user:password", as the hub\'s operator gave them');
    }
    return { user: credentials.slice(0, cut), password: credentials.slice(cut + 1) };
  }
  if (url === undefined) return undefined;
  return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}

/** Bus users are called `u.<user token>`; another login name is its own user. */
function userOf(login: Target['login']): string | undefined {
  if (login === undefined) return undefined;
  return login.user.startsWith('u.') ? login.user.slice(2) : login.user;
}

/** Long names are cut: a token has at most 48 characters. */
const userToken = (user: string): string => toToken(user.slice(0, 48));

function osUserName(): string {
  try {
    return userInfo().username;
  } catch {
    // No passwd entry, as in some containers.
    return process.env['USER'] ?? 'user';
  }
}

/** How messages name a target: where it is and where that was found. */
export const describeTarget = (target: Target): string => `${target.servers.join(', ')} (${target.from})`;
