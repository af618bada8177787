/** The last message of a job's runner on a full disk: a real disk, and a neighbour on it who takes all room that there is. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { END_FILE, OUTCOME_FILE, SPARE_BYTES, SPARE_FILE } from '../../../executors/runner/job-files.ts';
import { OutcomeFile } from '../../../executors/runner/outcome-file.ts';
import { withRealPart } from '../../support/real-part.ts';
import { fill, mountSmallDisk, unmountSmallDisk } from '../../support/small-disk.ts';

withRealPart('a small disk', mountSmallDisk(), 'mounting a tmpfs needs root', (disk) => {
  describe('the end of a job on a full disk', () => {
    const folder = join(disk, 'job');
    const neighbour = join(disk, 'neighbour');
    let file: OutcomeFile;
    beforeEach(() => {
      mkdirSync(folder);
      file = new OutcomeFile(folder);
      fill(neighbour, 0);
    });
    afterEach(() => {
      for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
    });
    afterAll(() => unmountSmallDisk(disk));

    const said = Buffer.alloc(10_000, 's');
    /** When it is about to be written, the neighbour takes what has become free. */
    const contested = (bytes: number): readonly Uint8Array[] =>
      Object.assign([Buffer.alloc(bytes, 'e')], {
        *[Symbol.iterator](): Generator<Buffer> {
          fill(neighbour, 0);
          yield Buffer.alloc(bytes, 'e');
        },
      });

    it('is written where room was kept for it, however quick a neighbour is', () => {
      file.end([said], () => contested(100_000));
      expect(readFileSync(join(folder, END_FILE))).toEqual(Buffer.alloc(100_000, 'e'));
      expect(statSync(join(folder, OUTCOME_FILE)).size).toBeLessThan(said.length);
      expect(existsSync(join(folder, SPARE_FILE))).toBe(false);
    });

    it('leaves a short spare file when it is larger than that', () => {
      expect(() => file.end([said], () => contested(2 * SPARE_BYTES))).toThrow('ENOSPC');
      expect(existsSync(join(folder, END_FILE))).toBe(false);
      expect(statSync(join(folder, SPARE_FILE)).size).toBeLessThan(SPARE_BYTES);
    });
  });
});
