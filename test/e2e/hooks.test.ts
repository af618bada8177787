/** Hooks and variables of an electron through a whole system: what runs around a function in its runner, and what a warm runner keeps of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatchSync, type TerminalResult } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import { pluggedLater, queries, regions, spoils, unplugged } from './workflows/hooked.ts';

const hub = new RealHub({ start: ['--slots', '1'], env: { TZ: 'UTC' } });
beforeAll(() => hub.start());
afterAll(() => hub.close());

function completed<T>(result: TerminalResult<T>): T {
  if (result.status !== 'completed') throw new Error(JSON.stringify(result));
  return result.value;
}

describe('hooks', () => {
  it('give an electron what they return, and the next one in the same process nothing of it', async () => {
    const result = await dispatchSync(queries)();
    const db = { name: 'main', attempt: 1 };
    expect(completed(result)).toEqual([{ x: 1, db }, [], { x: 2, db }]);
    expect(await (await result.electrons.get(0)).stdout()).toBe('closed\n');
  });

  it('that throw fail the electron with their name and place, and the error of their own', async () => {
    const result = await dispatchSync(unplugged)();
    if (result.status !== 'failed') throw new Error(result.status);
    const { code, message, stack } = result.error;
    expect(code).toBe('HOOK_FAILED');
    expect(message).toMatch(/^electron "powered" \(hooked\.ts:\d+\): before hook 2 "checkPower": no power$/);
    expect(stack).toMatch(/Error: no power\n.*checkPower.*hooked\.ts:\d+/);
    expect(await hub.json(['result', result.id])).toMatchObject({ error: { code: 'HOOK_FAILED', name: 'Unplugged' } });
  });

  it('that throw are tried again by the class of their error, as the function is', async () => {
    expect(completed(await dispatchSync(pluggedLater)())).toBe(2);
  });

  it('after a function that succeeded fail it when they throw', async () => {
    const result = await dispatchSync(spoils)();
    if (result.status !== 'failed') throw new Error(result.status);
    expect(result.error.message).toMatch(/^electron "spoilt" \(hooked\.ts:\d+\): after hook 2: .*JSON/);
    expect(await (await result.electrons.get(0)).stdout()).toBe('noted\n');
  });
});

describe('variables', () => {
  it("are an electron's own, inherited from the lattice by one without any, and gone for the next in its process", async () => {
    const [own, inherited, none] = completed(await dispatchSync(regions)());
    expect(own?.slice(1)).toEqual(['eu', 'Asia/Tokyo', 9]);
    expect(inherited?.slice(1)).toEqual(['us', 'UTC']);
    expect(none?.slice(1)).toEqual([undefined, 'UTC']);
    expect(new Set([own?.[0], inherited?.[0], none?.[0]]).size).toBe(1);
  });
});
