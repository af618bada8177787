/** Hooks and variables of an electron through a whole system: what runs around a function in its runner, and what a warm runner keeps of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatchSync, type TerminalResult } from 'polaron';
import { RealHub } from '../support/real-hub.ts';
import {
  inherited,
  makeLate,
  nested,
  outsiders,
  pluggedLater,
  queries,
  regions,
  spoils,
  unplugged,
} from './workflows/hooked.ts';

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

describe('hooks of a lattice', () => {
  it('run around its electrons that have none, wherever these are defined, and in the next dispatch no more', async () => {
    const result = await dispatchSync(inherited)();
    expect(completed(result)).toEqual([
      ['db'],
      { x: 3, db: { name: 'main', attempt: 1 } },
      { name: 'all', attempt: 1 },
      expect.stringContaining('hello'),
    ]);
    expect(await (await result.electrons.get('shellGreets')).stdout()).toContain('closed all\n');
    expect(await (await result.electrons.get('outside')).stdout()).toBe('closed all\n');
    expect(await (await result.electrons.get('query')).stdout()).toBe('closed\n');
    expect(completed(await dispatchSync(queries)())[1]).toEqual([]);
    expect(completed(await dispatchSync(outsiders)())).toEqual({ name: 'far', attempt: 1 });
  });

  it('inside another one are its own, drawn on an agent, too', async () => {
    const value = [['drawn later', ['inner'], []], ['outer']];
    expect(completed(await dispatchSync(nested)())).toEqual(value);
    expect(await nested.local()).toEqual(value);
  });

  it('that agents can not find because it is made too late say so', async () => {
    const result = await dispatchSync(makeLate())();
    if (result.status !== 'failed') throw new Error(result.status);
    expect(result.error.code).toBe('ELECTRON_NOT_FOUND');
    expect(result.error.message).toMatch(
      /^lattice 'late', whose hooks run around electron 'plain', was not defined when its module was loaded on the agent/,
    );
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
