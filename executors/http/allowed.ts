/**
 * Where electrons may be sent, and with whose credentials: what the operator says in the agent's settings, never the electron.
 * An electron that could name any address would make the agent call services that only its network reaches. Not here: the request (post.ts).
 */
import { PolaronError } from '../../model/errors.ts';
import { signatureHeaders, type AwsCredentials } from './sig-v4.ts';

/** One entry of `allow`. */
interface Entry {
  readonly url: URL;
  readonly bearer: string | undefined;
  readonly aws: { readonly region: string; readonly service: string; readonly credentials: AwsCredentials } | undefined;
}

export interface HttpSettings {
  readonly allow: readonly Entry[];
  /** Longest time without a byte of an answer, ms. */
  readonly waitMs: number | undefined;
  readonly maxRequestBytes: number | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;
type Fields = Readonly<Record<string, unknown>>;

const EXAMPLE = 'executors: [{ http: { allow: ["https://functions.example/run"] } }]';
const KEYS = ['allow', 'waitMs', 'maxRequestBytes'];
const ENTRY_KEYS = ['url', 'bearerEnv', 'aws'];
const AWS_KEYS = ['region', 'service'];

const refused = (what: string): PolaronError => new PolaronError('EXECUTOR_SETUP', `executor "http": ${what}`);
const isFields = (x: unknown): x is Fields => typeof x === 'object' && x !== null && !Array.isArray(x);

/** Raises EXECUTOR_SETUP, which says the setting. */
export function readSettings(settings: Fields, env: Env): HttpSettings {
  known(settings, KEYS, 'setting');
  const { allow } = settings;
  if (!Array.isArray(allow) || allow.length === 0)
    throw refused(`no URL is allowed; say in agent.yaml which ones electrons may be sent to: ${EXAMPLE}`);
  return {
    allow: allow.map((entry: unknown) => readEntry(entry, env)),
    waitMs: positive(settings, 'waitMs'),
    maxRequestBytes: positive(settings, 'maxRequestBytes'),
  };
}

function known(fields: Fields, names: readonly string[], what: string): void {
  const strange = Object.keys(fields).find((name) => !names.includes(name));
  if (strange !== undefined) throw refused(`unknown ${what} "${strange}"; expected ${names.join(', ')}`);
}

function positive(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value > 0)) return value;
  throw refused(`${name} is ${JSON.stringify(value)}; expected a whole number above 0`);
}

function readEntry(given: unknown, env: Env): Entry {
  const entry = typeof given === 'string' ? { url: given } : given;
  if (!isFields(entry)) throw refused(`allow has ${JSON.stringify(given)}; expected a URL, or { url, … }`);
  known(entry, ENTRY_KEYS, 'setting of an allowed URL');
  const { url: address, bearerEnv, aws } = entry;
  const url = parsedUrl(address);
  if (url === undefined)
    throw refused(
      `allow has ${JSON.stringify(address)}; expected an http or https URL without user, query and fragment`,
    );
  if (bearerEnv !== undefined && aws !== undefined)
    throw refused(`${url.href} has both bearerEnv and aws; expected one`);
  return { url, bearer: bearerOf(url, bearerEnv, env), aws: aws === undefined ? undefined : awsOf(url, aws, env) };
}

function bearerOf(url: URL, name: unknown, env: Env): string | undefined {
  if (name === undefined) return undefined;
  const token = typeof name === 'string' ? env[name] : undefined;
  if (token === undefined || token === '')
    throw refused(
      `${url.href}: bearerEnv is ${JSON.stringify(name)}; expected a variable of the agent's environment that holds the token`,
    );
  return token;
}

function awsOf(url: URL, given: unknown, env: Env): Entry['aws'] {
  const said = given === true ? {} : given;
  if (!isFields(said))
    throw refused(`${url.href}: aws is ${JSON.stringify(given)}; expected true, or { region, service }`);
  known(said, AWS_KEYS, 'setting of aws');
  const text = (name: string): string | undefined => {
    const value = said[name];
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    throw refused(`${url.href}: ${name} is ${JSON.stringify(value)}; expected a text such as "lambda"`);
  };
  const own = endpointOf(url.hostname);
  const region = text('region') ?? own?.region ?? env['AWS_REGION'];
  const service = text('service') ?? own?.service;
  if (region === undefined || service === undefined)
    throw refused(`${url.href}: its host doesn't tell region and service; say aws: { region: …, service: lambda }`);
  return { region, service, credentials: credentialsOf(url, env) };
}

/** POLARON_AWS_… goes before AWS_…: electrons in processes of this agent don't see it. */
function credentialsOf(url: URL, env: Env): AwsCredentials {
  const accessKeyId = env['POLARON_AWS_ACCESS_KEY_ID'] ?? env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['POLARON_AWS_SECRET_ACCESS_KEY'] ?? env['AWS_SECRET_ACCESS_KEY'];
  const own = env['POLARON_AWS_ACCESS_KEY_ID'] !== undefined;
  const sessionToken = env[own ? 'POLARON_AWS_SESSION_TOKEN' : 'AWS_SESSION_TOKEN'];
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw refused(
      `${url.href} is to be signed, and the agent's environment has no POLARON_AWS_ACCESS_KEY_ID and POLARON_AWS_SECRET_ACCESS_KEY, nor AWS_… of these names`,
    );
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** What names of AWS's hosts say. */
function endpointOf(host: string): { readonly region: string; readonly service: string } | undefined {
  const api = /^lambda\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
  const url = /\.lambda-url\.([a-z0-9-]+)\.on\.aws$/.exec(host)?.[1];
  const gateway = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
  if (gateway !== undefined) return { region: gateway, service: 'execute-api' };
  const region = api ?? url;
  return region === undefined ? undefined : { region, service: 'lambda' };
}

/** Undefined: it is none that may be called. An encoded slash could mean another path to the server than here. */
function parsedUrl(address: unknown): URL | undefined {
  if (typeof address !== 'string' || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  const plain = url.username === '' && url.password === '' && url.hash === '' && url.search === '';
  const isHttp = url.protocol === 'https:' || url.protocol === 'http:';
  return plain && isHttp && !/%(2f|5c|2e)/i.test(url.pathname) ? url : undefined;
}

export interface Target {
  readonly url: URL;
  /** For this body now. */
  headers(content: Readonly<Record<string, string>>, body: Uint8Array, at: number): Readonly<Record<string, string>>;
}

/** Raises HTTP_NOT_ALLOWED. The longest entry that it begins with says how it is called. */
export function targetOf(address: string, { allow }: HttpSettings): Target {
  const url = parsedUrl(address);
  const [entry] = allow
    .filter((each) => url?.origin === each.url.origin && url.pathname.startsWith(each.url.pathname))
    .sort((a, b) => b.url.pathname.length - a.url.pathname.length);
  if (url === undefined || entry === undefined)
    throw new PolaronError(
      'HTTP_NOT_ALLOWED',
      `its agent may not call ${JSON.stringify(address)}; it may call what begins with ${allow.map((each) => each.url.href).join(', ')} (setting "allow" of executor http in agent.yaml)`,
    );
  return {
    url,
    headers: (content, body, at) => {
      const headers = { ...content, host: url.host };
      if (entry.bearer !== undefined) return { ...headers, authorization: `Bearer ${entry.bearer}` };
      if (entry.aws === undefined) return headers;
      const parts = { method: 'POST', target: url.pathname, headers: Object.entries(headers), body };
      return { ...headers, ...signatureHeaders(parts, { ...entry.aws, at }) };
    },
  };
}
