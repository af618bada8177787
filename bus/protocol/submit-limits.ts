/**
 * What of a submit travels inside messages, with every assign and in lists, is bounded: by the SDK before it is sent, and by the hub, which trusts nobody.
 * Not here: graph and arguments, which are values when they are large.
 */
import { PolaronError } from '../../model/errors.ts';
import { encodeBody } from '../codec.ts';
import type { SubmitRequest } from './api.ts';

/** Of the lattice's source, which people read: what is longer is cut. */
export const SOURCE_CHARACTERS = 64 * 1024;

type Bounded = 'argv' | 'captures' | 'metadata';

const BYTES = { argv: 128 * 1024, captures: 128 * 1024, metadata: 64 * 1024 } as const;
const WORDS: { readonly [part in Bounded]: readonly [what: string, help: string] } = {
  argv: ['the command line of the script (process.argv)', 'Pass large data as an argument of the lattice.'],
  captures: [
    'the variables that electrons read from outside (compared on the agents)',
    'Pass them as arguments, or keep them in one object.',
  ],
  metadata: ["the lattice's metadata", 'Keep it to short texts; large data is an argument of the lattice.'],
};
const PARTS = ['argv', 'captures', 'metadata'] as const;

/** Raises PAYLOAD_TOO_LARGE. */
export function checkSubmit({ argv, captures, metadata }: Pick<SubmitRequest, Bounded>): void {
  // Nearly always small, all together.
  if (encodeBody([argv, captures, metadata]).byteLength <= BYTES.metadata) return;
  const parts = { argv, captures, metadata };
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
