import { availableParallelism, homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { errorLine } from '../../cli/failure.ts';
import { distance, nearMatches } from '../../cli/near.ts';
import { resolveStart, withoutPassword } from '../../cli/start-options.ts';
import type { StartArguments } from '../../cli/start-options.ts';
import { fields, table } from '../../cli/table.ts';
import { ago, duration } from '../../cli/times.ts';
import { homePaths } from '../../host/home.ts';
import { fileURLToPath } from 'node:url';

describe('times', () => {
  it.each([
    [0, '0 ms'],
    [340, '340 ms'],
    [4_240, '4.2 s'],
    [59_960, '1 m 00 s'],
    [187_000, '3 m 07 s'],
    [7_500_000, '2 h 05 m'],
    [4 * 86_400_000 + 3 * 3_600_000, '4 d 3 h'],
    [-5, '0 ms'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));

  it('says how long ago, then the date', () => {
    const now = new Date(2026, 2, 1, 9, 5, 7).getTime();
    expect([0, 12_000, 300_000, 7_200_000].map((ms) => ago(now - ms, now))).toEqual([
      'just now',
      '12 s ago',
      '5 m ago',
      '2 h ago',
    ]);
    expect(ago(new Date(2026, 1, 1, 8, 4, 3).getTime(), now)).toBe('2026-02-01 08:04:03');
  });
});

describe('near matches', () => {
  it('count inserts, deletes, replacements and swaps', () => {
    expect([distance('abc', 'abc'), distance('abc', 'acb'), distance('', 'ab'), distance('train', 'trian')]).toEqual([
      0, 1, 2, 1,
    ]);
  });

  it('are the nearest three at most, beginnings included', () => {
    expect(nearMatches('trian', ['train', 'score', 'train2', 'tra'])).toEqual(['train']);
    expect(nearMatches('tr', ['train', 'trace', 'trot', 'trim', 'score'])).toHaveLength(3);
    expect(nearMatches('x', ['score'])).toEqual([]);
  });
});

describe('tables', () => {
  it('align by what is seen, not by colour codes', () => {
    const rows = [
      ['1', { text: 'ok', shown: '\u001B[32mok\u001B[39m' }, 'x'],
      ['22', 'failed', ''],
    ];
    expect(table([{ title: 'N', right: true }, { title: 'S' }, { title: 'E' }], rows)).toEqual([
      ' N  S       E',
      ' 1  \u001B[32mok\u001B[39m      x',
      '22  failed',
    ]);
  });

  it('leave out fields without a value', () => {
    expect(
      fields([
        ['a', '1'],
        ['long', undefined],
        ['bc', '2'],
      ]),
    ).toEqual(['a   1', 'bc  2']);
  });
});

describe('an error line', () => {
  it('is one line, with the help unless the message has it', () => {
    expect(errorLine('X', 'it\nbroke', 'Mend it.')).toBe('polaron: X: it broke. Mend it.');
    expect(errorLine('X', 'no hub; run `polaron start`', 'Run `polaron start`.')).toBe(
      'polaron: X: no hub; run `polaron start`.',
    );
    expect(errorLine('X', 'Is it?', '')).toBe('polaron: X: Is it?');
  });
});

describe('options of start', () => {
  const paths = homePaths({ POLARON_HOME: '/p' });
  const here = fileURLToPath(import.meta.url);
  const resolved = (args: Partial<StartArguments>): ReturnType<typeof resolveStart> =>
    resolveStart({ agent: true, slots: 2, ...args }, paths, '/work');

  it('become absolute and complete', () => {
    expect(resolved({ data: 'd' })).toEqual({
      home: '/p',
      data: '/work/d',
      slots: 2,
      agent: true,
      insecure: false,
      isolateResults: false,
      traceActors: false,
    });
    expect(resolved({}).data).toBe('/p/data');
    expect(homePaths({}).home).toBe(`${homedir()}/.polaron`);
  });

  it('have as many slots as there are CPUs, in a Slurm job as many as that was given', () => {
    const slots = (): number => resolveStart({ agent: true }, paths, '/work').slots;
    expect(slots()).toBe(availableParallelism());
    Object.assign(process.env, { SLURM_JOB_ID: '7', SLURM_CPUS_ON_NODE: '1' });
    try {
      expect(slots()).toBe(1);
    } finally {
      delete process.env['SLURM_JOB_ID'];
      delete process.env['SLURM_CPUS_ON_NODE'];
    }
  });

  it('survive the way to a detached process', () => {
    for (const args of [
      { data: '/d e', slots: 3, agent: false, host: '0.0.0.0', port: 0, insecure: true, isolate: 'results' as const },
      { bus: 'nats://u:p@h:1,nats://k:2', traceActors: true },
      { host: '::1', tlsCert: here, tlsKey: here },
    ]) {
      const options = resolved(args);
      expect(JSON.parse(JSON.stringify(options))).toEqual(options);
    }
  });

  it.each([
    [{ host: '0.0.0.0' }, 'INSECURE_LISTEN', 'the bus would listen at 0.0.0.0 without TLS'],
    [{ tlsCert: here }, 'USAGE', '--tls-key is missing'],
    [{ tlsCert: here, tlsKey: '/no' }, 'USAGE', "file /no can't be read"],
    [{ bus: 'nats://h', port: 1, host: 'x' }, 'USAGE', "--host, --port can't be used with --bus"],
    [{ bus: 'nats://u:pw@ h' }, 'USAGE', '"nats:// h" is not a bus URL'],
  ])('%j are refused', (args, code, message) => {
    expect(() => resolved(args)).toThrow(expect.objectContaining({ code, message }));
  });

  it('never show a password', () => {
    expect(withoutPassword('nats://u:p@h:1,nats://token@k:2,u:p@l')).toBe('nats://h:1,nats://k:2,l');
  });
});
