/** What the recorded process writes: batches and large values that follow from their number, so that a checker knows them without being told. */
import { digestOf } from '../../../bus/value/digest.ts';
import type { Digest } from '../../../model/ids.ts';
import type { WriteOp } from '../../../store/store.ts';

export const BATCHES = 120;
export const BLOBS = 10;
/** Records of so many batches are there at once; older ones are removed. */
export const KEPT = 40;

export const keyOf = (batch: number): string => `k/${String(batch).padStart(6, '0')}`;

function bytesFrom(seed: number, size: number): Uint8Array {
  let state = (seed + 1) * 0x9e3779b1;
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Made once for each number: a checker asks for them after every cut. */
function once<T>(make: (number: number) => T): (number: number) => T {
  const made = new Map<number, T>();
  return (number) => {
    const known = made.get(number);
    if (known !== undefined) return known;
    const fresh = make(number);
    made.set(number, fresh);
    return fresh;
  };
}

export const recordOf = once((batch) => bytesFrom(batch, 40 + ((batch * 577) % 3_000)));

export interface Value {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}
const valueIn = once((batch) => withDigest(bytesFrom(10_000 + batch, 100 + ((batch * 7_919) % 40_000))));
/** Of every fifth batch, some on pages of their own. */
export const valueOf = (batch: number): Value | undefined => (batch % 5 === 0 ? valueIn(batch) : undefined);
/** Several of them belong into one folder. */
export const blobOf = once((number) => withDigest(makeBlob(number)));

const withDigest = (bytes: Uint8Array): Value => ({ digest: digestOf(bytes), bytes });

function makeBlob(number: number): Uint8Array {
  const bytes = Buffer.from(bytesFrom(20_000 + number, 66_000 + number * 5_001));
  const folder = `0${number % 3}`;
  for (let salt = 0; ; salt++) {
    bytes.writeUInt32LE(salt);
    if (digestOf(bytes).startsWith(folder)) return bytes;
  }
}

export function opsOf(batch: number): readonly WriteOp[] {
  const value = valueOf(batch);
  return [
    { op: 'put', key: keyOf(batch), value: recordOf(batch) },
    { op: 'put', key: 'last', value: Buffer.from(String(batch)) },
    ...(batch >= KEPT ? [{ op: 'remove', key: keyOf(batch - KEPT) } as const] : []),
    ...(value === undefined ? [] : [{ op: 'value', ...value } as const]),
  ];
}
