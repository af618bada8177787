/** `polaron doctor` as a table and as JSON; what is broken shows in the exit code, what is only missing doesn't. */
import { expect, it } from 'vitest';
import type { Finding } from '../../host/doctor.ts';
import { polaron } from './support/fake-context.ts';

const python: Finding = { check: 'python', state: 'missing', found: 'python3 is not installed', help: 'Install it.' };
const findings: readonly Finding[] = [{ check: 'node', state: 'ok', found: 'v20.19.0' }, python];
const host = (all: readonly Finding[]) => ({
  host: { examine: () => Promise.resolve({ findings: all, offers: ['process', 'cpus=8'] }) },
});

it('tells what was found, how to get what is missing, and what an agent offers', async () => {
  const { out, exit } = await polaron(['doctor'], host(findings));
  expect(out.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim())).toEqual([
    'CHECK STATE FOUND',
    'node ok v20.19.0',
    'python missing python3 is not installed',
    'python: Install it.',
    'an agent here offers process cpus=8',
    '',
  ]);
  expect(exit).toBe(0);
});

it('as JSON, and exits with 1 when something is broken', async () => {
  const all: readonly Finding[] = [...findings, { check: 'disk', state: 'broken', found: 'full', help: 'Free space.' }];
  const { out, exit } = await polaron(['doctor', '--json'], host(all));
  expect(JSON.parse(out)).toEqual({ ok: false, findings: all, offers: ['process', 'cpus=8'] });
  expect(exit).toBe(1);
});
