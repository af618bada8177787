/** Bus URLs: `nats://` or `tls://`, with or without credentials. Not here: dialling one (dial.ts). */
import { PolaronError } from '../../model/errors.ts';

export interface ServerAddress {
  /** `host:port`, as nats.js takes it. */
  readonly hostPort: string;
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** For people: without password and token. */
  readonly shown: string;
}

const DEFAULT_PORT = '4222';

/** Raises USAGE for what is no bus URL. The text is shown without its credentials. */
export function parseServer(text: string): ServerAddress {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `nats://${text}`;
  // `URL` treats unknown schemes loosely; with http it checks host and port.
  const scheme = full.slice(0, full.indexOf(':')).toLowerCase();
  let url: URL | undefined;
  try {
    url = new URL(full.replace(/^[^:]+/, 'http'));
  } catch {
    url = undefined;
  }
  if (url === undefined || (scheme !== 'nats' && scheme !== 'tls') || url.hostname === '') {
    const shown = text.replace(/\/\/[^@/]*@/, '//…@');
    throw new PolaronError(
      'USAGE',
      `${JSON.stringify(shown)} is not a bus URL; expected nats://host:port or tls://host:port`,
    );
  }
  // With the scheme http, port 80 is not shown.
  const port = url.port !== '' ? url.port : /:80(\/|$)/.test(full) ? '80' : DEFAULT_PORT;
  const hostPort = `${url.hostname}:${port}`;
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const credentials =
    user === ''
      ? {}
      : url.password === '' && !/:[^/]*@/.test(full.slice(full.indexOf('//')))
        ? { token: user }
        : { user, password };
  return { hostPort, tls: scheme === 'tls', ...credentials, shown: `${scheme}://${hostPort}` };
}
