/**
 * 100,000 hostile inputs into a whole broker (its core, with the streams in memory: as many TCP connections would run out of ports).
 * FUZZ_SEED and FUZZ_INPUTS replay and shorten it.
 */
import { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { BrokerCore } from '../../../bus/broker/core.ts';
import { DEFAULT_LIMITS } from '../../../bus/broker/limits.ts';
import { noLog } from '../../support/log-list.ts';
import { realClock } from '../../support/real-clock.ts';
import { authenticator, ADMIN } from '../../support/bus-server.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const inputs = Number(process.env['FUZZ_INPUTS'] ?? 100_000) / 2; // in each of the two modes

/** No PING of the broker's own in between. */
const limits = { ...DEFAULT_LIMITS, pingIntervalMs: 1_000_000 };

/** mulberry32 */
function makeRandom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A client's end of a connection, without a socket. */
class Line extends Duplex {
  out: Buffer[] = [];

  override _read(): void {
    // Bytes come by `feed`.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.out.push(chunk);
    done();
  }

  feed(chunk: Buffer): void {
    this.emit('data', chunk);
  }

  text(): string {
    return Buffer.concat(this.out).toString('latin1');
  }
}

const WORDS = [
  'PUB ',
  'HPUB ',
  'SUB ',
  'UNSUB ',
  'PING',
  'PONG',
  'CONNECT ',
  '+OK',
  "-ERR 'x'",
  'INFO {}',
  'MSG a 1 1',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  'a',
  'a.b',
  'a.>',
  '>',
  '*',
  '*.b',
  'a..b',
  '.',
  '_INBOX.x.1',
  'q',
  '0',
  '1',
  '2',
  '5',
  '11',
  '100',
  '-1',
  '1048577',
  '999999999',
  '1e3',
  '{}',
  '{"verbose":false}',
  '{"verbose":true,"pedantic":true}',
  '{"headers":true,"no_responders":true,"verbose":false}',
  '{"name":{}}',
  '[]',
  'null',
  '{"user":"admin","pass":"admin-password"}',
  '{"user":1}',
  '{"__proto__":{"x":1}}',
  'NATS/1.0\r\n\r\n',
  'NATS/1.0 503\r\n',
  '\0',
  '\u00ff\u00fe',
  'hello',
  'x'.repeat(5_000),
]; // prettier-ignore

describe('the broker under hostile input', () => {
  test.each(['none', 'users'] as const)(
    `survives ${inputs} inputs with authentication %s, and its other clients notice nothing (seed ${seed})`,
    async (mode) => {
      const random = makeRandom(seed);
      const auth = mode === 'none' ? 'none' : authenticator;
      const core = new BrokerCore({ limits, auth, log: noLog, clock: realClock, faults: undefined });
      const pick = <T>(items: readonly T[], otherwise: T): T => items[Math.floor(random() * items.length)] ?? otherwise;
      const hostile = (): Buffer => {
        const kind = random();
        if (kind < 0.15)
          return Buffer.from(Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)));
        let text =
          kind < 0.6
            ? `CONNECT ${JSON.stringify({ verbose: false, headers: true, user: ADMIN.user, pass: ADMIN.password })}\r\n`
            : '';
        for (let n = Math.floor(random() * 12); n >= 0; n--) {
          text +=
            random() < 0.3
              ? pick(['PUB a 2\r\nhi\r\n', 'SUB a 1\r\n', 'SUB a.> q 2\r\n', 'UNSUB 1 1\r\n', 'PING\r\n'], '')
              : pick(WORDS, '');
        }
        const bytes = Buffer.from(text, 'latin1');
        if (random() < 0.2 && bytes.length > 0) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
        return bytes;
      };

      const witness = new Line();
      core.attach(witness);
      const { user, password: pass } = ADMIN;
      witness.feed(
        Buffer.from(`CONNECT ${JSON.stringify({ verbose: false, headers: true, user, pass })}\r\nSUB witness.* 7\r\n`),
      );
      const expected: string[] = [];
      const open: Line[] = [];
      for (let i = 0; i < inputs; i++) {
        const line = new Line();
        core.attach(line);
        open.push(line);
        const bytes = hostile();
        for (let at = 0; at < bytes.length; ) {
          const size = random() < 0.5 ? bytes.length : 1 + Math.floor(random() * 9);
          line.feed(bytes.subarray(at, at + size));
          at += size;
        }
        // Some stay for a while, so that subscriptions of many connections mix.
        if (open.length > 20) open.shift()?.destroy();
        if (i % 100 === 0) {
          const payload = `${i} \r\nPUB x 1\r\n`;
          const text = `PUB witness.${i} ${payload.length}\r\n${payload}\r\n`;
          for (const part of [text.slice(0, 13), text.slice(13)]) witness.feed(Buffer.from(part));
          expected.push(`MSG witness.${i} 7 ${payload.length}\r\n${payload}\r\n`);
          await new Promise(setImmediate);
        }
      }
      for (const line of open) line.destroy();
      await new Promise(setImmediate);
      expect(witness.text()).toBe(expected.join(''));
      // Nothing of the hostile ones is left.
      expect(core.stats()).toMatchObject({ clients: 1, subscriptions: 1 });
      core.close();
    },
    300_000,
  );
});
