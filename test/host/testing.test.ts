/** `polaron/testing`: what a user's own test gets. */
import { existsSync } from 'node:fs';
import { connect, electron, lattice } from 'polaron';
import { startTestHub } from 'polaron/testing';
import { expect, it } from 'vitest';

const twice = electron(function twice(x: number) {
  return 2 * x;
});
const quadruple = lattice(function quadruple(x: number) {
  return twice(twice(x));
});

it('a test hub runs a lattice for a test, and leaves nothing behind', async () => {
  const hub = await startTestHub();
  const client = await connect({ bus: hub.url });
  try {
    expect(await client.dispatchSync(quadruple)(10)).toMatchObject({ status: 'completed', value: 40 });
    expect(existsSync(hub.home)).toBe(true);
  } finally {
    await client.close();
    await hub.stop();
  }
  expect(existsSync(hub.home)).toBe(false);
});
