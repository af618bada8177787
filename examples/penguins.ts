/**
 * The data of the svm and sweep examples: 344 penguins of three species, two of them without any measurement. Electrons that load, clean,
 * split and scale them. Not responsible for learning anything from them.
 */
import { electron } from 'polaron';
// A JSON import is packed into the bundle that the agents get; a file read at run time would not be.
import rows from '../node_modules/vega-datasets/data/penguins.json' with { type: 'json' };

export interface Penguin {
  readonly species: string;
  /** Beak length and depth (mm), flipper length (mm), body mass (g); null where it wasn't measured. */
  readonly measures: readonly (number | null)[];
}
export interface Sample {
  /** 0, 1, 2: the species in alphabetical order. */
  readonly label: number;
  readonly features: readonly number[];
}
export interface Split {
  readonly train: readonly Sample[];
  readonly test: readonly Sample[];
}

export const loadPenguins = electron(function loadPenguins(): Penguin[] {
  return rows.map((row) => ({
    species: row.Species,
    measures: [row['Beak Length (mm)'], row['Beak Depth (mm)'], row['Flipper Length (mm)'], row['Body Mass (g)']],
  }));
});

/** Drops penguins with a missing measure and numbers the species. */
export const cleanPenguins = electron(function cleanPenguins(penguins: readonly Penguin[]): Sample[] {
  const species = [...new Set(penguins.map((penguin) => penguin.species))].sort();
  const samples = penguins.flatMap(({ species: name, measures }) => {
    const features = measures.filter((measure) => measure !== null);
    return features.length === measures.length ? [{ label: species.indexOf(name), features }] : [];
  });
  console.log(`${samples.length} of ${penguins.length} penguins have every measure`);
  return samples;
});

/** Splits so that every species has the same share in both parts. The same seed gives the same split. */
export const splitStratified = electron(function splitStratified(
  samples: readonly Sample[],
  testShare: number,
  seed: number,
): Split {
  const random = mulberry32(seed);
  const labels = [...new Set(samples.map((sample) => sample.label))].sort((a, b) => a - b);
  const parts = labels.map((label) => {
    const shuffled = shuffle(
      samples.filter((sample) => sample.label === label),
      random,
    );
    const cut = Math.round(shuffled.length * testShare);
    return { test: shuffled.slice(0, cut), train: shuffled.slice(cut) };
  });
  return { train: parts.flatMap((part) => part.train), test: parts.flatMap((part) => part.test) };
});

/** Scales each feature to mean 0 and deviation 1, both taken from the training part alone, so that nothing of the test part leaks. */
export const scaleFeatures = electron(function scaleFeatures({ train, test }: Split): Split {
  const columns = (train[0]?.features ?? []).map((_, column) => {
    const values = train.map((sample) => sample.features[column] ?? 0);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return { mean, deviation: Math.sqrt(variance) };
  });
  const scale = ({ label, features }: Sample): Sample => ({
    label,
    features: columns.map(({ mean, deviation }, column) => ((features[column] ?? 0) - mean) / deviation),
  });
  return { train: train.map(scale), test: test.map(scale) };
});

/** Draws one of those left until none is. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  const shuffled: T[] = [];
  while (left.length > 0) shuffled.push(...left.splice(Math.floor(random() * left.length), 1));
  return shuffled;
}

/** A small seeded generator of numbers in [0, 1): mulberry32 by Tommy Ettinger (public domain). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
