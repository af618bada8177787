/** getResult, getValue, cancel: what they hold, raise, and do over outages. */
import { describe, expect, it } from 'vitest';
import { encodeList, encodePointer } from '../../../bus/value/list.ts';
import { valueInfoOf } from '../../../bus/value/digest.ts';
import { encodeValue } from '../../../bus/value/value.ts';
import { WorkflowCancelled, WorkflowFailed } from '../../../sdk/errors.ts';
import { completeSum, noise, sum, until, world } from './world.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('getResult', () => {
  it('shows a running dispatch: status, times, lattice, arguments, electrons', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    hub.electron(id, 0, 'running', { agent: 'local.a', startedAt: 5 });
    const result = await sdk.getResult(id);
    expect(result.status).toBe('running');
    expect(result.acceptedAt).toBeInstanceOf(Date);
    expect(result.lattice.name).toBe('sum');
    expect(result.lattice.source).toContain('add(a, b)');
    expect(result.lattice.graph.nodes).toHaveLength(1);
    expect(await result.args()).toEqual([1, 2]);
    expect(result.electrons.counts).toEqual({ waiting: 1 });
    const [electron] = await all(result.electrons.list());
    expect(electron).toMatchObject({
      id: 0,
      name: 'add[0]',
      status: 'running',
      agent: 'local.a',
      startedAt: new Date(5),
    });
  });

  it('waits for the end and fills the output template', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const waiting = sdk.getResult(id, { wait: true });
    await until(() => hub.count('wait') > 0, 'a wait');
    completeSum(hub, id, 3);
    const result = await waiting;
    expect(result.status === 'completed' && result.value).toEqual({ total: 3, of: [1, 2] });
    expect(hub.count('wait')).toBe(1);
  });

  it('gives an unfinished result when the timeout is over', async () => {
    const { sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    expect((await sdk.getResult(id, { wait: true, timeout: '50ms' })).status).toBe('running');
  });

  it('pulls large values by digest, pointers in lists included', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const big = encodeValue(noise(900_000, 'pulled'), 'big');
    const info = valueInfoOf(big);
    hub.values.set(info.digest, big);
    const inner = encodeList([encodePointer(info)]);
    const innerInfo = valueInfoOf(inner);
    hub.values.set(innerInfo.digest, inner);
    const list = encodeList([encodeValue('small', 'x'), encodePointer(innerInfo)]);
    const listInfo = valueInfoOf(list);
    hub.values.set(listInfo.digest, list);
    hub.end(id, 'completed', [listInfo]);
    const result = await sdk.getResult(id, { wait: true });
    const value: unknown = result.status === 'completed' ? result.value.total : undefined;
    const [small, [large] = []] = Array.isArray(value) ? value : [];
    expect(small).toBe('small');
    expect(large instanceof Uint8Array && Buffer.compare(large, noise(900_000, 'pulled'))).toBe(0);
  });

  it('takes all inputs as one list value when they are too many for a message', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const inputs = encodeList([encodeValue(42, 'x')]);
    const info = valueInfoOf(inputs);
    hub.values.set(info.digest, inputs);
    hub.end(id, 'completed', info);
    expect(await sdk.getValue(id)).toEqual({ total: 42, of: [1, 2] });
  });

  it('refuses bytes that are not those of the digest', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const big = encodeValue(noise(300_000, 'true'), 'big');
    const info = valueInfoOf(big);
    hub.values.set(info.digest, encodeValue(noise(300_000, 'false'), 'big'));
    hub.end(id, 'completed', [info]);
    await expect(sdk.getValue(id)).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
    hub.values.delete(info.digest);
    await expect(sdk.getValue(id)).rejects.toMatchObject({ code: 'VALUE_MISSING' });
  });

  it('names every root failure of a failed dispatch, with causes', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const error = {
      code: 'TASK_THREW',
      message: 'no data',
      stack: 'at x.ts:1',
      cause: { code: 'TASK_THREW', message: 'disk' },
    };
    hub.end(id, 'failed', [], {
      errors: [
        { node: 'add[0]', error },
        { node: 'add[1]', error },
      ],
    });
    const result = await sdk.getResult(id, { wait: true });
    if (result.status !== 'failed') throw new Error(result.status);
    expect(result.error).toEqual({
      node: 'add[0]',
      code: 'TASK_THREW',
      message: 'no data',
      stack: 'at x.ts:1',
      cause: { node: 'add[0]', code: 'TASK_THREW', message: 'disk' },
    });
    expect(result.errors).toHaveLength(2);
    expect(result.lattice.graph.nodes).toHaveLength(1);
  });

  it("reads an electron's value and logs when asked, and says why there is none", async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const early = await (await sdk.getResult(id)).electrons.get('add');
    await expect(early.value()).rejects.toMatchObject({
      code: 'VALUE_MISSING',
      message: expect.stringContaining('waiting'),
    });
    hub.completeElectron(id, 0, { deep: new Map([[1, 2]]) });
    const electron = await (await sdk.getResult(id)).electrons.get(0);
    expect(await electron.value()).toEqual({ deep: new Map([[1, 2]]) });
    expect(await electron.stdout()).toBe('said\n');
    expect(await electron.stderr()).toBe('complained\n');
    expect(hub.count('logs')).toBe(1);
    expect(await early.value()).toEqual({ deep: new Map([[1, 2]]) });
    hub.electron(id, 0, 'failed', { error: { code: 'TASK_THREW', message: 'boom' } });
    const failed = await (await sdk.getResult(id)).electrons.get('add[0]');
    await expect(failed.value()).rejects.toMatchObject({
      code: 'VALUE_MISSING',
      message: expect.stringContaining('boom'),
    });
  });

  it('passes on near matches of an unknown electron, and an unknown dispatch', async () => {
    const { sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const result = await sdk.getResult(id);
    await expect(result.electrons.get('ad')).rejects.toMatchObject({
      code: 'UNKNOWN_ELECTRON',
      message: expect.stringContaining('did you mean add[0]'),
    });
    await expect(result.electrons.get(7)).rejects.toMatchObject({ code: 'UNKNOWN_ELECTRON' });
    await expect(sdk.getResult('nonsense')).rejects.toMatchObject({ code: 'UNKNOWN_DISPATCH' });
    await expect(sdk.getResult(id.replace('n', 'm'), { wait: true, timeout: 10 })).rejects.toMatchObject({
      code: 'UNKNOWN_DISPATCH',
    });
  });

  it('lists electrons over several pages', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const { electrons } = hub.dispatch(id);
    for (let i = 1; i < 2_500; i++)
      electrons.push({ id: i, name: `add[${i}]`, status: 'waiting', attempts: 0, seq: 0 });
    hub.electron(id, 2_400, 'completed');
    const result = await sdk.getResult(id);
    expect((await all(result.electrons.list())).map((e) => e.id)).toEqual(electrons.map((e) => e.id));
    expect((await all(result.electrons.list({ status: 'completed' }))).map((e) => e.id)).toEqual([2_400]);
  });
});

