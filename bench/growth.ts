/**
 * How cost grows: electrons of a lattice, open dispatches, agents, bytes of a value, records in the store; one run of each size. Writes bench/results/growth.json
 * and docs/images/growth.svg; with `--most`, which leaves out larger sizes, only bench/results/growth-part.*. Not responsible for drawing (log-plot.ts).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { growAgents, growDispatches, growElectrons, growPayload } from './growth-steps.ts';
import { toSvg } from './log-plot.ts';
import { describeMachine, describeVersions } from './machine.ts';
import { growthPanels, type GrowthReport } from './growth-report.ts';
import { writePage } from './performance-page.ts';
import type { Answer, Bed, Question } from './question.ts';
import { growStore } from './store-growth.ts';

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

async function measure(bed: Bed): Promise<Answer> {
  const upTo = (list: readonly number[]): number[] => list.filter((size) => size <= (bed.most ?? Infinity));
  const report: GrowthReport = {
    at: new Date().toISOString(),
    machine: describeMachine(),
    versions: describeVersions(bed.bus.serverVersion),
    bus: bed.bus.description,
    electrons: await growElectrons(bed, upTo(sizes.electrons)),
    dispatches: await growDispatches(bed, upTo(sizes.dispatches)),
    agents: await growAgents(bed, upTo(sizes.agents)),
    payload: await growPayload(bed, upTo(sizes.payload)),
    records: await growStore(bed, upTo(sizes.records)),
  };
  const part = bed.most === undefined ? '' : '-part';
  const json = inRoot(`bench/results/growth${part}.json`);
  const svg = inRoot(bed.most === undefined ? 'docs/images/growth.svg' : `bench/results/growth${part}.svg`);
  write(json, `${JSON.stringify(report, null, 2)}\n`);
  write(svg, toSvg(growthPanels(report)));
  if (bed.most === undefined) writePage();
  return { figures: { ...report }, got: {}, text: `written to ${json} and ${svg}` };
}

const inRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
