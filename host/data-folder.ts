/**
 * What the data folder keeps besides the store: the hub's name and secret, the address it listened at, and how its local agent dials it.
 * Files are 0600: who reads them is the hub.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PolaronError } from '../model/errors.ts';
import { isToken } from '../model/ids.ts';
import { makeFolder } from '../store/make-folder.ts';

export interface HubIdentity {
  /** Part of every dispatch id. */
  readonly node: string;
  /** Credentials are made from it. */
  readonly secret: string;
  /** Where the embedded broker listened last; 0: nowhere yet. */
  readonly port: number;
}

/** How the local agent dials: read again at each dial. */
export interface AgentTarget {
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
  /** See HubFile.ownTls. */
  readonly ownTls?: boolean;
}

/** Its name in the data folder. */
export const IDENTITY_FILE = 'hub-identity.json';
const identityFile = (data: string): string => join(data, IDENTITY_FILE);
export const agentTargetFile = (data: string): string => join(data, 'agent-bus.json');

/** Makes the folder when missing. Raises DATA_NOT_WRITABLE. */
export function ensureDataFolder(data: string): void {
  try {
    makeFolder(data);
  } catch (cause) {
    throw new PolaronError(
      'DATA_NOT_WRITABLE',
      `data folder ${data} can't be made: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** Undefined when there is none, or it can't be read. */
export function readIdentity(data: string): HubIdentity | undefined {
  const found = readJson(identityFile(data));
  return isIdentity(found) ? found : undefined;
}

/** The hub's identity, made at the first start. */
export function loadIdentity(data: string): HubIdentity {
  const found = readIdentity(data);
  if (found !== undefined) return found;
  const identity: HubIdentity = {
    node: `h${randomBytes(3).toString('hex')}`,
    secret: randomBytes(32).toString('base64url'),
    port: 0,
  };
  saveIdentity(data, identity);
  return identity;
}

export const saveIdentity = (data: string, identity: HubIdentity): void => writeJson(identityFile(data), identity);
export const saveAgentTarget = (data: string, target: AgentTarget): void => writeJson(agentTargetFile(data), target);

/** Undefined when there is none. */
export function readAgentTarget(file: string): AgentTarget | undefined {
  const found = readJson(file);
  return isTarget(found) ? found : undefined;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Renamed into place whole, and durable: a hub that lost its name to a power cut would be another hub, to which its own dispatches belong no more. */
function writeJson(file: string, value: unknown): void {
  const temporary = `${file}.${process.pid}`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    writeFileSync(fd, `${JSON.stringify(value, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

const isIdentity = (x: unknown): x is HubIdentity =>
  typeof x === 'object' &&
  x !== null &&
  'node' in x &&
  isToken(x.node) &&
  'secret' in x &&
  typeof x.secret === 'string' &&
  'port' in x &&
  typeof x.port === 'number';

const isTarget = (x: unknown): x is AgentTarget =>
  typeof x === 'object' && x !== null && 'url' in x && typeof x.url === 'string';