describe('getValue', () => {
  it('raises WorkflowFailed with the electron, the message and the cause', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    hub.end(id, 'failed', [], { errors: [{ node: 'add[0]', error: { code: 'TASK_THREW', message: 'no data' } }] });
    const error: unknown = await sdk.getValue(id).catch((e: unknown) => e);
    if (!(error instanceof WorkflowFailed)) throw new Error(String(error));
    expect(error.message).toContain('add[0]');
    expect(error.message).toContain('no data');
    expect(error.cause).toMatchObject({ message: 'no data', code: 'TASK_THREW' });
    expect(error.result.errors).toHaveLength(1);
  });

  it('raises WorkflowCancelled after a cancel', async () => {
    const { sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    expect(await sdk.cancel(id, { reason: 'enough' })).toEqual({ cancelled: [id], unconfirmed: [] });
    await expect(sdk.getValue(id)).rejects.toBeInstanceOf(WorkflowCancelled);
  });

  it('raises WAIT_TIMEOUT when its time is over, and the reason of its signal', async () => {
    const { sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    await expect(sdk.getValue(id, { timeout: 30 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' });
    const stop = new AbortController();
    const waiting = sdk.getValue(id, { signal: stop.signal });
    stop.abort(new Error('the user left'));
    await expect(waiting).rejects.toThrow('the user left');
  });

  it('asks one round trip when the dispatch has ended', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    completeSum(hub, id, 3);
    const before = hub.asked.length;
    expect(await sdk.getValue(id)).toEqual({ total: 3, of: [1, 2] });
    expect(hub.asked.slice(before).map(({ what }) => what)).toEqual(['wait']);
  });

  it('goes on when the hub stops while it waits and comes back', async () => {
    const { broker, hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const waiting = sdk.getValue(id);
    await until(() => hub.count('wait') === 1, 'a wait');
    broker.up = false;
    broker.cut();
    hub.stop();
    const dials = broker.dials;
    await until(() => broker.dials > dials + 1, 'dials in vain');
    broker.up = true;
    hub.start(broker.connect('hub.n'));
    await until(() => hub.count('wait') === 2, 'a second wait');
    completeSum(hub, id, 3);
    expect(await waiting).toEqual({ total: 3, of: [1, 2] });
  });

  it('goes on when the hub stops soon after its first answer to a process that did not dispatch', async () => {
    const { broker, hub, sdk } = world();
    const id = await world({ dial: async (target) => broker.connect(target.identity) }).sdk.dispatch(sum)(1, 2);
    const waiting = sdk.getValue(id);
    // Not only when a long poll is over.
    await until(() => sdk.hub().connection.contacted, 'the first answer', 800);
    broker.up = false;
    broker.cut();
    hub.stop();
    const dials = broker.dials;
    await until(() => broker.dials > dials + 1, 'dials in vain');
    broker.up = true;
    hub.start(broker.connect('hub.n'));
    completeSum(hub, id, 3);
    expect(await waiting).toEqual({ total: 3, of: [1, 2] });
  });

  it('goes on when the hub leaves a bus that stays', async () => {
    const { broker, hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    hub.stop();
    const waiting = sdk.getValue(id);
    await new Promise((resolve) => setTimeout(resolve, 150));
    hub.start(broker.connect('hub.n'));
    completeSum(hub, id, 3);
    expect(await waiting).toEqual({ total: 3, of: [1, 2] });
  });

  it('is not fooled by a lost answer', async () => {
    const { broker, hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    let lost = false;
    broker.drop = (subject) => {
      if (lost || !subject.startsWith('_INBOX.u.ann')) return false;
      lost = true;
      return true;
    };
    const stop = AbortSignal.timeout(9_000);
    completeSum(hub, id, 3);
    expect(await sdk.getValue(id, { signal: stop })).toEqual({ total: 3, of: [1, 2] });
    expect(lost).toBe(true);
  }, 10_000);

  it('says what is wrong when it gets a promise for an id', async () => {
    const { sdk } = world();
    const promise: unknown = sdk.dispatch(sum)(1, 2);
    const misused: (id: unknown) => unknown = (id) => Reflect.apply(sdk.getValue, undefined, [id]);
    await expect(async () => misused(promise)).rejects.toThrow(/await dispatch/);
    await promise;
  });
});
