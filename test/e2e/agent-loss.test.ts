/** An agent that dies without a word: with a lease of 3 s its loss is noticed, and its electron runs elsewhere, at most a second after the lease. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dispatch, getResult } from 'polaron';
import { credentialsFor } from '../../bus/credentials.ts';
import { agentIdentity } from '../../bus/identity.ts';
import { loadIdentity } from '../../host/data-folder.ts';
import { RealHub, type Running } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { gatedOnB } from './workflows/places.ts';

const LEASE_MS = 3_000;
const hub = new RealHub({ start: ['--no-agent'], env: { POLARON_LEASE_MS: String(LEASE_MS) } });
beforeAll(() => hub.start());
afterAll(() => hub.close());

/** On the embedded broker, with credentials of its own. */
async function startAgent(name: string): Promise<Running> {
  const { bus } = hub.file();
  const { user, password } = credentialsFor(loadIdentity(join(hub.home, 'data')).secret, agentIdentity('lab', name));
  const url = Object.assign(new URL(bus), { username: user, password });
  const args = ['agent', '--bus', url.href, '--name', name, '--site', 'lab', '--slots', '1', '--capability', 'b'];
  const agent = hub.launchPolaron(args, { POLARON_HOME: mkdtempSync(join(hub.home, `${name}-`)) });
  await until(() => agent.out().includes('ready'), `agent ${name} joins: ${agent.err()}`, 30_000);
  return agent;
}

it('is lost when its lease ends, and its electron begins on another at once', async () => {
  const folder = mkdtempSync(join(hub.home, 'gates-'));
  const notes = (): readonly string[] => {
    try {
      return readFileSync(join(folder, 'notes'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  const first = await startAgent('first');
  const id = await dispatch(gatedOnB)(folder);
  await until(() => notes().length === 1, 'it runs on the first', 30_000);
  await startAgent('second');

  const killedAt = Date.now();
  await hub.kill(first.pid);
  await until(() => notes().length === 2, 'it runs on the second', 30_000);
  const log = readFileSync(join(hub.home, 'hub.log'), 'utf8');
  const lost = /^(\S+) .*agent lost.*lab\.first/m.exec(log)?.[1] ?? '';
  const noticedMs = Date.parse(lost) - killedAt;
  // The last sync may have been a heartbeat before the kill.
  expect(noticedMs).toBeGreaterThan(LEASE_MS - 1_000);
  expect(noticedMs).toBeLessThan(LEASE_MS + 1_000);
  // that it was assigned is recorded once it has lasted a moment
  const electron = async () => (await getResult(id)).electrons.get('gated');
  await expect.poll(electron, { timeout: 20_000 }).toMatchObject({ agent: 'lab.second', attempts: 2 });
});
