/**
 * Requests that a person typed, e.g. with `nats req`: JSON, nothing, or a dispatch id with what belongs behind it. What our clients send is no business of this file.
 * Not here: the shape of a request (bus/protocol/wire-api.ts).
 */
import { decodeBody, encodeBody } from '../../bus/codec.ts';
import type { ApiVerb } from '../../bus/subjects.ts';
import { PolaronError } from '../../model/errors.ts';
import { isDispatchId } from '../../model/ids.ts';

/** Verbs that take an electron behind the id; `cancel` takes several. */
const ofElectrons: readonly ApiVerb[] = ['value', 'logs', 'attempts', 'why'];
/** `nats req` waits 5 s for an answer if nobody tells it otherwise. */
const WAIT_MS = 4_000;

/** The request as the verb reads it. Raises BAD_REQUEST. */
export function requestByHand(verb: ApiVerb, data: Uint8Array): unknown {
  const text = Buffer.from(data).toString('utf8').trim();
  if (text === '') return {};
  const [first, ...rest] = text.split(/\s+/);
  const request: unknown = isDispatchId(first) ? ofDispatch(verb, first, rest) : fromJson(text);
  if (typeof request !== 'object' || request === null || Array.isArray(request)) throw unreadable('it is no object');
  if (verb === 'wait') return { timeoutMs: WAIT_MS, ...request };
  return verb === 'redispatch' ? { reuse: false, ...request } : request;
}

function ofDispatch(verb: ApiVerb, id: string, electrons: readonly string[]): object {
  const [one, ...more] = electrons.map((word) => (/^\d+$/.test(word) ? Number(word) : word));
  if (one === undefined) return { id };
  if (verb === 'cancel') return { id, electrons: [one, ...more] };
  if (!ofElectrons.includes(verb) || more.length > 0)
    throw unreadable(`${verb} takes ${ofElectrons.includes(verb) ? 'one electron' : 'nothing'} behind the id`);
  return { id, electron: one };
}

function fromJson(text: string): unknown {
  try {
    // as deep and as large as what comes from a client
    return decodeBody(encodeBody(JSON.parse(text)));
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error));
  }
}

const unreadable = (why: string): PolaronError =>
  new PolaronError('BAD_REQUEST', `the body is neither JSON nor a dispatch id: ${why}`, {
    help: 'Send {"id":"…"}, or the id alone.',
  });
