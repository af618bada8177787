/** Shape of the files, as docs and style ask for it: length, name, head comment. And what no commit may hold. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSource, root, sourceFiles } from './sources.ts';

const files = sourceFiles();

describe('source files', () => {
  it('stay within 400 lines, tests and benchmarks within 600', () => {
    const long = files.flatMap((path) => {
      const limit = /^(test|bench)\//.test(path) ? 600 : 400;
      const lines = readSource(path).split('\n').length;
      return lines > limit ? [`${path}: ${lines} lines, ${limit} at most`] : [];
    });
    expect(long).toEqual([]);
  });

  it('have kebab-case names that say something', () => {
    const wrong = files.filter((path) => {
      const stem = basename(path).split('.')[0] ?? '';
      return !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem) || /^(utils?|helpers?|common|misc)$/.test(stem);
    });
    expect(wrong).toEqual([]);
  });

  it('begin with what they are responsible for', () => {
    const silent = files.filter(
      (path) => !path.startsWith('test/') && !/^(#![^\n]*\n)?\s*\/[*/]/.test(readSource(path)),
    );
    expect(silent).toEqual([]);
  });

  it('hold no suppression without its rule, no type check switched off, and no unfinished business', () => {
    const smell =
      /as unknown as|@ts-ignore|@ts-nocheck|oxlint-disable(-next-line|-line)?\s*$|\b(TODO|FIXME)\b|\b(it|describe|test)\.only\(/;
    const found = files
      .filter((path) => !path.startsWith('test/house/'))
      .flatMap((path) =>
        readSource(path)
          .split('\n')
          .flatMap((line, index) => (smell.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
      );
    expect(found).toEqual([]);
  });
});

describe('package-lock.json', () => {
  it('records no address of a registry', () => {
    const addresses = readFileSync(join(root, 'package-lock.json'), 'utf8').match(/"resolved": *"https?:[^"]*"/g);
    expect(addresses).toBeNull();
  });
});
