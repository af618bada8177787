import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exitCodeOf, exitCodes } from '../../cli/exit-code.ts';
import { makeProgram } from '../../cli/program.ts';
import { Coded, valueToJson, valueTypes } from '../../cli/value-json.ts';
import type { ValueType } from '../../cli/value-json.ts';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );

const program = makeProgram(
  {
    terminal: { out() {}, raw() {}, err() {}, status() {}, live: false, colour: false, columns: 80 },
    json: false,
    env: {},
    cwd: '/',
    self: { command: '', args: [] },
    now: () => 0,
    connect: () => Promise.reject(new Error('no')),
    host: () => Promise.reject(new Error('no')),
    interrupted: () => new AbortController().signal,
  },
  () => undefined,
);

/** A value for each `$type` that must encode to the example on the page. */
const self: Record<string, unknown> = {};
self['self'] = self;
const error = Object.assign(new TypeError('no'), { code: 'E' });
Reflect.deleteProperty(error, 'stack');
const samples: Readonly<Record<ValueType, unknown>> = {
  undefined: undefined,
  number: -0,
  bigint: 12345678901234567890n,
  Date: new Date('2026-03-01T09:05:07Z'),
  RegExp: /a+/g,
  URL: new URL('https://example.org'),
  Map: new Map([['a', 1]]),
  Set: new Set([1, 2]),
  Error: error,
  bytes: new Uint8Array([1, 2, 3]),
  ArrayBuffer: new Uint8Array([1, 2, 3]).buffer,
  DataView: new DataView(new Uint8Array([1, 2, 3]).buffer),
  TypedArray: new Float64Array([1.5, 2]),
  object: { $type: 'Map' },
  codec: new Coded('Matrix', [1, 2]),
  cycle: self,
};

describe('docs/cli.md', () => {
  it('has every command with exactly its options', () => {
    const sections = new Map(
      page
        .split('\n### ')
        .slice(1)
        .map((section) => [/^`polaron ([\w-]+)/.exec(section)?.[1] ?? '', section] as const),
    );
    expect([...sections.keys()]).toEqual(program.commands.map((command) => command.name()));
    for (const command of program.commands) {
      const section = sections.get(command.name()) ?? '';
      const documented = rows(section.split('`$type`')[0] ?? '')
        .map(([cell = '']) => cell.replaceAll('`', ''))
        .filter((cell) => cell.startsWith('--'));
      const options = command.options.map(({ flags }) => flags).filter((flags) => flags !== '--json');
      expect(documented, command.name()).toEqual(options);
      expect(command.options.some(({ long }) => long === '--json')).toBe(true);
    }
  });

  it('has the table of $type that the code has, and its examples are what the code writes', () => {
    const documented = rows(page.slice(page.indexOf('| `$type`'))).slice(1, valueTypes.length + 1);
    expect(documented.map(([type = '']) => type.replaceAll('`', ''))).toEqual(valueTypes);
    for (const [i, type] of valueTypes.entries()) {
      const example: unknown = JSON.parse((documented[i]?.[2] ?? '').replaceAll('`', ''));
      expect(JSON.parse(JSON.stringify(valueToJson(samples[type]))), type).toEqual(example);
    }
  });

  it('has the exit codes that the code has', () => {
    const table = rows(page.slice(page.indexOf('## Exit codes'), page.indexOf('## Where things are'))).slice(1);
    expect(table.map(([code]) => Number(code))).toEqual(Object.values(exitCodes));
    for (const [code, , codes = ''] of table) {
      if (code === '1') continue;
      const ours = Object.entries(exitCodeOf).flatMap(([name, exit]) => (exit === Number(code) ? [`\`${name}\``] : []));
      expect(codes.split(' ').filter((name) => name !== '')).toEqual(ours);
    }
  });
});
