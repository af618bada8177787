/** docs/performance.md shows the figures of the committed run, and no others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judge } from '../../bench/goal.ts';
import { pageOf, withSection } from '../../bench/performance-page.ts';
import { questions } from '../../bench/questions.ts';
import type { BenchReport } from '../../bench/report.ts';
import { root } from '../house/sources.ts';
import { readPage } from './pages.ts';

const page = readPage('docs/performance.md');
const report: BenchReport = JSON.parse(readFileSync(join(root, 'bench/results/latest.json'), 'utf8'));

describe('docs/performance.md', () => {
  it('has the figures of the committed runs: npm run bench -- --page writes them', () => {
    expect(page).toBe(pageOf(page));
  });

  it('says of every verdict of the committed run what its figure says', () => {
    const verdicts = Object.values(report.buses).flatMap(({ results }) =>
      Object.values(results).flatMap((result) => ('failed' in result ? [] : result.verdicts)),
    );
    expect(verdicts.length).toBeGreaterThan(0);
    for (const verdict of verdicts) expect(judge(verdict, verdict.got ?? undefined)).toEqual(verdict);
  });

  it('names every question of the bench', () => {
    const missing = questions.filter(({ id }) => !page.includes(`\`${id}\``));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });
});

describe('a generated section', () => {
  it('takes the place of what stood between its markers, and of nothing else', () => {
    const before = 'a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n';
    expect(withSection(before, 'x', 'new')).toBe('a\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nb\n');
    expect(() => withSection(before, 'y', 'new')).toThrow('no markers');
  });
});
