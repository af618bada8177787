import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeProgram } from '../../cli/program.ts';
import { DEFAULT_GRAPH_LIMITS } from '../../model/graph-check.ts';
import { DEFAULT_RETRY } from '../../model/graph.ts';
import { defaults } from '../../model/defaults.ts';
import { root, sourceFiles } from '../house/sources.ts';
import { firstColumn, plain, readPage, section, tableOf, tables } from './pages.ts';

const page = readPage('docs/configuration.md');

/** Variables that the sources, and what the tests stand on, read by name: `env['POLARON_URL']`, `process.env.X`, or a constant that holds the name. */
function variablesRead(): Set<string> {
  const scripts = readdirSync(join(root, 'scripts')).map((name) => `scripts/${name}`);
  const files = [
    ...sourceFiles().filter((path) => !path.startsWith('test/') || path.startsWith('test/support/')),
    ...scripts,
  ];
  const names = files.flatMap((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return [...text.matchAll(/\[?['"](POLARON_[A-Z_]+)['"]\]?|\benv\.(POLARON_[A-Z_]+)|\b(POLARON_[A-Z_]+)=/g)].map(
      ([, quoted, dotted, set]) => quoted ?? dotted ?? set ?? '',
    );
  });
  return new Set(names);
}

describe('docs/configuration.md', () => {
  it('has exactly the defaults of the system', () => {
    const { rows } = tableOf(section(page, 'Defaults of the system'), 'name');
    expect(rows.map(([name, value]) => [plain(name), Number(value)])).toEqual(Object.entries(defaults));
  });

  it('has every environment variable that the sources read, and no other', () => {
    const documented = tables(section(page, 'Environment')).flatMap(({ rows }) => rows.map(([name]) => plain(name)));
    const ours = documented.filter((name) => name.startsWith('POLARON_'));
    expect([...ours, 'POLARON_DETACHED_FD'].sort()).toEqual([...variablesRead()].sort());
    expect(page).toContain('`POLARON_DETACHED_FD`');
    expect(documented).toContain('NO_COLOR');
  });

  it('names only options that `polaron start` and `polaron agent` have', () => {
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
    for (const name of ['start', 'agent']) {
      const known = program.commands
        .find((command) => command.name() === name)
        ?.options.flatMap(({ long }) => (long === undefined ? [] : [long]));
      const documented = firstColumn(section(page, `Options of \`polaron ${name}\``), 'option').flatMap((cell) =>
        cell.replaceAll('`', '').split(', '),
      );
      expect(documented.filter((option) => known?.includes(option) !== true)).toEqual([]);
      expect(documented.length).toBeGreaterThan(3);
    }
  });

  it('has the retry defaults and the graph limits of the code', () => {
    const value = (name: string): string | undefined =>
      tableOf(section(page, 'Options of an electron'), 'option').rows.find(([cell]) => plain(cell) === name)?.[1];
    expect(value('retries')).toBe(String(DEFAULT_RETRY.max));
    expect(value('retries.delay')).toBe(`${DEFAULT_RETRY.delayMs / 1_000} s`);
    expect(value('retries.backoff')).toBe(String(DEFAULT_RETRY.backoff));
    expect(value('retries.maxDelay')).toBe(`${DEFAULT_RETRY.maxDelayMs / 60_000} min`);
    expect(value('retries.jitter')).toBe(String(DEFAULT_RETRY.jitter));
    const { maxNodes, maxEdges, maxDepth } = DEFAULT_GRAPH_LIMITS;
    const limits = [maxNodes, maxEdges, maxDepth].map((limit) => limit.toLocaleString('en-US')).join(', ');
    expect(tableOf(section(page, 'Limits'), 'what').rows[0]?.[1]).toBe(limits);
  });
});
