/** A class of one's own on its way between electrons, and inputs that are checked: docs/guides/values.md. */
import { dispatchSync, electron, lattice, registerCodec } from 'polaron';
import * as z from 'zod';

class Series {
  readonly unit: string;
  readonly values: Float64Array;

  constructor(unit: string, values: Float64Array) {
    this.unit = unit;
    this.values = values;
  }

  mean(): number {
    return this.values.reduce((sum, value) => sum + value, 0) / this.values.length;
  }
}
registerCodec(Series, {
  name: 'Series',
  encode: ({ unit, values }) => ({ unit, values }),
  decode: ({ unit, values }) => new Series(unit, values),
});

const measure = electron(function measure(count: number): Series {
  return new Series(
    'mm',
    Float64Array.from({ length: count }, (_, i) => i),
  );
});
const Options = z.object({ digits: z.int().min(0).max(12).default(2) });
const report = electron({ input: [z.instanceof(Series), Options] }, function report(series, { digits }) {
  return `${series.mean().toFixed(digits)} ${series.unit}`;
});

const study = lattice(function study(count: number) {
  const series = measure(count);
  return { series, text: report(series, {}) };
});
const careless = lattice(function careless(digits: number) {
  return report(measure(1), { digits });
});

const result = await dispatchSync(study)(4);
if (result.status === 'completed') console.log(result.value.text, result.value.series instanceof Series);
await dispatchSync(careless)(99).catch((error: unknown) => console.log(String(error)));
