/** A power cut of the real store: what its process asked of the kernel is replayed to a random point, with any of what wasn't synced (docs/adr/012-chaos.md). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { withRealPart } from '../support/real-part.ts';
import { randomFrom } from './chaos/random.ts';
import { record, strace, type Mutation, type Recording } from './power-cut/recording.ts';
import { startVerifier } from './power-cut/verifier.ts';

const CUTS = 80;
const folder = mkdtempSync(join(tmpdir(), 'polaron-power-cut-'));
const verifier = await startVerifier();
afterAll(() => {
  verifier.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What is broken by so many cuts, each with its seed; ends early once something is. */
async function cutOften(recording: Recording, seed: number): Promise<readonly string[]> {
  const cuts = Array.from({ length: CUTS }, (_, cut) => {
    const random = randomFrom(seed + cut);
    return { cut, random, line: random.pick(recording.lines) };
  });
  for (const { cut, random, line } of cuts.sort((a, b) => a.line - b.line)) {
    const target = mkdtempSync(join(folder, 'cut-'));
    recording.cut(line, target, (low, high) => random.between(low, high));
    const found = await verifier.verify(target, recording.acknowledged(line));
    if (found.length > 0) return found.map((what) => `seed ${seed + cut}, line ${line}: ${what}`);
    rmSync(target, { recursive: true });
  }
  return [];
}

withRealPart('strace', strace, 'recording calls to the kernel needs it', () => {
  describe('a power cut', { timeout: 120_000 }, () => {
    const seed = Date.now() % 1_000_000;

    it('loses nothing that was acknowledged, and leaves a prefix of the batches and whole values', async () => {
      const recording = await record(join(folder, 'store'));
      expect(recording.acknowledged(Number.POSITIVE_INFINITY)).toMatchObject({ opened: true, batch: 119 });
      expect(recording.acknowledged(Number.POSITIVE_INFINITY).blobs).toHaveLength(10);
      expect(await cutOften(recording, seed)).toEqual([]);
    });

    const mutations: readonly [what: string, mutation: Mutation][] = [
      [
        'acknowledges before the flush',
        {
          file: 'write-queue.ts',
          from: '    this.#toJournal(batch.ops).then(',
          to: '    batch.resolve();\n    this.#toJournal(batch.ops).then(',
        },
      ],
      [
        'does not sync its journal',
        { file: 'journal.ts', from: 'constants.O_RDWR | SYNCED_WRITES', to: 'constants.O_RDWR' },
      ],
      [
        'does not sync the names of its journal',
        { file: 'journal.ts', from: 'for (const path of [folder, dirname(folder)]) await syncFolder(path);', to: '' },
      ],
      ['writes over what LMDB lacks', { file: 'journal.ts', from: ' || other.last > this.#settled', to: '' }],
      [
        'says that LMDB has it before it has',
        {
          file: 'write-queue.ts',
          from: '    this.#toLmdb(window, upTo).then(',
          to: '    this.#o.journal.settled(upTo);\n    this.#toLmdb(window, upTo).then(',
        },
      ],
      [
        'opens LMDB without its syncs',
        { file: 'lmdb-open.ts', from: 'overlappingSync: false }', to: 'overlappingSync: false, noSync: true }' },
      ],
      [
        'names a large value before its bytes are synced',
        { file: 'blob-files.ts', from: 'await file.datasync();', to: '' },
      ],
      ['does not sync the name of a large value', { file: 'blob-files.ts', from: 'await syncFolder(folder);', to: '' }],
      [
        'does not sync the names of folders for large values',
        {
          file: 'blob-files.ts',
          from: 'if (!safe) await syncFolder(this.#folder);',
          to: '',
        },
      ],
      [
        'finds a large value before its name is synced',
        { file: 'blob-files.ts', from: 'this.#naming.add(digest);', to: '' },
      ],
      [
        'does not sync the folders above it',
        { file: 'lmdb-open.ts', from: 'await syncAbove(realpathSync(path));', to: '' },
      ],
    ];
    it.each(mutations)('is caught on a store that %s', async (what, mutation) => {
      const recording = await record(join(folder, what.replaceAll(' ', '-')), mutation);
      expect(await cutOften(recording, seed)).not.toEqual([]);
    });
  });
});
