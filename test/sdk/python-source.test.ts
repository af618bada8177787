/** Which Python files travel with a lepton, and what is seen to be missing before anything is sent. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPython } from '../../sdk/ship/python-source.ts';
import { project, removeProjects } from './ship-support.ts';

afterAll(removeProjects);

const filesOf = (files: Readonly<Record<string, string>>): string[] => {
  const folder = project(files);
  return Object.keys(readPython(join(folder, 'main.py'), 'f', 'it').sources);
};
const main = (text: string): string => `${text}\ndef f(): pass\n`;

describe('the sources of a function', () => {
  it('are its file and what that imports from beside it, step by step, and nothing else', () => {
    const found = filesOf({
      'main.py': main(
        'import os, one, two.inner as t  # three\nfrom four import (\n  x,  # five\n  y\n)\nimport numpy as np',
      ),
      'one.py': 'import six; import os',
      'two/inner.py': 'from . import beside\nfrom .deeper.leaf import z\nfrom ..main import f',
      'two/beside.py': '',
      'two/deeper/__init__.py': '',
      'two/deeper/leaf.py': '',
      'two/unused.py': '',
      'four/__init__.py': 'from four.y import y',
      'four/x.py': '',
      'four/y.py': '',
      'six.py': '    import seven',
      'seven.py': 'import one',
      'three.py': '',
      'five.py': '',
      'data.json': '{}',
    });
    expect(found).toEqual(
      'four/__init__.py four/x.py four/y.py main.py one.py seven.py six.py two/beside.py two/deeper/__init__.py two/deeper/leaf.py two/inner.py'.split(
        ' ',
      ),
    );
  });

  it('are the same data in the same order, whatever imports what first', () => {
    const [a, b] = ['import one\nimport two', 'import two\nimport one'].map((text) =>
      filesOf({ 'main.py': main(text), 'one.py': '', 'two.py': '' }),
    );
    expect(a).toEqual(b);
  });
});

describe('a function that is not there', () => {
  const check = (text: string, fn = 'score'): (() => unknown) => {
    const folder = project({ 'main.py': text });
    return () => readPython(join(folder, 'main.py'), fn, 'lepton "it" (a.ts:1)');
  };

  it.each([
    'def score(x):\n  return x',
    'async def score(x): pass',
    'if True:\n    def score(x): pass',
    'class score: pass',
    'score = lambda x: x',
    'score: object = print',
    'from other import score',
    'from other import (\n    first,\n    score,\n)',
    'from other import long as score',
    'from other import *',
    "globals()['score'] = print",
  ])('is not seen in: %s', (text) => {
    expect(check(text)).not.toThrow();
  });

  it.each(['', 'def scores(x): pass', '# def score(x)', 'x = 1\ny = "score"'])('is seen in: %s', (text) => {
    expect(check(text)).toThrow(/^lepton "it" \(a\.ts:1\): .*main\.py defines no "score"/);
  });

  it('has near matches', () => {
    expect(check('def scores(x): pass\ndef other(): pass')).toThrow(/did you mean "scores"\?$/);
    expect(check('class Model:\n  def run(self): pass', 'Model.run')).not.toThrow();
  });
});
