/** A package with a native part from the registry that npm is set up for, as a user asks for one. Skipped visibly where there is no registry. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';

const WANTED = 'bufferutil@4.0.9';

function registryHas(what: string): true | undefined {
  try {
    execFileSync('npm', ['view', what, 'version'], { timeout: 30_000, stdio: 'ignore' });
    return true;
  } catch {
    return undefined;
  }
}

withRealPart('a registry of npm', registryHas(WANTED), `npm can't find ${WANTED}`, () => {
  const hub = new RealHub({ start: ['--slots', '1'] });
  beforeAll(() => hub.start());
  afterAll(() => hub.close());

  it('an electron uses a native package that its script has not', { timeout: 180_000 }, async () => {
    const run = await hub.script(`
import { dispatch, electron, getValue, lattice } from 'polaron';
const mask = electron({ deps: { npm: { bufferutil: '4.0.9' } } }, async function mask(text) {
  const { default: native } = await import('bufferutil');
  const out = Buffer.alloc(text.length);
  native.mask(Buffer.from(text), Buffer.from([1, 2, 3, 4]), out, 0, text.length);
  return [[...out], Object.keys(process.report.getReport().sharedObjects).length, process.report.getReport().sharedObjects.some((one) => one.endsWith('.node'))];
});
const main = lattice(function main() { return mask('abcd'); });
console.log(JSON.stringify(await getValue(await dispatch(main)())));
`);
    expect([run.exit, run.err]).toEqual([0, '']);
    const value: unknown = JSON.parse(run.out);
    expect(value).toEqual([[0x60, 0x60, 0x60, 0x60], expect.any(Number), true]);
  });
});
