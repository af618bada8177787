/**
 * What of a submit travels inside messages, with every assign and in lists, is bounded: by the SDK before it is sent, and by the hub, which trusts nobody.
 * Not here: graph and arguments, which are values when they are large.
 */
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import { encodeBody } from '../codec.ts';
import type { SubmitRequest } from './api.ts';

/** Of the lattice's source, which people read: what is longer is cut. */
export const SOURCE_CHARACTERS = 64 * 1024;
/** With the word that it was cut. */
export const LONGEST_SOURCE = SOURCE_CHARACTERS + 1_024;
export const MOST_METADATA = 1_000;

type Bounded = 'argv' | 'captures' | 'codes' | 'executors' | 'metadata';

const BYTES = {
  argv: 128 * 1024,
  captures: 128 * 1024,
  codes: 128 * 1024,
  executors: 128 * 1024,
  metadata: 64 * 1024,
} as const;
const WORDS: { readonly [part in Bounded]: readonly [what: string, help: string] } = {
  argv: ['the command line of the script (process.argv)', 'Pass large data as an argument of the lattice.'],
  captures: [
    'the variables that electrons read from outside (compared on the agents)',
    'Pass them as arguments, or keep them in one object.',
  ],
  codes: ["the digests of the electrons' code", 'Send none: the code of each is the bundle then.'],
  executors: [
    'the executors that were given at dispatch',
    'Name fewer electrons, or give options in the electrons themselves.',
  ],
  metadata: ["the lattice's metadata", 'Keep it to short texts; large data is an argument of the lattice.'],
};
const PARTS = ['argv', 'captures', 'codes', 'executors', 'metadata'] as const;

/** Raises PAYLOAD_TOO_LARGE. */
export function checkSubmit({
  argv,
  captures,
  codes = {},
  executors = {},
  metadata,
}: Pick<SubmitRequest, Bounded>): void {
  // Nearly always small, all together.
  if (encodeBody([argv, captures, codes, executors, metadata]).byteLength <= BYTES.metadata) return;
  const parts = { argv, captures, codes, executors, metadata };
  for (const part of PARTS) {
    const bytes = encodeBody(parts[part]).byteLength;
    if (bytes <= BYTES[part]) continue;
    const [what, help] = WORDS[part];
    throw new PolaronError('PAYLOAD_TOO_LARGE', `${what}: ${bytes} bytes; at most ${BYTES[part]} are taken`, {
      help,
      details: { part, bytes, limit: BYTES[part] },
    });
  }
}

/** Of very many electrons none: then the code of each is the bundle, and an edit of one makes all of them run again. */
export const fittingCodes = (codes: Readonly<Record<string, Digest>>): Readonly<Record<string, Digest>> =>
  Object.keys(codes).length <= FEW_CODES || encodeBody(codes).byteLength <= BYTES.codes ? codes : {};
/** With the longest names they fit. */
const FEW_CODES = 128;
