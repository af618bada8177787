/** The lazy connection: when it dials, when it closes, what it says when nobody answers. */
import { describe, expect, it } from 'vitest';
import { PolaronError } from '../../../model/errors.ts';
import { checkNodeVersion } from '../../../sdk/client/node-version.ts';
import { sum, until, world } from './world.ts';

const mine = (broker: { readonly buses: ReadonlySet<{ readonly identity: string }> }): number =>
  [...broker.buses].filter((bus) => bus.identity === 'u.ann').length;

describe('the connection', () => {
  it('closes itself when nothing is pending, and dials again when it is needed', async () => {
    const { broker, sdk } = world();
    expect(broker.dials).toBe(0);
    const id = await sdk.dispatch(sum)(1, 2);
    await sdk.getResult(id);
    expect(broker.dials).toBe(1);
    await until(() => mine(broker) === 0, 'the idle close');
    await sdk.getResult(id);
    expect(broker.dials).toBe(2);
  });

  it('stays open while something is pending', async () => {
    const { broker, hub, sdk } = world({ idleMs: 5 });
    const id = await sdk.dispatch(sum)(1, 2);
    const waiting = sdk.getValue(id);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(mine(broker)).toBe(1);
    hub.end(id, 'cancelled');
    await expect(waiting).rejects.toMatchObject({ code: 'WORKFLOW_CANCELLED' });
    expect(broker.dials).toBe(1);
  });

  it('counts its idle time from the last use, not from the first', async () => {
    const idleMs = 150;
    const { broker, sdk } = world({ idleMs });
    const id = await sdk.dispatch(sum)(1, 2);
    const first = performance.now();
    await until(() => performance.now() - first > idleMs / 2, 'half of the idle time');
    await sdk.getResult(id);
    const last = performance.now();
    await until(() => mine(broker) === 0, 'the idle close');
    expect(performance.now() - last).toBeGreaterThan(idleMs - 10);
    expect(broker.dials).toBe(1);
  });

  it('dials once for calls that begin together', async () => {
    const { broker, sdk } = world();
    await Promise.all([sdk.hub().api.hubStatus(), sdk.hub().api.agents(), sdk.hub().api.list()]);
    expect(broker.dials).toBe(1);
  });

  it('says at once that no hub answers at first contact', async () => {
    const { broker, sdk } = world();
    broker.up = false;
    const begun = performance.now();
    await expect(sdk.getResult('0123456789abcdefgh00-n', { wait: true })).rejects.toMatchObject({
      code: 'NO_HUB',
      message:
        'no hub answers at nats://fake:4222 (POLARON_URL): connection refused; run `polaron start`, or set POLARON_URL',
    });
    await expect(sdk.dispatch(sum)(1, 2)).rejects.toMatchObject({ code: 'NO_HUB' });
    await expect(sdk.connect()).rejects.toMatchObject({ code: 'NO_HUB' });
    expect(performance.now() - begun).toBeLessThan(500);
  });

  it('tells a bus without a hub from no bus', async () => {
    const { hub, sdk } = world();
    hub.stop();
    await expect(sdk.hub().api.hubStatus()).rejects.toMatchObject({
      code: 'NO_HUB',
      message: expect.stringContaining('the bus is up, but no hub listens there for user "ann"'),
    });
  });

  it('tells refused credentials', async () => {
    const { sdk } = world({
      dial: async () => {
        throw new PolaronError('AUTH_FAILED', 'Authorization Violation');
      },
    });
    await expect(sdk.connect()).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      message: expect.stringContaining('refused us as "u.ann"'),
    });
  });

  it('of an explicit client can be closed for good', async () => {
    const { broker, sdk } = world();
    const client = await sdk.connect();
    const id = await client.dispatch(sum)(1, 2);
    const waiting = client.getValue(id);
    await client.close();
    await expect(waiting).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    await expect(client.getResult(id)).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    expect(mine(broker)).toBe(0);
    expect((await sdk.getResult(id)).id).toBe(id);
  });

  it('remembers which bus a dispatch went to', async () => {
    const { sdk } = world();
    const id = await sdk.dispatch(sum, { bus: 'nats://u.bob:x@elsewhere:1' })(1, 2);
    await sdk.getResult(id);
    expect(sdk.hub('nats://u.bob:x@elsewhere:1').connection.contacted).toBe(true);
    expect(sdk.hub().connection.contacted).toBe(false);
  });
});

describe('an older Node', () => {
  it('is refused with one line', () => {
    for (const version of ['18.20.0', '20.18.3', '19.9.0']) {
      expect(() => checkNodeVersion(version)).toThrow(`polaron needs Node 20.19 or newer; this is Node ${version}`);
    }
    for (const version of ['20.19.0', '22.1.0', '26.0.0-nightly'])
      expect(() => checkNodeVersion(version)).not.toThrow();
  });
});
