/** Shape of the files, as docs and style ask for it: length, name, head comment. And what no commit may hold. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSource, root, sourceFiles } from './sources.ts';

const files = sourceFiles();

const peerFolders = readdirSync(join(root, 'bench/peers'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

function packagesOf(lock: string): Readonly<Record<string, unknown>> {
  const { packages }: { packages: Readonly<Record<string, unknown>> } = JSON.parse(readSource(lock));
  return packages;
}

function dependenciesOf(path: string): Readonly<Record<string, string>> {
  const { dependencies = {} }: { dependencies?: Readonly<Record<string, string>> } = JSON.parse(readSource(path));
  return dependencies;
}

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
  it("records no address of a registry, the peers' own ones neither", () => {
    const folders = ['', ...peerFolders.map((name) => `bench/peers/${name}`)];
    const locks = folders
      .map((folder) => join(folder, 'package-lock.json'))
      .filter((path) => existsSync(join(root, path)));
    expect(locks).toContain('bench/peers/bullmq/package-lock.json');
    const found = locks.filter((path) => /"resolved": *"https?:/.test(readSource(path)));
    expect(found).toEqual([]);
  });

  it('of the package brings no peer of the bench', () => {
    const own = new Set(Object.keys(packagesOf('package-lock.json')));
    const theirs = ['bullmq', 'dbos', 'restate'].flatMap((name) =>
      Object.keys(dependenciesOf(`bench/peers/${name}/package.json`)),
    );
    expect(theirs).toContain('bullmq');
    expect(theirs.filter((name) => own.has(`node_modules/${name}`))).toEqual([]);
  });
});
