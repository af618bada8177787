/** Electrons that end badly: neither the agent nor their neighbours notice. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getResult } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { until } from '../support/until.ts';
import { beside, rude } from './workflows/failures.ts';
import { threads } from './workflows/threads.ts';

const hub = new RealHub({ start: ['--slots', '3'] });
let agent: number;
let folder: string;
let neighbour: Awaited<ReturnType<typeof beginNeighbour>>;

/** An electron that runs all the while, in another runner of the same agent. */
async function beginNeighbour() {
  const id = await dispatch(beside)(folder);
  const notes = (): string => {
    try {
      return readFileSync(join(folder, 'notes'), 'utf8');
    } catch {
      return ''; // nothing has begun yet
    }
  };
  await until(() => notes().includes('begin neighbour'), 'the neighbour runs', 20_000);
  return { id, notes };
}

beforeAll(async () => {
  await hub.start();
  agent = hub.pid('local-agent');
  folder = mkdtempSync(join(hub.home, 'gates-'));
  neighbour = await beginNeighbour();
});
afterAll(() => hub.close());

describe('an electron that ends badly fails alone', () => {
  it.each([
    ['exits', /^EXITED$/, /exit/],
    ['crashes', /^CRASHED$/, /SIGSEGV/],
    ['loops', /^TIMEOUT$/, /300 ms/],
    ['hoards', /^(OUT_OF_MEMORY|MEMORY_LIMIT)$/, /heap|memory/], // V8 or the agent, whichever sees it first
    ['rejects', /^UNHANDLED_REJECTION$/, /nobody handles this/],
    ['throwsLater', /^UNCAUGHT$/, /out of a callback/],
  ] as const)('%s: %s', async (way, code, text) => {
    const result = await dispatchSync(rude)(way);
    if (result.status !== 'failed') throw new Error(result.status);
    expect(result.error.code).toMatch(code);
    expect(result.error.message).toMatch(text);
    expect(hub.pid('local-agent')).toBe(agent);
    if (way === 'exits') expect(await (await result.electrons.get('exits')).stdout()).toBe('leaving\n');
  });

  it('in a thread, too: the one beside it in that process runs again, without a retry', async () => {
    const result = await dispatchSync(threads)();
    if (result.status !== 'failed') throw new Error(result.status);
    expect(result.errors).toMatchObject([{ node: expect.stringContaining('crashes'), code: 'CRASHED' }]);
    expect(await (await result.electrons.get('stays')).value()).toBe('a thread');
    expect(hub.pid('local-agent')).toBe(agent);
  });

  it('and the neighbour of all of them, in its first attempt, never noticed', async () => {
    writeFileSync(join(folder, 'neighbour.open'), '');
    const result = await getResult(neighbour.id, { wait: true });
    expect(result).toMatchObject({ status: 'completed', value: 5 });
    expect((await result.electrons.get('gated')).attempts).toBe(1);
    expect(neighbour.notes().match(/begin neighbour/g)).toHaveLength(1);
    expect(hub.pid('local-agent')).toBe(agent);
  });
});
