/**
 * One attempt to connect to one server, which leaves nothing behind when it fails.
 * Not here: which server and when (dialler.ts). nats.js never dials again by itself: it would throw away what is queued, and could neither
 * re-read credentials nor move to another address.
 */
import type { ConnectionOptions } from '@nats-io/transport-node';
import { errors } from '@nats-io/transport-node';
import type { Link } from './link.ts';
import type { ServerAddress } from './server-address.ts';
import { Wire, WireLink } from './wire.ts';

export interface TlsOptions {
  /** PEM of the authority that signed the server's certificate. */
  readonly ca?: string;
  /** Talk to a server whose certificate can't be checked. */
  readonly insecureSkipVerify?: boolean;
}

export interface DialOptions {
  readonly server: ServerAddress;
  readonly name: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly tls?: TlsOptions;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type DialResult =
  | { readonly type: 'linked'; readonly link: Link }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'unreachable'; readonly reason: string };

/** Never rejects. */
export async function dial(options: DialOptions): Promise<DialResult> {
  const wire = new Wire(connectionOptions(options));
  const aborted = onAbort(options.signal);
  try {
    await Promise.race([wire.dialLoop(), aborted.promise]);
    return { type: 'linked', link: new WireLink(wire, options.server) };
  } catch (error) {
    wire.discard();
    const reason = reasonOf(error, options);
    return { type: isRefusal(error) ? 'refused' : 'unreachable', reason };
  } finally {
    aborted.stop();
  }
}

function connectionOptions(options: DialOptions): ConnectionOptions {
  const { server, tls } = options;
  const user = options.user ?? server.user;
  const password = options.user === undefined ? server.password : options.password;
  const token = options.token ?? server.token;
  return {
    servers: [server.hostPort],
    name: options.name,
    timeout: options.timeoutMs,
    noAsyncTraces: true,
    reconnect: false,
    ignoreClusterUpdates: true,
    ...(user === undefined ? {} : { user, pass: password ?? '' }),
    ...(token === undefined ? {} : { token }),
    ...(server.tls || tls !== undefined ? { tls: tlsOptions(tls) } : {}),
  };
}

function tlsOptions(tls: TlsOptions | undefined): NonNullable<ConnectionOptions['tls']> {
  return {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;
}

function reasonOf(error: unknown, options: DialOptions): string {
  if (error instanceof errors.TimeoutError) return `no answer within ${options.timeoutMs} ms`;
  if (!(error instanceof Error)) return 'connection lost';
  const text = error.message.replaceAll(/\s+/g, ' ').trim();
  return text === '' || text === 'timeout' ? `no answer within ${options.timeoutMs} ms` : text;
}

/** A promise that rejects when the signal says so, and lets go of the signal afterwards. */
function onAbort(signal: AbortSignal): { readonly promise: Promise<never>; stop(): void } {
  let listener = (): void => undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    listener = () => reject(new Error('closed while dialling'));
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener);
  });
  promise.catch(() => undefined);
  return { promise, stop: () => signal.removeEventListener('abort', listener) };
}
