/** What growth.ts writes, and how it is shown: panels and tables made from one list. Not responsible for measuring. */
import type { Panel } from './log-plot.ts';
import type { describeMachine, describeVersions } from './machine.ts';

/** One size and its figures, by name. */
export type Row = Readonly<Record<string, number>>;
/** Takes a size's figures as soon as there are any: the next one may take long. */
export type Keep = (row: Row) => void;

export interface GrowthReport {
  readonly at: string;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly versions: ReturnType<typeof describeVersions>;
  readonly bus: string;
  readonly electrons: readonly Row[];
  readonly dispatches: readonly Row[];
  readonly agents: readonly Row[];
  readonly payload: readonly Row[];
  readonly records: readonly Row[];
  /** What the run has not come to, for people; absent: it came to its end. */
  readonly left?: readonly string[];
}

/** What grows. */
export const grown = ['electrons', 'dispatches', 'agents', 'payload', 'records'] as const;
export type Grown = (typeof grown)[number];

/** Of each thing that grows, the sizes that have no row yet. */
export const leftOf = (
  rows: Readonly<Record<Grown, readonly Row[]>>,
  wanted: (of: Grown) => readonly number[],
): string[] =>
  grown.flatMap((of) =>
    wanted(of)
      .slice(rows[of].length)
      .map((size) => `${of} ${size.toLocaleString('en-US')}`),
  );

interface Shown {
  readonly of: Grown;
  readonly title: string;
  /** Key and words of the size. */
  readonly size: readonly [key: string, words: string];
  readonly figures: readonly (readonly [key: string, words: string])[];
}

const shown: readonly Shown[] = [
  {
    of: 'electrons',
    title: 'Electrons in one lattice',
    size: ['electrons', 'electrons of a map'],
    figures: [
      ['usPerElectron', 'µs per electron, dispatch to value'],
      ['peakMiB', 'peak RssAnon of the hub, MiB'],
    ],
  },
  {
    of: 'dispatches',
    title: 'Dispatches open at once',
    size: ['dispatches', 'open dispatches of one electron'],
    figures: [
      ['acceptUs', 'µs per dispatch until accepted'],
      ['endUs', 'µs per dispatch from the first agent to the last value'],
      ['kibPerDispatch', 'RssAnon of the hub per open dispatch, KiB'],
    ],
  },
  {
    of: 'agents',
    title: 'Agents',
    size: ['agents', 'agents, processes of one slot each'],
    figures: [['tasksPerSecond', 'electrons/s of a lattice of 2,000']],
  },
  {
    of: 'payload',
    title: 'Bytes of a value',
    size: ['bytes', 'bytes from one electron to the next'],
    figures: [['ms', 'ms from dispatch to value']],
  },
  {
    of: 'records',
    title: 'Records in the store',
    size: ['records', 'records of 200 bytes'],
    figures: [
      ['writeUs', 'µs to write 100, on disk'],
      ['readUs', 'µs to read one'],
      ['openMs', 'ms to open'],
    ],
  },
];

export const growthPanels = (report: GrowthReport): Panel[] =>
  shown.map(({ of, title, size: [sizeKey, x], figures }) => ({
    title,
    x,
    lines: figures.map(([key, name]) => ({
      name,
      points: report[of].flatMap((row): (readonly [number, number])[] => {
        const [size, figure] = [row[sizeKey], row[key]];
        return size === undefined || figure === undefined ? [] : [[size, figure]];
      }),
    })),
  }));

/** A table per panel: title, head and rows of numbers; undefined where nothing was measured. */
export const growthTables = (report: GrowthReport) =>
  shown.map(({ of, title, size, figures }) => {
    const columns = [size, ...figures];
    return {
      title,
      head: columns.map(([, words]) => words),
      rows: report[of].map((row) => columns.map(([key]) => row[key])),
    };
  });
