/**
 * The bare ceiling in a process of its own, so that it shares no heap and no event loop with what it is compared with.
 *
 *     node --import tsx bench/ceiling-process.ts URL [AGENTS]      all of its figures, once, as JSON
 *
 * Forked by the bench it answers one request at a time instead: `{ what: 'chain' }` → `{ values: [...] }`.
 */
import { type Ceiling, openCeiling } from './ceiling.ts';
import { median, percentile, tidy } from './statistics.ts';

const figures = ['chain', 'fan', 'diamonds', 'latencies', 'inFlight1000'] as const;
export type CeilingFigure = (typeof figures)[number];

async function measure(ceiling: Ceiling, what: CeilingFigure): Promise<number[]> {
  if (what === 'latencies') return ceiling.latencies(200);
  if (what === 'inFlight1000') return [await ceiling.inFlight(1_000, 60_000)];
  return [await ceiling[what]()];
}

async function times(count: number, work: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(await work());
  return tidy(median(values));
}

/** In the order of the original, since a later figure profits from what the earlier ones made warm. */
async function measureAll(ceiling: Ceiling): Promise<Record<string, number>> {
  const latencies = await ceiling.latencies(2_000);
  return {
    lat1_p50_us: tidy(percentile(latencies, 0.5)),
    lat1_p99_us: tidy(percentile(latencies, 0.99)),
    inflight100_s: await times(3, () => ceiling.inFlight(100, 60_000)),
    inflight1000_s: await times(3, () => ceiling.inFlight(1_000, 60_000)),
    batched32_s: await times(3, () => ceiling.batched(96_000)),
    W1_us_step: tidy(await ceiling.chain()),
    W2_tasks_s: await times(3, () => ceiling.fan()),
    W3_wf_s: await times(3, () => ceiling.diamonds()),
  };
}

function requested(message: unknown): CeilingFigure | undefined {
  if (typeof message !== 'object' || message === null || !('what' in message)) return undefined;
  const { what } = message;
  return figures.find((one) => one === what);
}

// Before the first wait: the bench ends this process by disconnecting, whatever it is at.
process.once('disconnect', () => process.exit(0));
const [, , url = '', agents = '1'] = process.argv;
const ceiling = await openCeiling({ url, agents: Number(agents) });
await ceiling.warmUp();
if (process.send === undefined) {
  process.stdout.write(`${JSON.stringify(await measureAll(ceiling), null, 2)}\n`);
  await ceiling.close();
} else {
  await ceiling.inFlight(1_000, 60_000);
  process.on('message', (message) => {
    const what = requested(message);
    if (what !== undefined) void measure(ceiling, what).then((values) => process.send?.({ values }));
  });
  process.send('ready');
}
