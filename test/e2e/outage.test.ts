/** Whoever waits for a dispatch goes on while there is no hub, longer than other calls would, says so once, and is answered by the next hub. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dispatch } from 'polaron';
import { RealHub, type Running } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { throughGate } from './workflows/gates.ts';

const hub = new RealHub();
beforeAll(async () => {
  await hub.start();
});
afterAll(() => hub.close());

/** Longer than a call that doesn't wait is tried again: 10 s. */
const AWAY_MS = 13_000;

/** Each says `waiting` when the hub has answered it. */
const script = (body: string): string => `
  import { existsSync } from 'node:fs';
  import { dispatchSync, electron, getResult, getValue, lattice, watch } from 'polaron';
  const gate = electron(async function gate(file) {
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
    return 3;
  });
  const [id, file] = process.argv.slice(2);
  const result = await getResult(id);
  console.log('waiting');
  ${body}`;

it('a hub that is away for long: every wait goes on, other calls fail', { timeout: 90_000 }, async () => {
  const folder = mkdtempSync(join(hub.home, 'gates-'));
  const id = await dispatch(throughGate)(folder, 'a');
  const file = join(folder, 'a.open');
  const run = (body: string): Running => hub.launchScript(script(body), [id, file]);
  const waiting = [
    run('console.log((await getResult(id, { wait: true })).value)'),
    run('console.log(await getValue(id))'),
    run('for await (const { type } of watch(id)) if (type === "dispatch.completed") console.log(3)'),
    run('console.log((await dispatchSync(lattice(function waits() { return gate(file); }))()).value)'),
  ];
  const seen = hub.launchPolaron(['watch', id]);
  const impatient = run(
    'while (true) { await result.args(); await new Promise((resolve) => setTimeout(resolve, 20)); }',
  );
  await until(() => [...waiting, impatient].every(({ out }) => out() === 'waiting\n'), 'all wait', 20_000);
  await until(() => seen.out().includes('running    gated'), 'the command watches', 20_000);

  await hub.stop();
  await sleep(AWAY_MS);
  await until(() => [...waiting, seen].every(({ err }) => err().includes('the hub went away')), 'all have said so');
  expect([...waiting, seen].map(({ child }) => child.exitCode)).toEqual([null, null, null, null, null]);
  expect(await impatient.finished).toMatchObject({ exit: 1, err: expect.stringContaining('NO_HUB') });
  const begun = performance.now();
  expect(await hub.polaron(['result', id, '--wait'])).toMatchObject({ exit: 3, out: '' });
  expect(performance.now() - begun).toBeLessThan(5_000);

  await hub.start();
  writeFileSync(file, '');
  for (const { exit, out, err } of await Promise.all(waiting.map(({ finished }) => finished))) {
    expect([exit, out]).toEqual([0, 'waiting\n3\n']);
    expect(err.match(/PolaronWarning/g)).toHaveLength(1);
  }
  const watched = await seen.finished;
  expect([watched.exit, watched.err.match(/PolaronWarning/g)?.length]).toEqual([0, 1]);
  expect(watched.out).toMatch(/completed {2}gated[^]*completed {2}dispatch\n$/);
});
