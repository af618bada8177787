/**
 * The layout of `$POLARON_HOME`, and what of a hub's options `start` compares with a running one.
 * Not here: the hub file itself (bus/hub-file.ts), records of processes (instances.ts).
 */
import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import { polaronHome } from '../bus/hub-file.ts';
import { PolaronError } from '../model/errors.ts';
import { makeFolder } from '../store/make-folder.ts';

export { hubFilePath, readHubFile, removeHubFile, type HubFile } from '../bus/hub-file.ts';

export interface HomePaths {
  readonly home: string;
  /** Default data folder. */
  readonly data: string;
  /** What a detached hub says. */
  readonly logFile: string;
  /** One record per process of ours (instances.ts). */
  readonly run: string;
  /** Held while a hub starts (start-lock.ts). */
  readonly startLock: string;
}

/** Absolute paths below `$POLARON_HOME` (default `~/.polaron`). Touches no disk. */
export function homePaths(env: NodeJS.ProcessEnv = process.env): HomePaths {
  const home = resolve(polaronHome(env));
  return {
    home,
    data: join(home, 'data'),
    logFile: join(home, 'hub.log'),
    run: join(home, 'run'),
    startLock: join(home, 'start.lock'),
  };
}

/** Makes the home folder (0700) when missing. Raises DATA_NOT_WRITABLE. */
export function ensureHome(paths: HomePaths): void {
  try {
    makeFolder(paths.run);
    accessSync(paths.run, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PolaronError('DATA_NOT_WRITABLE', `folder ${paths.home} cannot be used: ${why}`, {
      cause,
      help: 'Mend its permissions, or set POLARON_HOME to another folder.',
    });
  }
}

/** What two starts must have in common to mean the same hub. The hub file's `options` holds it. */
export interface ComparableOptions {
  readonly data: string;
  readonly bus?: string;
  readonly slots: number;
  readonly agent: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly insecure: boolean;
  readonly isolateResults: boolean;
  readonly traceActors: boolean;
}

/** Those options of `o` that `start` compares, as plain JSON for the hub file. */
export function comparableOptions(o: ComparableOptions): Readonly<Record<string, unknown>> {
  return {
    data: o.data,
    slots: o.slots,
    agent: o.agent,
    insecure: o.insecure,
    isolateResults: o.isolateResults,
    traceActors: o.traceActors,
    ...(o.bus === undefined ? {} : { bus: o.bus }),
    ...(o.host === undefined ? {} : { host: o.host }),
    ...(o.port === undefined ? {} : { port: o.port }),
    ...(o.tls === undefined ? {} : { certFile: o.tls.certFile, keyFile: o.tls.keyFile }),
  };
}

/** Names of the options in which a running hub differs from what is asked for. Empty: the same. */
export function differingOptions(
  running: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): readonly string[] {
  const names = new Set([...Object.keys(running), ...Object.keys(wanted)]);
  return [...names].filter((name) => running[name] !== wanted[name]).sort();
}
