/**
 * How cost grows: electrons of a lattice, open dispatches, agents, bytes of a value, records in the store; one run of each size. Writes bench/results/growth.json
 * and docs/images/growth.svg when it has come to its end; until then, and with `--most`, which leaves out larger sizes, bench/results/growth-part.*, anew after each size.
 * Not responsible for drawing (log-plot.ts).
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { growAgents, growDispatches, growElectrons, growPayload } from './growth-steps.ts';
import { toSvg } from './log-plot.ts';
import { describeMachine, describeVersions } from './machine.ts';
import { grown, growthPanels, leftOf, type Grown, type GrowthReport, type Row } from './growth-report.ts';
import { writePage } from './performance-page.ts';
import type { Answer, Bed, Question } from './question.ts';
import { growStore } from './store-growth.ts';

const inRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const whole = { json: inRoot('bench/results/growth.json'), svg: inRoot('docs/images/growth.svg') };
/** Of a run under way or cut short, and of one with `--most`. */
const part = { json: inRoot('bench/results/growth-part.json'), svg: inRoot('bench/results/growth-part.svg') };

const MiB = 1_024 ** 2;
const sizes = {
  electrons: [1e2, 1e3, 1e4, 1e5, 1e6],
  dispatches: [1e1, 1e2, 1e3, 1e4, 1e5],
  agents: [1, 2, 4, 8, 16, 32, 64],
  payload: [1, 100, 1e4, 1e5, MiB, 10 * MiB, 100 * MiB],
  records: [1e3, 1e4, 1e5, 1e6, 1e7],
} as const;

export const growth: Question = {
  id: 'growth',
  asks: 'how cost grows with electrons, open dispatches, agents, bytes of a value, records in the store',
  bus: 'one',
  onlyNamed: 'its largest sizes take long',
  goals: [],
  notMeasured: ['each size is run once, so a single point may be off by a half'],
  measure,
};

const steps: Readonly<Record<Grown, typeof growStore>> = {
  electrons: growElectrons,
  dispatches: growDispatches,
  agents: growAgents,
  payload: growPayload,
  records: growStore,
};

async function measure(bed: Bed): Promise<Answer> {
  const wanted = (of: Grown): number[] => sizes[of].filter((size) => size <= (bed.most ?? Infinity));
  const rows: Record<Grown, Row[]> = { electrons: [], dispatches: [], agents: [], payload: [], records: [] };
  const about = {
    at: new Date().toISOString(),
    machine: describeMachine(),
    versions: describeVersions(bed.bus.serverVersion),
    bus: bed.bus.description,
  };
  for (const of of grown) {
    await steps[of](bed, wanted(of), (row) => {
      rows[of].push(row);
      save({ ...about, ...rows, left: leftOf(rows, wanted) }, part);
    });
  }
  const report: GrowthReport = { ...about, ...rows };
  const files = bed.most === undefined ? whole : part;
  save(report, files);
  if (files === whole) {
    for (const file of Object.values(part)) rmSync(file, { force: true });
    writePage();
  }
  return { figures: { ...report }, got: {}, text: `written to ${files.json} and ${files.svg}` };
}

function save(report: GrowthReport, files: typeof whole): void {
  write(files.json, `${JSON.stringify(report, null, 2)}\n`);
  write(files.svg, toSvg(growthPanels(report)));
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
