/** The protocol parser: each operation, each error, and that cuts in the stream don't matter. */
import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OperationSink } from '../../../bus/broker/parser.ts';
import { Parser } from '../../../bus/broker/parser.ts';

const limits = { maxPayload: 1_000, maxControlLine: 128 };

/** What the parser says of these chunks, as text. */
function trace(chunks: readonly Buffer[]): string[] {
  const found: string[] = [];
  const sink: OperationSink = {
    connect: (json) => void found.push(`connect ${json}`),
    publish: (subject, reply, headerBytes, buffer, start, end) =>
      void found.push(`publish ${subject} [${reply}] ${headerBytes} ${buffer.toString('hex', start, end)}`),
    subscribe: (subject, queue, sid) => void found.push(`subscribe ${subject} [${queue}] ${sid}`),
    unsubscribe: (sid, max) => void found.push(`unsubscribe ${sid} ${max}`),
    ping: () => void found.push('ping'),
    pong: () => void found.push('pong'),
  };
  const parser = new Parser(sink, limits);
  for (const chunk of chunks) {
    const error = parser.feed(chunk);
    if (error !== undefined) {
      found.push(`error ${error}`);
      break;
    }
  }
  return found;
}

const parse = (text: string): string[] => trace([Buffer.from(text, 'latin1')]);

describe('the protocol parser', () => {
  test('reads each operation', () => {
    expect(
      parse(
        'CONNECT {"a": 1}\r\nPING\r\nPONG\r\n+OK\r\nSUB a.b 1\r\nSUB a.* q 2\r\nUNSUB 1\r\nUNSUB 2 5\r\n' +
          'PUB a 2\r\nhi\r\nPUB a r.1 0\r\n\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB a r 12 12\r\nNATS/1.0\r\n\r\n\r\n',
      ),
    ).toEqual([
      'connect {"a": 1}',
      'ping',
      'pong',
      'subscribe a.b [] 1',
      'subscribe a.* [q] 2',
      'unsubscribe 1 0',
      'unsubscribe 2 5',
      'publish a [] -1 6869',
      'publish a [r.1] -1 ',
      'publish a [] 12 4e4154532f312e300d0a0d0a6869',
      'publish a [r] 12 4e4154532f312e300d0a0d0a',
    ]);
  });

  test('takes any case, tabs, several spaces and a bare line feed', () => {
    expect(parse('ping\nSub\t a   1  \r\npUb a  3\r\n\r\n!\r\nPiNg\r\n')).toEqual([
      'ping',
      'subscribe a [] 1',
      'publish a [] -1 0d0a21',
      'ping',
    ]);
  });

  test.each([
    ['XYZ\r\n', 'Unknown Protocol Operation'],
    ['\r\n', 'Unknown Protocol Operation'],
    ['PINGX\r\n', 'Unknown Protocol Operation'],
    ['CONN {}\r\n', 'Unknown Protocol Operation'],
    ['UNSUX 1\r\n', 'Unknown Protocol Operation'],
    ['PUB a\r\n', 'Parser Error'],
    ['PUB a b c 1\r\n', 'Parser Error'],
    ['PUB a -1\r\n', 'Parser Error'],
    ['PUB a 1x\r\n', 'Parser Error'],
    ['PUB a 99999999999999999999\r\n', 'Parser Error'],
    ['HPUB a 5 4\r\n', 'Parser Error'],
    ['HPUB a 4\r\n', 'Parser Error'],
    ['SUB a\r\n', 'Parser Error'],
    ['SUB a b c d\r\n', 'Parser Error'],
    ['UNSUB\r\n', 'Parser Error'],
    ['UNSUB 1 x\r\n', 'Parser Error'],
    ['PUB a 1001\r\n', 'Maximum Payload Violation'],
    ['PUB a 2\r\nabc\r\n', 'Parser Error'],
    [`SUB ${'a'.repeat(200)} 1\r\n`, 'Maximum Control Line Exceeded'],
    ['P'.repeat(200), 'Maximum Control Line Exceeded'],
    [`CONNECT ${'x'.repeat(20_000)}`, 'Maximum Control Line Exceeded'],
  ])('answers %j with an error and reads nothing more', (text, error) => {
    expect(parse(`PING\r\n${text}PING\r\n`)).toEqual(['ping', `error ${error}`]);
  });

  test('a CONNECT may be longer than other lines', () => {
    expect(parse(`CONNECT {"x":"${'x'.repeat(5_000)}"}\r\n`)).toHaveLength(1);
  });

  const subject = fc.stringMatching(/^[a-z*>$_]{1,6}(\.[a-z*>]{1,5}){0,3}$/);
  const payload = fc.uint8Array({ maxLength: 300 });
  const line = (text: string): Buffer => Buffer.from(`${text}\r\n`, 'latin1');
  const operation = fc.oneof(
    fc.constantFrom('PING', 'PONG', '+OK', 'CONNECT {}').map(line),
    fc.tuple(subject, fc.nat(99)).map(([s, sid]) => line(`SUB ${s} ${sid}`)),
    fc.nat(99).map((sid) => line(`UNSUB ${sid} ${sid}`)),
    fc
      .tuple(subject, payload)
      .map(([s, data]) => Buffer.concat([line(`PUB ${s} re.ply ${data.length}`), data, line('')])),
    fc
      .tuple(subject, payload)
      .map(([s, data]) => Buffer.concat([line(`HPUB ${s} ${data.length >> 1} ${data.length}`), data, line('')])),
  );
  const cut = (whole: Buffer, cuts: readonly number[]): Buffer[] => {
    const places = [...new Set(cuts.map((at) => at % (whole.length + 1)))].sort((a, b) => a - b);
    return [0, ...places].map((from, i) => Buffer.from(whole.subarray(from, places[i] ?? whole.length)));
  };

  test('what it finds does not depend on how the bytes were cut', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), fc.array(fc.nat(5_000), { maxLength: 40 }), (parts, cuts) => {
        const whole = Buffer.concat(parts);
        const expected = trace([whole]);
        expect(trace(cut(whole, cuts))).toEqual(expected);
        expect(expected.some((found) => found.startsWith('error'))).toBe(false);
      }),
      { numRuns: 500 },
    );
    const bytewise = fc.sample(fc.array(operation, { minLength: 3, maxLength: 6 }), 20);
    for (const parts of bytewise) {
      const whole = Buffer.concat(parts);
      expect(trace([...whole].map((byte) => Buffer.from([byte])))).toEqual(trace([whole]));
    }
  });

  test('damaged streams too are read the same in one piece and in many', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(5_000), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(5_000), { maxLength: 20 }),
        (parts, damage, cuts) => {
          const whole = Buffer.concat(parts);
          for (const [at, byte] of damage) whole[at % whole.length] = byte;
          expect(trace(cut(whole, cuts))).toEqual(trace([whole]));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
