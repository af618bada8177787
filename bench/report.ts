/** One run of the bench as one document. Not responsible for measuring, and for where it is written. */
import type { Result } from './ask.ts';
import type { BusKind } from './bench-bus.ts';
import { describeMachine, describeVersions, measureFdatasync } from './machine.ts';
import type { BenchOptions } from './options.ts';
import type { PeerAbout } from './peers.ts';
import type { Question } from './question.ts';

export interface BusReport {
  readonly description: string;
  readonly serverVersion: string | undefined;
  readonly results: Readonly<Record<string, Result>>;
}

export interface BenchReport {
  readonly at: string;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly versions: ReturnType<typeof describeVersions>;
  readonly durability: { readonly mode: string; readonly fdatasyncP50Us: number };
  readonly runs: number;
  readonly agents: number;
  readonly buses: Readonly<Partial<Record<BusKind, BusReport>>>;
  /** Null: run without --peers. */
  readonly peers: Readonly<Record<string, PeerAbout>> | null;
  readonly notMeasured: readonly string[];
}

export interface Run {
  readonly options: BenchOptions;
  /** All questions, the ones that were not asked, too. */
  readonly known: readonly Question[];
  readonly reports: Readonly<Partial<Record<BusKind, BusReport>>>;
  readonly peers: Readonly<Record<string, PeerAbout>> | undefined;
}

const always = [
  'power loss: durable means that fdatasync returned inside this machine',
  'agents, clients or a bus on another machine: all share its cores',
  'user code that does any work, electrons with retries, timeouts or dependencies',
  'a store that has been filling for days',
  'the bare loop has no graph, no recovery, no deduplication: it is a bound, not a rival',
];

export async function reportOf({ options, known, reports, peers }: Run): Promise<BenchReport> {
  const { questions: asked, buses, runs, agents } = options;
  const server = Object.values(reports).find(({ serverVersion }) => serverVersion !== undefined)?.serverVersion;
  return {
    at: new Date().toISOString(),
    machine: describeMachine(),
    versions: describeVersions(server),
    durability: {
      mode: 'a batch is on disk, in the journal by one synced write, before it is answered; the bare loop commits to LMDB as opened by default, on disk (fdatasync), too',
      fdatasyncP50Us: await measureFdatasync(),
    },
    runs,
    agents,
    buses: reports,
    peers: peers ?? null,
    notMeasured: [
      ...always,
      ...asked.flatMap(({ id, notMeasured }) => notMeasured.map((what) => `${id}: ${what}`)),
      ...known.flatMap(({ id, asks, onlyNamed }) =>
        asked.some((one) => one.id === id) ? [] : [`${id}: ${asks}${onlyNamed === undefined ? '' : ` (${onlyNamed})`}`],
      ),
      ...(['embedded', 'nats-server'] as const).flatMap((kind) => (buses.includes(kind) ? [] : [`on a bus: ${kind}`])),
      ...(peers === undefined ? ['peers: without --peers none is measured'] : missing(peers)),
    ],
  };
}

const missing = (peers: Readonly<Record<string, PeerAbout>>): string[] =>
  Object.entries(peers).flatMap(([name, about]) =>
    'missing' in about
      ? [`${name}: ${about.missing}`]
      : Object.entries(about.failed).map(([id, why]) => `${name}, ${id}: ${why}`),
  );
