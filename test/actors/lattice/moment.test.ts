/** When an attempt is recorded: E5 of actors/electron/electron.ts. */
import { afterEach, describe, expect, it } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { electron, graphOf } from '../support/graphs.ts';
import { LatticeHub, type Given } from '../support/lattice-hub.ts';

const is: Given = { fails: () => false, length: () => 0 };
const chain = graphOf(['a', 'b'], [electron(0), electron(1, [0])]);
const first = (): number => 0;
let run: LatticeHub;
afterEach(() => run.world.close());

const begin = async (durability: 'pipelined' | 'strict' = 'pipelined'): Promise<void> => {
  run = new LatticeHub(chain, is, { durability });
  await settle();
};

describe('an attempt', () => {
  it('that ends within a moment is recorded by its end alone', async () => {
    await begin();
    await run.step(first);
    expect([run.attempts.length, run.record(0)]).toEqual([1, undefined]);
    await run.step(first);
    expect(run.record(0)).toMatchObject({ status: 'completed', attempt: 1, token: [100, 1] });
    await run.world.clock.advance(1_000);
    expect(run.record(0)?.status).toBe('completed');
  });

  it('that lasts is recorded after a moment', async () => {
    await begin();
    await run.step(first);
    await run.world.clock.advance(200);
    expect(run.record(0)).toMatchObject({ status: 'assigned', attempt: 1, token: [100, 1], agent: 'lab.a1' });
  });

  it('of a strict lattice is recorded before it is sent', async () => {
    await begin('strict');
    await run.step(first);
    expect(run.record(0)).toMatchObject({ status: 'assigned', token: [100, 1] });
  });

  it('goes on when its supervisor crashes, however short it is: its token is not given out twice', async () => {
    await begin();
    await run.step(first);
    await run.supervisorCrash();
    expect(run.attempts.map(({ node, token }) => ({ node, token }))).toEqual([{ node: 0, token: [100, 1] }]);
    expect(run.ready).toEqual([]);
    await run.run(first);
    expect(run.statuses()).toEqual({ a: 'completed', b: 'completed' });
  });
});
