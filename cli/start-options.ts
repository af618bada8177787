/** Options of `polaron start` → a complete description of the hub, which a detached process is told as JSON. */
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { PolaronError } from '../model/errors.ts';
import type { HomePaths } from '../host/home.ts';
import { thisMachine } from '../host/machine.ts';
import type { HubStartOptions } from './host-port.ts';

/** As commander hands them over. */
export interface StartArguments {
  readonly bus?: string;
  readonly data?: string;
  readonly slots?: number;
  /** False with --no-agent. */
  readonly agent: boolean;
  readonly detach?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
  readonly isolate?: 'results';
  readonly traceActors?: boolean;
}

export type ResolvedStart = Omit<HubStartOptions, 'log' | 'logFile'>;

/** Paths become absolute, so that a detached hub may live in another folder. Raises USAGE, INSECURE_LISTEN. */
export function resolveStart(args: StartArguments, paths: HomePaths, cwd: string): ResolvedStart {
  const { bus, host, port } = args;
  if (bus !== undefined) refuseBrokerOptions(args);
  const tls = tlsOf(args, cwd);
  const insecure = args.insecure ?? false;
  if (host !== undefined && !isLoopback(host) && tls === undefined && !insecure) {
    throw new PolaronError('INSECURE_LISTEN', `the bus would listen at ${host} without TLS`);
  }
  return {
    home: paths.home,
    data: args.data === undefined ? paths.data : resolve(cwd, args.data),
    slots: args.slots ?? thisMachine().cpus,
    agent: args.agent,
    insecure,
    isolateResults: args.isolate === 'results',
    traceActors: args.traceActors ?? false,
    ...(bus === undefined ? {} : { bus: checkedBus(bus) }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function refuseBrokerOptions(args: StartArguments): void {
  const given = [
    args.host === undefined ? '' : '--host',
    args.port === undefined ? '' : '--port',
    args.tlsCert === undefined ? '' : '--tls-cert',
    args.tlsKey === undefined ? '' : '--tls-key',
  ].filter((name) => name !== '');
  if (given.length === 0) return;
  throw new PolaronError('USAGE', `${given.join(', ')} can't be used with --bus`, {
    help: 'They are about the embedded broker; with --bus there is none.',
  });
}

function tlsOf(args: StartArguments, cwd: string): HubStartOptions['tls'] {
  const { tlsCert, tlsKey } = args;
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new PolaronError('USAGE', `--tls-${tlsCert === undefined ? 'cert' : 'key'} is missing`, {
      help: 'Give --tls-cert and --tls-key together.',
    });
  }
  return { certFile: readable(resolve(cwd, tlsCert)), keyFile: readable(resolve(cwd, tlsKey)) };
}

function readable(file: string): string {
  try {
    accessSync(file, constants.R_OK);
    return file;
  } catch (cause) {
    throw new PolaronError('USAGE', `file ${file} can't be read`, { cause, help: 'Give the path of a PEM file.' });
  }
}

/** Raises USAGE for what isn't a bus URL. The scheme is optional, several are separated by commas. */
export function checkedBus(text: string): string {
  for (const part of text.split(',')) {
    const url = part.trim();
    if (!URL.canParse(url.includes('://') ? url : `nats://${url}`) || url === '') {
      throw new PolaronError('USAGE', `${JSON.stringify(withoutPassword(text))} is not a bus URL`, {
        help: 'Give one like nats://host:4222.',
      });
    }
  }
  return text;
}

/** A bus URL for people: no password, no token. */
export const withoutPassword = (url: string): string => url.replaceAll(/(^|\/\/|,)[^/@,]*@/g, '$1');

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
