/** Three languages in one lattice: a shell command splits a text into words, Python measures them, and a function of the C library gives a root. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dispatch, getValue, lattice, lepton } from 'polaron';

/** Each word once, sorted. The text is `$1`: nothing in it is read as shell. */
export const words = lepton<[text: string], string[]>({
  name: 'words',
  language: 'shell',
  command: `printf '%s' "$1" | tr -cs 'A-Za-z' '\\n' | LC_ALL=C sort -u | sed 's/.*/"&"/' | paste -sd, - | sed 's/.*/[&]/'`,
  output: 'json',
});

export const lengths = lepton<[words: readonly string[]], { longest: string; median: number }>({
  name: 'lengths',
  language: 'python',
  source: './texts.py',
  function: 'lengths',
});

export const root = lepton<[x: number], number>({
  name: 'root',
  language: 'c',
  library: process.platform === 'darwin' ? 'libSystem.dylib' : 'libm.so.6',
  function: 'sqrt',
  arguments: ['double'],
  returns: 'double',
});

export const texts = lattice(function texts(text: string) {
  const found = words(text);
  return { count: found.length, root: root(found.length), lengths: lengths(found) };
});

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const id = await dispatch(texts)('To be, or not to be: "that" is the question; $(whoami)');
  console.log(`dispatch ${id}`);
  console.log(await getValue(id));
}
