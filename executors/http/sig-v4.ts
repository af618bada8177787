/**
 * Signs a request as AWS asks for it: Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Pure.
 * Not for S3, whose paths are encoded once only. Not here: where credentials come from (allowed.ts), sending (post.ts).
 */
import { createHash, createHmac } from 'node:crypto';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** A request as it goes over the wire. */
export interface SignedParts {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** All that are to be signed, `host` among them; a name may come again. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | string;
}

export interface Signing {
  readonly credentials: AwsCredentials;
  readonly region: string;
  readonly service: string;
  /** Wall clock, ms since 1970. AWS refuses one that is 5 minutes off. */
  readonly at: number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** The headers that make it a signed one. */
export function signatureHeaders(parts: SignedParts, signing: Signing): Readonly<Record<string, string>> {
  const { credentials, region, service } = signing;
  const time = new Date(signing.at).toISOString().replace(/[-:]|\.\d+/g, '');
  const date = time.slice(0, 8);
  const own = {
    'x-amz-date': time,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const headers = canonicalHeaders([...parts.headers, ...Object.entries(own)]);
  const names = [...headers.keys()].join(';');
  const canonical = [parts.method, ...canonicalTarget(parts.target)];
  for (const [name, value] of headers) canonical.push(`${name}:${value}`);
  canonical.push('', names, sha256(parts.body));
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = [ALGORITHM, time, scope, sha256(canonical.join('\n'))].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<Uint8Array | string>(
    hmac,
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = Buffer.from(hmac(key, toSign)).toString('hex');
  const credential = `${credentials.accessKeyId}/${scope}`;
  return {
    ...own,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: Uint8Array | string, data: string): Uint8Array => createHmac('sha256', key).update(data).digest();

/** By name, values trimmed, those of one name joined in their order. */
function canonicalHeaders(headers: SignedParts['headers']): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = all.get(key);
    const trimmed = value.trim().replace(/ +/g, ' ');
    all.set(key, before === undefined ? trimmed : `${before},${trimmed}`);
  }
  return new Map([...all].sort(byText));
}

/** Path, without dots and empty steps and encoded once more than it is, and query, sorted. */
function canonicalTarget(target: string): readonly [path: string, query: string] {
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '..') steps.pop();
    else if (step !== '' && step !== '.') steps.push(encoded(step));
  }
  const folder = steps.length > 0 && /\/\.{0,2}$/.test(path) ? '/' : '';
  return [`/${steps.join('/')}${folder}`, at < 0 ? '' : canonicalQuery(target.slice(at + 1))];
}

function canonicalQuery(query: string): string {
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair): readonly [string, string] => {
      const [name = '', ...value] = pair.split('=');
      return [encoded(decoded(name)), encoded(decoded(value.join('=')))];
    });
  return pairs
    .sort(byText)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** RFC 3986: all but letters, digits and `-._~`. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As bytes of ASCII are sorted, whatever the language of the machine. */
function byText([a, x]: readonly [string, string], [b, y]: readonly [string, string]): number {
  if (a !== b) return a < b ? -1 : 1;
  return x === y ? 0 : x < y ? -1 : 1;
}
