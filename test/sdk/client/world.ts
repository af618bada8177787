/** A fake broker, a hub on it, and an SDK that dials it: what every test here starts from. */
import { createHash } from 'node:crypto';
import type { ElectronEntry } from '../../../bus/protocol/registry.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import { type ClientEnvironment, makeSdk, type Sdk } from '../../../sdk/client/client.ts';
import type { Shipping } from '../../../sdk/client/preparation.ts';
import { electron } from '../../../sdk/electron.ts';
import { lattice } from '../../../sdk/lattice.ts';
import { FakeBroker } from './fake-bus.ts';
import { FakeHub } from './fake-hub.ts';

export const add = electron(function add(a: number, b: number): number {
  return a + b;
});
export const sum = lattice(function sum(a: number, b: number) {
  return { total: add(a, b), of: [a, b] };
});

export interface World {
  readonly broker: FakeBroker;
  readonly hub: FakeHub;
  readonly sdk: Sdk;
  /** Electrons bundled, per call. */
  readonly bundled: (readonly ElectronEntry[])[];
  readonly code: { text: string; warnings: string[]; madeBefore: boolean };
}

export function world(more: Partial<ClientEnvironment> = {}, maxPayload?: number): World {
  const broker = new FakeBroker(maxPayload);
  const hub = new FakeHub(broker.connect('hub.n'));
  broker.dials = 0;
  const bundled: (readonly ElectronEntry[])[] = [];
  const code = { text: 'export {};', warnings: [] as string[], madeBefore: false };
  const shipping: Shipping = {
    bundle: async (electrons) => {
      bundled.push(electrons);
      const bytes = new TextEncoder().encode(code.text);
      const digest = digestOf(bytes);
      const made = { code: bytes, digest, codeDigest: digest, codes: {}, warnings: code.warnings, hints: [] };
      return code.madeBefore ? { ...made, madeBefore: true } : made;
    },
    captures: async () => ({}),
  };
  const sdk = makeSdk({
    dial: async (target) => broker.connect(target.identity),
    shipping,
    argv: () => ['--flag'],
    idleMs: 30,
    sources: { env: { POLARON_URL: 'nats://u.ann:pw@fake:4222' }, osUser: () => 'ann' },
    ...more,
  });
  return { broker, hub, sdk, bundled, code };
}

/** Completes a dispatch of `sum` with `total`. */
export function completeSum(hub: FakeHub, id: string, total: number): void {
  hub.completeElectron(id, 0, total);
  hub.end(id, 'completed', [encodeValue(total, 'total')]);
}

/** Resolves when `condition` holds; fails after `withinMs`. */
export async function until(condition: () => boolean, what: string, withinMs = 2_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Bytes that don't compress to a pattern: each value has a digest of its own. */
export function noise(size: number, seed: string): Uint8Array {
  const out = new Uint8Array(size);
  for (let at = 0, n = 0; at < size; n++) {
    const part = createHash('sha512')
      .update(`${seed}${n}`)
      .digest()
      .subarray(0, size - at);
    out.set(part, at);
    at += part.length;
  }
  return out;
}
