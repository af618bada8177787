/** A stream over connections that break at any byte: everything arrives once and in order. */
import { createHash } from 'node:crypto';
import { Duplex, PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Records } from '../../../executors/remote/records.ts';
import { ResumableStream } from '../../../executors/remote/resumable-stream.ts';

/** Two ends of a connection that breaks after so many bytes in one direction; what was in it is lost. */
function connection(breaksAfter: number): readonly [Duplex, Duplex] {
  const [there, back] = [new PassThrough(), new PassThrough()];
  const ends: readonly [Duplex, Duplex] = [
    Duplex.from({ readable: back, writable: there }),
    Duplex.from({ readable: there, writable: back }),
  ];
  let bytes = 0;
  there.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > breaksAfter) for (const end of ends) end.destroy();
  });
  for (const end of ends) end.on('error', () => undefined);
  return ends;
}

/** A seeded sequence from 0 to 1. */
function seeded(seed: number): () => number {
  let at = seed;
  return () => (at = (at * 16_807) % 2_147_483_647) / 2_147_483_647;
}

describe('a resumable stream', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'brings every byte once and in order over breaking connections (seed %i)',
    async (seed) => {
      const random = seeded(seed * 7919);
      const [a, b] = [new ResumableStream(), new ResumableStream()];
      let breaks = 0;
      const dial = (): void => {
        if (a.destroyed || b.destroyed) return;
        const [left, right] = connection(1 + random() * 2_000_000);
        // as both sides do: what each has received is said before anything else
        a.detach();
        b.detach();
        const again = (): void => {
          breaks++;
          setImmediate(dial);
        };
        let lost = false;
        const once = (): void => {
          if (!lost) again();
          lost = true;
        };
        expect(a.attach(new Records(left), b.received, once)).toBe(true);
        expect(b.attach(new Records(right), a.received, once)).toBe(true);
      };
      dial();
      const all = [a, b].map(async (to, i) => {
        const from = i === 0 ? b : a;
        const [sent, came] = [createHash('sha256'), createHash('sha256')];
        const total = 20_000_000;
        let bytes = 0;
        to.on('data', (chunk: Buffer) => {
          came.update(chunk);
          bytes += chunk.length;
        });
        const ended = new Promise((resolve) => to.once('end', resolve));
        for (let left = total; left > 0; ) {
          const piece = Buffer.alloc(Math.min(left, 1 + Math.floor(random() * 300_000)), Math.floor(random() * 256));
          left -= piece.length;
          sent.update(piece);
          if (!from.write(piece)) await new Promise((resolve) => from.once('drain', resolve));
        }
        from.end();
        await ended;
        expect(bytes).toBe(total);
        expect(came.digest('hex')).toBe(sent.digest('hex'));
      });
      await Promise.all(all);
      expect(breaks).toBeGreaterThan(5);
    },
  );

  it('refuses a peer that claims to have more than was sent, or has forgotten what it acknowledged', () => {
    const stream = new ResumableStream();
    stream.write(Buffer.alloc(10));
    expect(stream.attach(new Records(new PassThrough()), 11, () => undefined)).toBe(false);
    expect(stream.attach(new Records(new PassThrough()), 4, () => undefined)).toBe(true);
    expect(stream.attach(new Records(new PassThrough()), 3, () => undefined)).toBe(false);
  });
});
