/** A value of 300 MiB from agent to agent: none of the processes on its way holds it, but for the runner whose electron does, and that once. 1 GiB: `npm run bench -- --only large-value`. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getValue } from 'polaron';
import { processInfo } from '../../executors/process/process-table.ts';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { hops, items, sides, sumAfter } from './workflows/huge.ts';

const MIB = 300;
const hub = new RealHub({ start: ['--no-agent'] });
const agents: number[] = [];
beforeAll(async () => {
  await hub.start();
  for (const side of sides) {
    const { out } = await hub.polaron(['invite', side]);
    const bus = /--bus '([^']+)'/.exec(out)?.[1] ?? '';
    agents.push(hub.launchPolaron(['agent', '--bus', bus, '--slots', '1', '--capability', side]).pid);
  }
  await until(async () => JSON.stringify(await hub.json(['agents'])).includes(sides[1]), 'both agents', 30_000);
}, 90_000);
afterAll(() => hub.close(), 60_000);

/** The most that a process ever held, MiB. */
function peakOf(pid: number): number {
  const [, kib = 'NaN'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

describe.runIf(process.platform === 'linux' && processInfo(process.pid) !== undefined)('a large value', () => {
  it('passes hub and agents in pieces, and stands in a runner once', { timeout: 240_000 }, async () => {
    const small = await getValue(await dispatch(hops)(1, 5));
    const before = [hub.pid('hub'), ...agents].map(peakOf);
    const id = await dispatch(hops)(MIB, 7);
    const { saw, peaks } = await getValue(id);
    expect(saw).toEqual({ kind: 'Float64Array', length: (MIB * 1024 ** 2) / 8, sum: sumAfter(MIB, 7) });
    const grown = [hub.pid('hub'), ...agents].map((pid, i) => Math.round(peakOf(pid) - (before[i] ?? 0)));
    const runners = peaks.map((peak, i) => peak - (small.peaks[i] ?? 0));
    process.stdout.write(
      `${MIB} MiB: hub and agents grew by ${grown.join(', ')} MiB, runners by ${runners.join(', ')}\n`,
    );
    for (const one of grown) expect(one).toBeLessThan(200);
    const [left = Number.NaN, right = Number.NaN] = runners;
    expect(right).toBeLessThan(1.3 * MIB);
    // it made one row and looked at another later: Node 24 still holds the first then
    expect(left).toBeLessThan(2.3 * MIB);
  });

  it('is an item of a map, too', { timeout: 120_000 }, async () => {
    const before = agents.map(peakOf);
    const result = await dispatchSync(items)(120, 2);
    const length = (120 * 1024 ** 2) / 8;
    expect(result).toMatchObject({ status: 'completed', value: [length, 2 * length] });
    for (const [i, pid] of agents.entries()) expect(peakOf(pid) - (before[i] ?? 0)).toBeLessThan(60);
  });
});
