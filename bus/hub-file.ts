/**
 * How a process finds the hub of this machine: `$POLARON_HOME/hub.json` (mode 0600), written by the hub when it is ready and removed when it stops.
 * It holds credentials; a file left by a killed hub is harmless, since whoever reads it finds out by dialling.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isToken } from '../model/ids.ts';

export interface HubFile {
  readonly version: string;
  readonly pid: number;
  readonly node: string;
  /** Bus URL without credentials, for people. */
  readonly bus: string;
  /** Bus URL with the user's credentials. */
  readonly userUrl: string;
  /** The URL is this machine's own hub behind TLS, dialled by address: its certificate names another host and isn't checked. */
  readonly ownTls?: boolean;
  /** Subject token of the user. */
  readonly user: string;
  readonly data: string;
  readonly logFile?: string;
  readonly startedAt: number;
  /** What it was started with; `start` compares them. */
  readonly options: Readonly<Record<string, unknown>>;
}

export const polaronHome = (env: NodeJS.ProcessEnv = process.env): string =>
  env['POLARON_HOME'] ?? join(homedir(), '.polaron');
export const hubFilePath = (home: string): string => join(home, 'hub.json');

/** The hub file's content, or undefined when there is none or it can't be read. */
export function readHubFile(home: string): HubFile | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(hubFilePath(home), 'utf8'));
    return isHubFile(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

export function writeHubFile(home: string, file: HubFile): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const temporary = `${hubFilePath(home)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, hubFilePath(home));
}

/** Removes the file if it is still the one of `pid`. */
export function removeHubFile(home: string, pid: number): void {
  if (readHubFile(home)?.pid === pid) rmSync(hubFilePath(home), { force: true });
}

function isHubFile(x: unknown): x is HubFile {
  return (
    typeof x === 'object' &&
    x !== null &&
    'pid' in x &&
    typeof x.pid === 'number' &&
    'userUrl' in x &&
    typeof x.userUrl === 'string' &&
    'bus' in x &&
    typeof x.bus === 'string' &&
    'user' in x &&
    isToken(x.user) &&
    'data' in x &&
    typeof x.data === 'string' &&
    'version' in x &&
    typeof x.version === 'string' &&
    'options' in x
  );
}
