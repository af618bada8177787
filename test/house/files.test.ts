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
    const silent = files.filter((path) => !/^(#![^\n]*\n)?\s*\/[*/]/.test(readSource(path)));
    expect(silent).toEqual([]);
  });

  it('hold no any, no suppression and no unfinished business', () => {
    const smell =
      /\b(as any|: any\b|as unknown as|@ts-ignore|oxlint-disable(?! \S)|TODO|FIXME)|\b(it|describe|test)\.only\(/;
    const shipped = files.filter((path) => !path.startsWith('test/house/'));
    const found = shipped.flatMap((path) =>
      readSource(path)
        .split('\n')
        .flatMap((line, index) =>
          smell.test(line) && !allowedAny(path) ? [`${path}:${index + 1} ${line.trim()}`] : [],
        ),
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

/** The SDK's type machinery infers over arbitrary functions, which TypeScript can only say with `any` (sdk.d.ts). */
function allowedAny(path: string): boolean {
  return path.startsWith('sdk/');
}
