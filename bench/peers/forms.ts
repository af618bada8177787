/** A workload in each of its forms on one peer: warm-up, runs, and which form is the fastest. Not responsible for the peer. */
import { Interrupted } from '../openings.ts';
import { type Figures, summaries, type Summary } from '../statistics.ts';
import { reasonOf } from './reason.ts';

/** Form → its figures, or why it has none. */
export type FormsReport = Readonly<Record<string, Readonly<Record<string, Summary>> | { readonly failed: string }>>;

export interface FormsResult {
  readonly forms: FormsReport;
  /** Undefined when none has figures. */
  readonly fastest: FormFigures | undefined;
  /** For people: the fastest first. */
  readonly text: string;
}

type Run = () => Promise<Figures>;
export interface FormFigures {
  readonly form: string;
  readonly figures: Readonly<Record<string, Summary>>;
}

const MOST_WARM_UPS = 12;
const MOST_WARM_UP_MS = 15_000;

/** Measures each form, `runs` times. What fails is that form's result. Raises Interrupted. */
export async function measureForms(
  names: readonly string[],
  runs: number,
  measure: (form: string) => Promise<Figures>,
): Promise<FormsResult> {
  const measured: FormFigures[] = [];
  const failures: { readonly form: string; readonly failed: string }[] = [];
  for (const form of names) {
    try {
      measured.push({ form, figures: await measureForm(runs, () => measure(form)) });
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      failures.push({ form, failed: reasonOf(error) });
    }
  }
  measured.sort((a, b) => (isBetter(mainOf(a.figures), mainOf(b.figures)) ? -1 : 1));
  const forms = [
    ...measured.map(({ form, figures }) => [form, figures] as const),
    ...failures.map(({ form, failed }) => [form, { failed }] as const),
  ];
  const lines = [
    ...measured.map(({ form, figures }) => `${form}: ${textOf(figures)}`),
    ...failures.map(({ form, failed }) => `${form}: not measured: ${failed}`),
  ];
  return {
    forms: Object.fromEntries(forms),
    fastest: measured[0],
    text: lines.length === 0 ? 'it has nothing that does this' : lines.join('; '),
  };
}

async function measureForm(runs: number, run: Run): Promise<Readonly<Record<string, Summary>>> {
  await warmUp(run);
  const all: Figures[] = [];
  for (let i = 0; i < runs; i++) all.push(await run());
  return summaries(all);
}

/** As Polaron gets it: until a run is clearly better no more, three times. A slow peer's ends after 15 s. */
async function warmUp(run: Run): Promise<void> {
  const until = performance.now() + MOST_WARM_UP_MS;
  let best = mainFigure(await run());
  for (let i = 1, late = 0; i < MOST_WARM_UPS && late < 3 && performance.now() < until; i++) {
    const now = mainFigure(await run());
    late = isBetter(now, best, 0.05) ? 0 : late + 1;
    if (late === 0) best = now;
  }
}

interface MainFigure {
  readonly value: number;
  /** A rate; what is no rate is a time. */
  readonly isRate: boolean;
}

/** The first figure of a workload is the one that it is about. */
function mainFigure(figures: Figures): MainFigure {
  const [first] = Object.entries(figures);
  if (first === undefined) throw new Error('a run without figures');
  return { value: first[1], isRate: first[0] === 'rate' };
}

const mainOf = (figures: Readonly<Record<string, Summary>>): MainFigure =>
  mainFigure(Object.fromEntries(Object.entries(figures).map(([name, { median }]) => [name, median])));

const isBetter = (a: MainFigure, b: MainFigure, by = 0): boolean =>
  a.isRate ? a.value > b.value * (1 + by) : a.value < b.value * (1 - by);

const textOf = (figures: Readonly<Record<string, Summary>>): string =>
  Object.entries(figures)
    .map(([name, { median, min, max }]) => `${name} ${median} (${min}–${max})`)
    .join(', ');
