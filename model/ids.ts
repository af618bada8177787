/**
 * Ids and names: dispatch ids, task ids, subject tokens, digests.
 * Not here: making randomness or time; both are injected.
 */
import { PolaronError } from './errors.ts';

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** `<20 characters of time and randomness>-<owning node>`; sorts by time. */
export type DispatchId = Branded<string, 'DispatchId'>;
/** `<dispatch id>_<node index>`: one electron of one dispatch. */
export type TaskId = `${string}_${number}`;
/** Lower-case hex SHA-256 of a value's bytes. */
export type Digest = Branded<string, 'Digest'>;
/** `<site>.<name>`: one agent on the bus. */
export type AgentKey = `${string}.${string}`;

const TOKEN = /^[a-z0-9_-]{1,48}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const DISPATCH = /^[0-9a-z]{20}-[a-z0-9_-]{1,24}$/;
const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

export const isToken = (text: unknown): text is string => typeof text === 'string' && TOKEN.test(text);
export const isDigest = (text: unknown): text is Digest => typeof text === 'string' && DIGEST.test(text);
export const isDispatchId = (text: unknown): text is DispatchId => typeof text === 'string' && DISPATCH.test(text);

/** A name as a subject token: lower-cased, other characters become `-`. Raises BAD_SUBJECT for an empty name or one over 48 characters. */
export function toToken(name: string): string {
  const token = name.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '-');
  if (!isToken(token)) {
    throw new PolaronError(
      'BAD_SUBJECT',
      `name ${JSON.stringify(name)} has ${name.length} characters; expected 1 to 48`,
    );
  }
  return token;
}

/** Ten base-32 characters of time, ten of randomness, and the node: ids sort by time and name their owner. */
export function makeDispatchId(nowMs: number, randomBytes: Uint8Array, node: string): DispatchId {
  let time = '';
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = CROCKFORD.charAt(rest % 32) + time;
  const id = `${time}${noiseOf(randomBytes)}-${node}`;
  if (!isDispatchId(id))
    throw new PolaronError('BAD_SUBJECT', `node ${JSON.stringify(node)} can't be part of a dispatch id`);
  return id;
}

function noiseOf(bytes: Uint8Array): string {
  let noise = '';
  for (let i = 0; i < 10; i++) noise += CROCKFORD.charAt((bytes[i] ?? 0) % 32);
  return noise;
}

/**
 * The dispatch of a lattice inside another, the same at each attempt: the outer one's time, a digest of the outer one's id and the node's path, the same owner.
 * `digest`: lower-case hex.
 */
export function innerDispatchId(outer: DispatchId, digest: Digest): DispatchId {
  const bytes = Uint8Array.from({ length: 10 }, (_, i) => Number.parseInt(digest.slice(2 * i, 2 * i + 2), 16));
  const id = `${outer.slice(0, 10)}${noiseOf(bytes)}${outer.slice(20)}`;
  if (!isDispatchId(id)) throw new PolaronError('BAD_SUBJECT', `${outer} is no dispatch id`);
  return id;
}

/** The node that owns a dispatch. */
export const ownerOf = (id: DispatchId): string => id.slice(21);

export const taskIdOf = (dispatch: DispatchId, node: number): TaskId => `${dispatch}_${node}`;

/** Splits a task id. Raises BAD_MESSAGE if it isn't one. */
export function parseTaskId(task: string): { readonly dispatch: DispatchId; readonly node: number } {
  const cut = task.lastIndexOf('_');
  const dispatch = task.slice(0, cut);
  const node = Number(task.slice(cut + 1));
  if (cut < 0 || !isDispatchId(dispatch) || !Number.isSafeInteger(node) || node < 0) {
    throw new PolaronError('BAD_MESSAGE', `${JSON.stringify(task)} is not a task id`);
  }
  return { dispatch, node };
}

export const isAgentKey = (x: unknown): x is AgentKey => typeof x === 'string' && x.includes('.');
export const agentKeyOf = (site: string, agent: string): AgentKey => `${site}.${agent}`;
