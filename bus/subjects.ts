/**
 * The one place for subjects. Tokens are checked where a subject is made, so that a name can never widen one.
 * Shape of each: docs/protocol.md.
 */
import { PolaronError } from '../model/errors.ts';
import { isToken } from '../model/ids.ts';

function token(text: string): string {
  if (!isToken(text))
    throw new PolaronError('BAD_SUBJECT', `${JSON.stringify(text)} is not a subject token; expected [a-z0-9_-]{1,48}`);
  return text;
}

export const apiVerbs = [
  'submit',
  'redispatch',
  'list',
  'status',
  'snapshot',
  'wait',
  'value',
  'logs',
  'attempts',
  'why',
  'cancel',
  'agents',
  'drain',
  'purge',
  'backup',
] as const;
export type ApiVerb = (typeof apiVerbs)[number];
export type UpKind = 'sync' | 'done' | 'log' | 'progress';
export type DownKind = 'assign' | 'cancel' | 'control' | 'blob' | 'logs';
export type BlobKind = 'get' | 'has' | 'put';

export interface Subjects {
  readonly prefix: string;
  readonly api: (user: string, verb: ApiVerb) => string;
  readonly allApi: string;
  /** A verb of all users. */
  readonly apiOfAll: (verb: ApiVerb) => string;
  readonly event: (user: string, dispatch: string, type: string) => string;
  readonly eventsOf: (user: string, dispatch?: string) => string;
  /** What the subjects of all events of a user begin with. */
  readonly eventPrefix: (user: string) => string;
  readonly up: (site: string, agent: string, kind: UpKind) => string;
  readonly allUp: string;
  readonly down: (site: string, agent: string, kind: DownKind) => string;
  readonly allDownOf: (site: string, agent: string) => string;
  readonly probe: string;
  readonly capability: (name: string, kind: 'probe' | 'wake') => string;
  readonly agentBlob: (site: string, agent: string, kind: BlobKind) => string;
  readonly userBlob: (user: string, kind: BlobKind) => string;
  readonly allBlob: string;
  /** Of all agents and users. */
  readonly blobOfAll: (kind: BlobKind) => string;
  readonly actor: (node: string, kind: string, id: string) => string;
  readonly actorsOf: (node: string) => string;
}

/** All subjects under one prefix. Raises BAD_SUBJECT where a name isn't a token. */
export function makeSubjects(prefix = 'polaron'): Subjects {
  const p = token(prefix);
  return {
    prefix: p,
    api: (user, verb) => `${p}.api.${token(user)}.${verb}`,
    allApi: `${p}.api.>`,
    apiOfAll: (verb) => `${p}.api.*.${verb}`,
    event: (user, dispatch, type) => `${p}.event.${token(user)}.${token(dispatch)}.${type}`,
    eventPrefix: (user) => `${p}.event.${token(user)}`,
    eventsOf: (user, dispatch) => `${p}.event.${token(user)}.${dispatch === undefined ? '>' : `${token(dispatch)}.>`}`,
    up: (site, agent, kind) => `${p}.up.${token(site)}.${token(agent)}.${kind}`,
    allUp: `${p}.up.>`,
    down: (site, agent, kind) => `${p}.down.${token(site)}.${token(agent)}.${kind}`,
    allDownOf: (site, agent) => `${p}.down.${token(site)}.${token(agent)}.>`,
    probe: `${p}.down.all.probe`,
    capability: (name, kind) => `${p}.capability.${token(name)}.${kind}`,
    agentBlob: (site, agent, kind) => `${p}.blob.${token(site)}.${token(agent)}.${kind}`,
    userBlob: (user, kind) => `${p}.blob.u.${token(user)}.${kind}`,
    allBlob: `${p}.blob.>`,
    blobOfAll: (kind) => `${p}.blob.*.*.${kind}`,
    actor: (node, kind, id) => `${p}.actor.${token(node)}.${token(kind)}.${id}`,
    actorsOf: (node) => `${p}.actor.${token(node)}.>`,
  };
}
