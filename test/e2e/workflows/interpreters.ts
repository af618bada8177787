/** Leptons with interpreters of their own: the path of a virtual environment comes with the dispatch's process. */
import { lattice, lepton } from 'polaron';

const venv = process.env['TEST_VENV'] ?? '/no/such/venv';

const prefix = lepton<[], string>({
  name: 'prefix',
  language: 'python',
  source: './py/prefix.py',
  function: 'prefix',
  executor: { type: 'python', venv },
});
const usualPrefix = lepton<[], string>({
  name: 'usualPrefix',
  language: 'python',
  source: './py/prefix.py',
  function: 'prefix',
});
const bash = lepton<[], string>({
  name: 'bash',
  language: 'shell',
  command: 'echo "${BASH_VERSION:-none} $1"',
  executor: { type: 'shell', shell: '/bin/bash' },
});
const nowhere = lepton<[], string>({
  name: 'nowhere',
  language: 'shell',
  command: 'true',
  executor: { type: 'shell', shell: '/no/such/shell' },
});

export const prefixes = lattice(function prefixes() {
  return { own: prefix(), usual: usualPrefix() };
});
export const inBash = lattice(function inBash() {
  return bash();
});
export const inNothing = lattice(function inNothing() {
  return nowhere();
});
