/**
 * How the tests run. Kinds by folder, so that what starts processes doesn't starve what doesn't on two cores:
 * `pure` and `apart` first (no process of its own), then `system` and `shared` (brokers, hubs, agents, runners; most of their time is waiting, so there are more at once), and `*.alone.test.ts` (they measure time) one file at a time at the end.
 * Files of `pure` and `shared` take turns in a few processes, since loading the modules once more takes longer than most files do: each gives back what it takes of its process (timers, servers, variables). The others have a process each.
 */
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const below = (folder: string): string => `test/${folder}/**/*.test.ts`;
/** They dispatch: what is defined is kept for a process, and shipped with it. Or they set up what a process has once. */
const system = [
  ...['integration', 'fault', 'e2e', 'examples', 'scripts', 'leptons'].map(below),
  'test/contract/micro-services.test.ts',
  'test/docs/{guides,nats-cli,readme}.test.ts',
  'test/executors/loader.test.ts',
  'test/host/{back-pressure,data-folder,testing}.test.ts',
];
const shared = ['contract', 'cli', 'host', 'docs', 'executors', 'bench'].map(below);
/** Pure too, but about the modules that definitions stand in, or about how fast code is that nothing else has used. */
const apart = ['test/sdk/**/*.test.ts', 'test/bus/codec-graph.test.ts'];
const alone = 'test/**/*.alone.test.ts';

/** Files that take longest, first of their kind: most of them wait (a minute is the least time limit that Slurm knows), so others run beside them, and none is left over at the end. */
const longest =
  /\/(slurm\/limit|power-cut|ssh\/reattach|storms|slow-link|slurm\/killed|sites|contract\/executors|guides|e2e\/cancel|processes|outage)\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => longest.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** Those of one order run at the same time. */
const project = (
  name: string,
  groupOrder: number,
  timeoutMs: number,
  files: { readonly include: string[]; readonly exclude?: readonly string[] },
  more: { readonly isolate?: false; readonly maxWorkers?: number; readonly fileParallelism?: false } = {},
) => ({
  test: {
    name,
    include: files.include,
    exclude: [...(files.exclude ?? []), 'test/fixtures/**'],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    sequence: { groupOrder },
    ...more,
  },
});

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    reporters: process.env['CI'] === undefined ? ['default'] : ['dot'],
    projects: [
      project(
        'pure',
        1,
        20_000,
        { include: ['test/**/*.test.ts'], exclude: [...system, ...shared, ...apart, alone] },
        { isolate: false },
      ),
      project('apart', 1, 20_000, { include: apart, exclude: [alone] }),
      project('system', 2, 60_000, { include: system, exclude: [alone] }, { maxWorkers: 3 }),
      project('shared', 2, 60_000, { include: shared, exclude: [...system, alone] }, { isolate: false, maxWorkers: 3 }),
      project('alone', 3, 60_000, { include: [alone] }, { fileParallelism: false }),
    ],
  },
});
