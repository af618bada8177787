/**
 * The parts of docs/performance.md that are figures: made from the documents that the bench writes, and put between the markers of the page. A test holds
 * both equal. Not responsible for measuring, and for the words around.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BusKind } from './bench-bus.ts';
import { limitText, type Verdict } from './goal.ts';
import { growthTables, type GrowthReport } from './growth-report.ts';
import type { BenchReport } from './report.ts';
import { field } from './field.ts';

const inRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const pageFile = inRoot('docs/performance.md');
const latestFile = inRoot('bench/results/latest.json');
const growthFile = inRoot('bench/results/growth.json');

const kinds = ['embedded', 'nats-server'] as const;
const names: Readonly<Record<BusKind, string>> = { embedded: 'embedded broker', 'nats-server': 'nats-server' };

/** `page` with the text between `<!-- NAME: begin -->` and `<!-- NAME: end -->` replaced. Raises Error where there are no such markers. */
export function withSection(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no markers ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${page.slice(to)}`;
}

/** The page as it is with the figures of the committed runs. Raises Error when bench/results/latest.json isn't there. */
export function pageOf(page: string): string {
  if (!existsSync(latestFile)) throw new Error('bench/results/latest.json: not there; run npm run bench');
  const report: BenchReport = JSON.parse(readFileSync(latestFile, 'utf8'));
  const growth: GrowthReport | undefined = existsSync(growthFile)
    ? JSON.parse(readFileSync(growthFile, 'utf8'))
    : undefined;
  return withSection(withSection(page, 'measured', measured(report)), 'growth', growthText(growth));
}

/** Puts the figures of bench/results/latest.json and growth.json into docs/performance.md. */
export const writePage = (): void => writeFileSync(pageFile, pageOf(readFileSync(pageFile, 'utf8')));

function measured(report: BenchReport): string {
  return [
    conditions(report),
    table(['question', 'goal', 'wanted', ...kinds.map((kind) => names[kind])], goalRows(report)),
    'The figures behind the ratios, as median (min–max):',
    table(['figure', 'on', 'Polaron', 'the first, cold run', 'the bare loop', 'peers'], figureRows(report)),
    ...peerLines(report),
    'Not measured:',
    report.notMeasured.map((line) => `- ${line}`).join('\n'),
  ].join('\n\n');
}

function conditions({ at, machine, versions, durability, runs, agents, buses }: BenchReport): string {
  const { node, polaron, commit, lmdb, natsServer } = versions;
  const on = kinds.flatMap((kind) => {
    const bus = buses[kind];
    return bus === undefined ? [] : [bus.description.replace(/, \/[^)]*\)/, ')')];
  });
  return [
    `- When: ${at.slice(0, 10)}; Polaron ${polaron} (${commit}), Node ${node}, LMDB ${lmdb}${natsServer === undefined ? '' : `, ${natsServer}`}.`,
    `- Where: ${machine['cores']} cores of ${machine['cpu']}, ${machine['memoryGiB']} GiB, ${machine['os']}; all processes share them. A write of 200 bytes and fdatasync takes ${durability.fdatasyncP50Us} µs (p50).`,
    `- Durable: ${durability.mode}.`,
    `- ${agents === 1 ? 'One agent' : `${agents} agents`}, median of ${runs} runs. Buses: ${on.join('; ')}.`,
  ].join('\n');
}

/** A row per goal, whichever buses it was measured on. */
function goalRows({ buses }: BenchReport): string[][] {
  const rows = new Map<string, string[]>();
  for (const [column, kind] of kinds.entries()) {
    for (const [id, result] of Object.entries(buses[kind]?.results ?? {})) {
      const verdicts = 'failed' in result ? [] : result.verdicts;
      for (const verdict of verdicts) {
        const key = `${id} ${verdict.what}`;
        const row = rows.get(key) ?? [`\`${id}\``, verdict.what, limitText(verdict.limit), '–', '–'];
        row[3 + column] = verdictCell(verdict);
        rows.set(key, row);
      }
      if ('failed' in result) rows.set(`${id} failed on ${kind}`, failedRow(id, column));
    }
  }
  return [...rows.values()];
}

function failedRow(id: string, column: number): string[] {
  const row = [`\`${id}\``, 'an answer', '', '–', '–'];
  row[3 + column] = '**failed**';
  return row;
}

function verdictCell({ got, met }: Verdict): string {
  if (met === null || got === null) return 'not measured';
  return met ? `${number(got)}, met` : `**${number(got)}, missed**`;
}

/** Those that have a bare loop beside them. */
function figureRows({ buses }: BenchReport): string[][] {
  return kinds.flatMap((kind) =>
    Object.entries(buses[kind]?.results ?? {}).flatMap(([id, result]) => {
      if ('failed' in result) return [];
      const { units, polaron, cold, ceiling, peers } = result;
      return Object.keys(isObject(units) ? units : {}).map((figure) => [
        `${id} ${figure}, ${String(field(units, figure))}`,
        names[kind],
        spread(field(polaron, figure)),
        spread(field(cold, figure)),
        spread(field(ceiling, figure)),
        Object.entries(isObject(peers) ? peers : {})
          .map(([name, of]) => `${name} ${spread(field(of, figure))}`)
          .join('; ') || '–',
      ]);
    }),
  );
}

function peerLines({ peers }: BenchReport): string[] {
  if (peers === null) return [];
  const lines = Object.entries(peers).map(([name, about]) =>
    'missing' in about
      ? `- ${name}: not measured, ${about.missing}`
      : `- ${name}: ${about.what}; ${Object.entries(about.versions)
          .map(([part, version]) => `${part} ${version}`)
          .join(', ')}; the fastest of its forms: ${
          Object.entries(about.compared)
            .map(([id, form]) => `${id} ${form}`)
            .join(', ') || 'none'
        }${Object.entries(about.failed)
          .map(([id, why]) => `; ${id} not measured, ${why}`)
          .join('')}`,
  );
  return ['The peers, on the same machine in the same run:', lines.join('\n')];
}

/** Raises nothing for a run that was cut short: it says what is missing. */
export function growthText(report: GrowthReport | undefined): string {
  if (report === undefined) return 'No run of it is committed yet.';
  const { at, versions, bus, left } = report;
  return [
    `${at.slice(0, 10)}, Polaron ${versions['polaron']} (${versions['commit']}), ${bus.replace(/, \/[^)]*\)/, ')')}; each size once.`,
    ...(left === undefined ? [] : [`The run was cut short; it has not measured: ${left.join(', ')}.`]),
    '![How cost grows](images/growth.svg)',
    ...growthTables(report).flatMap(({ title, head, rows }) => [
      `### ${title}`,
      table(
        head,
        rows.map((row) => row.map((cell) => (cell === undefined ? '–' : number(cell)))),
      ),
    ]),
  ].join('\n\n');
}

const isObject = (x: unknown): x is object => typeof x === 'object' && x !== null;

/** A summary, or a lone number. */
function spread(of: unknown): string {
  if (typeof of === 'number') return number(of);
  const [median, min, max] = ['median', 'min', 'max'].map((key) => field(of, key));
  if (typeof median !== 'number' || typeof min !== 'number' || typeof max !== 'number') return '–';
  return `${number(median)} (${number(min)}–${number(max)})`;
}

const number = (value: number): string => value.toLocaleString('en-US', { maximumSignificantDigits: 4 });

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
