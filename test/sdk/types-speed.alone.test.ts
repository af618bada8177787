/** What the types cost the compiler: CPU time, since the machine may be busy, of the best of some runs. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../house/sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'polaron-types-speed-'));
beforeAll(() => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'polaron'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** A lattice of so many electrons, each with types of its own: Refs whole, their properties, literals with Refs in them, maps, order. */
function program(count: number): string {
  const definitions = range(count).map(
    (n) => `interface Table${n} {
  rows: { id: number; label?: string; tags: string[] }[]; pair: [number, string]; at: Date; kind: 'a' | 'b'; maybe: { deep: { n${n}: number } } | null;
}
const step${n} = electron({ name: 'step${n}', retries: 2, timeout: '1m' }, async function step${n}(
  table: Table${Math.max(0, n - 1)}, factor: number, options?: { verbose: boolean; limits: number[] },
): Promise<Table${n}> { throw new Error(\`\${table.kind} \${factor} \${options?.verbose}\`); });`,
  );
  const calls = range(count).map((n) => {
    const from = n === 0 ? 'start' : `t${n - 1}`;
    if (n === 0) return '  const t0 = step0(start, factor);';
    if (n % 10 === 5)
      return `  const t${n} = after(${from}, () => step${n}(${from}, ${from}.pair[0], { verbose: true, limits: [t0.rows.length, 3] }));`;
    if (n % 10 === 9)
      return `  const t${n} = step${n}(${from}, ${from}.rows.map((row, i) => ({ id: row.id, again: step0({ ...start, pair: [row.id, 'x'] }, i) })).length);`;
    return `  const t${n} = step${n}(${from}, ${from}.rows.length);`;
  });
  return `import { after, dispatch, electron, getValue, lattice } from 'polaron';
${definitions.join('\n')}
const whole = lattice(function whole(start: Table0, factor: number) {
${calls.join('\n')}
  return { last: t${count - 1}, parts: [${range(count)
    .map((n) => `t${n}.pair`)
    .join(', ')}] };
});
declare const start: Table0;
export const at: Date = (await getValue(await dispatch(whole)(start, 2))).last.at;
`;
}

/** User and system time of `tsc`, ms: the shell tells what its children took. */
async function compilerMs(name: string, code: string): Promise<number> {
  writeFileSync(join(folder, `${name}.ts`), code);
  const options = '--noEmit --strict --skipLibCheck --module nodenext --target es2022 --types node';
  const typeRoots = join(root, 'node_modules', '@types');
  const tsc = `"${process.execPath}" "${join(root, 'node_modules/typescript/bin/tsc')}" ${options} --typeRoots "${typeRoots}" ${name}.ts`;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', `${tsc}; times`], { cwd: folder });
  const children = stdout.trim().split('\n').slice(1).join(' ');
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  expect(stdout).not.toContain('error');
  expect(seconds).toHaveLength(2);
  return seconds.reduce((sum, part) => sum + part) * 1_000;
}

test('a lattice of 200 electrons is checked in a second', { timeout: 120_000 }, async () => {
  let [small, large] = [Infinity, Infinity];
  for (let run = 0; run < 5; run++) {
    small = Math.min(small, await compilerMs('small', program(1)));
    large = Math.min(large, await compilerMs('large', program(200)));
    if (large - small < 1_000) break;
  }
  expect(large - small).toBeLessThan(1_000);
});
