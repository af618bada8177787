/** Reads the JSON of a CONNECT. Not here: what follows from it (client.ts). */

/** What a client says of itself, with the protocol's defaults filled in. */
export interface ConnectFields {
  readonly name: string;
  readonly verbose: boolean;
  readonly pedantic: boolean;
  readonly echo: boolean;
  readonly headers: boolean;
  readonly noResponders: boolean;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

const BEFORE_CONNECT: ConnectFields = {
  name: '',
  verbose: true,
  pedantic: true,
  echo: true,
  headers: false,
  noResponders: false,
};

/** The fields of a CONNECT, with the protocol's defaults; undefined when it isn't a JSON object or a field has a wrong type. */
export function readConnect(json: string): ConnectFields | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const given = new Map<string, unknown>(Object.entries(parsed));
  const flag = (name: string, otherwise: boolean): boolean => {
    const value = given.get(name);
    return typeof value === 'boolean' ? value : otherwise;
  };
  const text = (name: string): string | undefined => {
    const value = given.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const user = text('user');
  const pass = text('pass');
  const token = text('auth_token');
  return {
    name: text('name') ?? '',
    verbose: flag('verbose', BEFORE_CONNECT.verbose),
    pedantic: flag('pedantic', BEFORE_CONNECT.pedantic),
    echo: flag('echo', BEFORE_CONNECT.echo),
    headers: flag('headers', BEFORE_CONNECT.headers),
    noResponders: flag('no_responders', BEFORE_CONNECT.noResponders),
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
  };
}
