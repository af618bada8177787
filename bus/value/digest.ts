/** Names of values: SHA-256 over their encoded bytes. Not here: encoding them (value.ts). */
import { createHash, hash } from 'node:crypto';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { trusted } from '../../model/trusted.ts';
import { isList, listLength } from './list.ts';

/** The name under which `bytes` are stored. */
export const digestOf = (bytes: Uint8Array): Digest => trusted<Digest>(hash('sha256', bytes, 'hex'));

/** A digest made chunk by chunk: `update` as bytes come, `digest` once at the end. */
export function digester(): { readonly update: (bytes: Uint8Array) => void; readonly digest: () => Digest } {
  const state = createHash('sha256');
  return {
    update: (bytes) => {
      state.update(bytes);
    },
    digest: () => trusted<Digest>(state.digest('hex')),
  };
}

/** Digest, size and, of a list, its length. `more`: the rest of the bytes, when it lies elsewhere. */
export function valueInfoOf(bytes: Uint8Array, more?: Uint8Array): ValueInfo {
  const info = { digest: digestOfBoth(bytes, more), size: bytes.length + (more?.length ?? 0) };
  return isList(bytes) ? { ...info, length: listLength(bytes) } : info;
}

function digestOfBoth(bytes: Uint8Array, more: Uint8Array | undefined): Digest {
  if (more === undefined) return digestOf(bytes);
  const { update, digest } = digester();
  update(bytes);
  update(more);
  return digest();
}
