/** Leptons in Python, their files beside this one. */
import { electron, lattice, lepton } from 'polaron';

const source = './py/score.py';
const score = lepton<[rows: number[], weight?: number], { mean: number; rows: number[]; said: string }>({
  name: 'score',
  language: 'python',
  source,
  function: 'score',
});
const hypot = lepton<[number, number], number>({
  name: 'hypot',
  language: 'python',
  source: 'math',
  function: 'hypot',
});
const root = lepton<[number], number>({ name: 'root', language: 'python', source: 'math', function: 'sqrt' });
const rowsOf = electron(function rowsOf(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
});
/** An electron that runs a lepton as a function of its own. */
const inside = electron(async function inside(rows: number[]): Promise<number> {
  return (await score.local(rows, 10)).mean;
});
const count = electron(function count(all: readonly unknown[]): number {
  return all.length;
});

export const scores = lattice(function scores(counts: number[]) {
  const whole = score(rowsOf(5), 2);
  const each = rowsOf(3).map(root);
  return { whole, mean: whole.mean, inside: inside(whole.rows), five: hypot(3, 4), each, many: count(each), counts };
});
const unlucky = lepton<[string], number>({
  name: 'unlucky',
  language: 'python',
  source,
  function: 'unlucky',
  retries: { max: 5, delay: 1, retryOn: ['Unlucky'] },
});
export const thirdTime = lattice(function thirdTime(file: string) {
  return unlucky(file);
});

const ends = lepton<[how: string], unknown>({ name: 'ends', language: 'python', source, function: 'ends' });
const loops = ends.with({ name: 'loops', timeout: '1s' });
const hoards = ends.with({ name: 'hoards', memoryMb: 256, timeout: '30s' });
export const ending = lattice(function ending(how: string) {
  return how === 'loops' ? loops(how) : how === 'hoards' ? hoards(how) : ends(how);
});

const stays = lepton<[folder: string], never>({ name: 'stays', language: 'python', source, function: 'stays' });
export const staying = lattice(function staying(folder: string) {
  return stays(folder);
});

const centred = lepton<[Float64Array], Float64Array>({
  name: 'centred',
  language: 'python',
  source,
  function: 'centred',
});
export const centre = lattice(function centre(values: Float64Array) {
  return centred(centred(values));
});

const noFile = lepton<[], number>({ name: 'noFile', language: 'python', source: './py/none.py', function: 'f' });
const noFunction = lepton<[], number>({ name: 'noFunction', language: 'python', source, function: 'scores' });
const noModule = lepton<[], number>({ name: 'noModule', language: 'python', source: 'no.such', function: 'f' });
const missing = { noFile, noFunction, noModule };
export const absent = lattice(function absent(which: keyof typeof missing) {
  return missing[which]();
});
