/** dispatch: what is refused, sent, uploaded, and sent again. */
import { describe, expect, it } from 'vitest';
import { PolaronError } from '../../../model/errors.ts';
import { digestOf } from '../../../bus/value/digest.ts';
import { decodeValue } from '../../../bus/value/value.ts';
import { electron } from '../../../sdk/electron.ts';
import { lattice } from '../../../sdk/lattice.ts';
import { completeSum, noise, sum, world } from './world.ts';

const size = electron(function size(bytes: Uint8Array): number {
  return bytes.length;
});
const measure = lattice(function measure(bytes: Uint8Array) {
  return size(bytes);
});

describe('dispatch', () => {
  it('submits graph, arguments, bundle and argv, and resolves with the id', async () => {
    const { hub, sdk } = world();
    const id = await sdk.dispatch(sum)(1, 2);
    const { submit, detail } = hub.dispatch(id);
    expect(detail.user).toBe('ann');
    expect(submit.lattice.name).toBe('sum');
    expect(submit.lattice.source).toContain('add(a, b)');
    expect(submit.argv).toEqual(['--flag']);
    expect('bytes' in submit.args ? decodeValue(submit.args.bytes) : undefined).toEqual([1, 2]);
    expect(submit.bundle).toBeDefined();
  });

  it('uploads the bundle once for any number of dispatches', async () => {
    const { hub, sdk } = world();
    await sdk.dispatch(sum)(1, 2);
    await Promise.all(Array.from({ length: 20 }, (_, i) => sdk.dispatch(sum)(i, i)));
    expect(hub.count('put')).toBe(1);
    expect(hub.count('has')).toBe(1);
    expect(hub.count('submit')).toBe(21);
  });

  it('asks nothing of a bundle that an earlier process made', async () => {
    const { hub, sdk, code } = world();
    const bytes = new TextEncoder().encode(code.text);
    hub.values.set(digestOf(bytes), bytes);
    code.madeBefore = true;
    await sdk.dispatch(sum)(1, 2);
    await sdk.dispatch(sum)(3, 4);
    expect(hub.asked.map(({ what }) => what)).toEqual(['submit', 'submit']);
  });

  it('uploads it when the hub has not got it, and believes that only once', async () => {
    const { hub, sdk, code } = world();
    code.madeBefore = true;
    await Promise.all(Array.from({ length: 5 }, (_, i) => sdk.dispatch(sum)(i, i)));
    expect(hub.count('put')).toBe(1);
    expect(hub.dispatches.size).toBe(5);
    hub.values.clear(); // another data folder
    await sdk.dispatch(sum)(1, 2);
    expect(hub.count('put')).toBe(2);
    expect(hub.dispatches.size).toBe(6);
    const { blobs } = sdk.hub();
    const digest = digestOf(new TextEncoder().encode(code.text));
    blobs.forget();
    blobs.believe(digest); // while it is being uploaded, another dispatch must not take it for known
    expect(blobs.knows(digest)).toBe(false);
  });

  it('uploads the bundle once when the first dispatches are made together', async () => {
    const { hub, sdk } = world();
    await Promise.all(Array.from({ length: 20 }, (_, i) => sdk.dispatch(sum)(i, i)));
    expect(hub.count('put')).toBe(1);
  });

  it('sends large arguments as values, in chunks, before the submit', async () => {
    const { hub, sdk } = world();
    const bytes = noise(1_500_000, 'large');
    const id = await sdk.dispatch(measure)(bytes);
    const { submit } = hub.dispatch(id);
    expect('value' in submit.args && submit.args.value.size).toBeGreaterThan(1_500_000);
    const chunks = hub.asked.filter(({ what }) => what === 'put').map(({ body }) => body['bytes']);
    for (const chunk of chunks) expect(chunk instanceof Uint8Array && chunk.length <= 256 * 1024).toBe(true);
  });

  it('fits a bus that takes small messages only', async () => {
    const { hub, sdk } = world({}, 64 * 1024);
    const id = await sdk.dispatch(measure)(noise(300_000, 'narrow'));
    expect('value' in hub.dispatch(id).submit.args).toBe(true);
  });

  it('resumes an upload where the hub stands after an outage', async () => {
    const { broker, hub, sdk } = world();
    let cut = false;
    broker.drop = (subject) => {
      if (!cut && subject.endsWith('.put') && hub.count('put') >= 4) {
        cut = true;
        hub.forgetUploads();
        for (const bus of broker.buses) if (bus.identity === 'u.ann') bus.lose();
        return true;
      }
      return false;
    };
    const bytes = noise(3_000_000, 'outage');
    const id = await sdk.dispatch(measure)(bytes);
    expect(cut).toBe(true);
    // Twice 12 chunks (arguments, literal), and again those that the hub had forgotten: no blind repetition.
    expect(hub.count('put')).toBeLessThan(42);
    const { submit } = hub.dispatch(id);
    const info = 'value' in submit.args ? submit.args.value : undefined;
    expect(info !== undefined && hub.values.get(info.digest)?.length).toBe(info?.size);
  });

  it('refuses what cannot be sent before anything is sent', async () => {
    const { broker, hub, sdk } = world();
    const take = electron(function take(_x: unknown): number {
      return 1;
    });
    const l = lattice(function useless(_x: unknown) {
      return take(1);
    });
    await expect(sdk.dispatch(l)({ deep: [() => 1] })).rejects.toMatchObject({
      code: 'NOT_SERIALISABLE',
      message: expect.stringContaining('[0]'),
    });
    expect(hub.asked).toEqual([]);
    expect(broker.dials).toBe(0);
  });

  it('refuses a command line and metadata that would fill messages, before anything is sent', async () => {
    const { hub, sdk } = world({ argv: () => ['x'.repeat(200_000)] });
    await expect(sdk.dispatch(sum)(1, 2)).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: expect.stringMatching(/^the command line of the script .*: 20000\d bytes; at most 131072 are taken$/),
      help: 'Pass large data as an argument of the lattice.',
    });
    const noted = lattice({ metadata: { note: 'x'.repeat(100_000) } }, function noted() {
      return size(new Uint8Array());
    });
    await expect(world().sdk.dispatch(noted)()).rejects.toMatchObject({ details: { part: 'metadata' } });
    expect(hub.asked).toEqual([]);
  });

  it('names the argument that is over the limit', async () => {
    const { hub, sdk } = world({ maxValueBytes: 1_000 });
    await expect(sdk.dispatch(measure)(noise(2_000, 'limit'))).rejects.toMatchObject({
      code: 'VALUE_TOO_LARGE',
      message: expect.stringContaining('argument [0]'),
    });
    expect(hub.asked).toEqual([]);
  });

  it('starts one dispatch when the answer to its submit is lost', async () => {
    const { broker, hub, sdk } = world();
    let lost = 0;
    hub.onSubmit = () => {
      lost++;
      for (const bus of broker.buses) if (bus.identity === 'u.ann') bus.lose();
    };
    const id = await sdk.dispatch(sum)(1, 2);
    expect(lost).toBe(1);
    expect(hub.count('submit')).toBe(2);
    expect([...hub.dispatches.keys()]).toEqual([id]);
  });

  it('uploads again what a hub with another data folder misses', async () => {
    const { hub, sdk } = world();
    await sdk.dispatch(sum)(1, 2);
    hub.values.clear();
    hub.forgetUploads();
    const id = await sdk.dispatch(sum)(3, 4);
    expect(hub.dispatch(id).submit.bundle).toBeDefined();
    expect(hub.count('put')).toBe(2);
  });

  it('waits a little when the hub is busy', async () => {
    const { hub, sdk } = world();
    hub.failNext.set('submit', [new PolaronError('HUB_BUSY', 'full'), new PolaronError('HUB_BUSY', 'full')]);
    await sdk.dispatch(sum)(1, 2);
    expect(hub.count('submit')).toBe(3);
  });

  it("passes on the hub's refusal with code and help", async () => {
    const { hub, sdk } = world();
    hub.failNext.set('submit', [
      new PolaronError('IDEMPOTENCY_MISMATCH', 'key "k" was used', { help: 'Use another.' }),
    ]);
    await expect(sdk.dispatch(sum, { idempotencyKey: 'k' })(1, 2)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
      help: 'Use another.',
    });
  });

  it('says each warning of the bundler once', async () => {
    const { sdk, code } = world();
    code.warnings.push(`steps.ts:3 reads process.env.X ${Math.random()}`);
    const said: string[] = [];
    const listen = (warning: Error): void => void said.push(warning.message);
    process.on('warning', listen);
    await sdk.dispatch(sum)(1, 2);
    await sdk.dispatch(sum)(1, 3);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(said.filter((text) => code.warnings.includes(text))).toHaveLength(1);
  });

  it('dispatchSync gives the value and the lattice with one wait', async () => {
    const { hub, sdk } = world();
    hub.onSubmit = (id) => setTimeout(() => completeSum(hub, id, 3), 5);
    const result = await sdk.dispatchSync(sum)(1, 2);
    expect(result.status === 'completed' && result.value).toEqual({ total: 3, of: [1, 2] });
    expect(result.lattice.graph.nodes.map((node) => node.name)).toEqual(['add']);
    expect(hub.asked.map(({ what }) => what)).toEqual(['has', 'put', 'submit', 'wait']);
  });
});
