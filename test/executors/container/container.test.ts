/** Electrons in containers of a real engine: what they see, what holds them, what is left of them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fieldIn } from '../../../executors/container/engine-json.ts';
import type { Outcome } from '../../../model/outcome.ts';
import { withContainerEngine } from '../../support/container-engine.ts';
import {
  containersOf,
  openContainerBench,
  processesWith,
  volumesOf,
  type ContainerBench,
} from '../../support/container-bench.ts';
import { inlineValue } from '../../support/pool-bench.ts';
import { until } from '../../support/until.ts';

const errorOf = (outcome: Outcome): unknown => (outcome.status === 'failed' ? outcome.error : outcome);

withContainerEngine('the executor container', ({ image, bare }) => {
  describe('an electron in a container', { timeout: 60_000 }, () => {
    let bench: ContainerBench;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'polaron-mounts-'));
      for (const name of ['open', 'read', 'closed']) mkdirSync(join(folder, name));
      writeFileSync(join(folder, 'open', 'data'), 'of the machine');
      writeFileSync(join(folder, 'read', 'data'), 'to be read');
      writeFileSync(join(folder, 'closed', 'data'), 'secret');
      symlinkSync(join(folder, 'closed'), join(folder, 'open', 'link'));
      const POLARON_CONTAINER_MOUNTS = `${join(folder, 'open')}:${join(folder, 'read')}=ro`;
      bench = await openContainerBench({ ...process.env, POLARON_CONTAINER_MOUNTS });
    });
    afterAll(async () => {
      await bench.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const run = (electron: string, args: readonly unknown[], options: object): Promise<Outcome> =>
      bench.run(electron, args, options);
    const value = async (electron: string, args: readonly unknown[], options: object): Promise<unknown> =>
      inlineValue(await run(electron, args, options));

    it("has the image around it and the agent's Node.js, and the next one finds both warm", async () => {
      const first = await value('where', [], { image });
      expect(await value('where', [], { image })).toEqual(first);
      expect(await value('where', [], { image, env: { OTHER: 'place' } })).not.toEqual(first);
      expect(await value('node', [], { image })).toEqual(['/.polaron/node', process.version]);
      expect(await value('env', [], { image })).toMatchObject({ 0: 'of-the-image' });
      expect(await value('env', [], { image, env: { FLAVOUR: 'sour' } })).toMatchObject({ 0: 'sour' });
    });

    it('runs in an image that has nothing but glibc', async () => {
      expect(await value('add', [20, 22], { image: bare })).toBe(42);
      expect(await value('reads', ['/bin/sh'], { image: bare })).toMatchObject({ error: { code: 'TASK_THREW' } });
    });

    it("runs with the image's Node.js when it says so, and hears when there is none", async () => {
      // The image brings its own version, which is not always that of the tests.
      expect(await value('node', [], { image, node: 'image' })).toEqual([
        '/usr/bin/node',
        expect.stringMatching(/^v\d+\.\d+\.\d+$/),
      ]);
      expect(errorOf(await run('noop', [], { image: bare, node: 'image' }))).toMatchObject({
        code: 'CONTAINER_NO_NODE',
        message: expect.stringContaining(bare),
      });
    });

    it("hears that an image without glibc is none for the agent's Node.js", async () => {
      const without = process.env['POLARON_NATS_IMAGE'] ?? 'localhost/nats:ci';
      expect(errorOf(await run('noop', [], { image: without }))).toMatchObject({
        code: 'CONTAINER_NO_NODE',
        message: expect.stringContaining("{ node: 'image' }"),
      });
    });

    it('hears in the words of the engine that there is no such image', async () => {
      expect(errorOf(await run('noop', [], { image: 'localhost/no-such-image:1', pull: 'never' }))).toMatchObject({
        code: 'CONTAINER_IMAGE',
        message: expect.stringContaining('"never"'),
      });
      expect(errorOf(await run('noop', [], { image: 'localhost:1/no-such-image:1' }))).toMatchObject({
        code: 'CONTAINER_IMAGE',
        message: expect.stringMatching(/localhost:1\/no-such-image.*the container engine says/),
      });
    });

    it('is killed with MEMORY_LIMIT when its container is full, and the next one runs', async () => {
      const error = errorOf(await run('buffers', [], { image, memory: '192MiB' }));
      expect(error).toMatchObject({ code: 'MEMORY_LIMIT', message: expect.stringContaining('192MiB') });
      expect(await value('add', [1, 1], { image, memory: '192MiB' })).toBe(2);
    });

    it('is held to memoryMb as well', async () => {
      const { outcome } = await bench.start(
        'buffers',
        [],
        { image },
        { electron: { memoryMb: 64, executorOptions: { image, network: 'none' } } },
      ).ended;
      expect(errorOf(outcome)).toMatchObject({ code: 'MEMORY_LIMIT' });
    });

    it('gets the processors that it asked for, and no more', async () => {
      const limited = await value('burns', [1_000], { image, cpus: 0.25 });
      expect(Number(fieldIn(limited, 'share'))).toBeLessThan(0.4);
      expect(fieldIn(limited, 'throttled')).toBeGreaterThan(0);
      expect(await value('burns', [200], { image })).toMatchObject({ throttled: 0 });
    });

    it('has no network when it wants none, and one when it does', async () => {
      const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      try {
        expect(await value('networks', [], { image, network: 'none' })).toEqual(['lo']);
        expect(await value('dials', ['127.0.0.1', port], { image, network: 'none' })).toBe('ECONNREFUSED');
        expect(await value('dials', ['192.0.2.1', 80], { image, network: 'none' })).toBe('ENETUNREACH');
        expect(await value('networks', [], { image, network: 'bridge' })).toEqual(['lo', 'eth0']);
      } finally {
        server.close();
      }
      const error = errorOf(await run('noop', [], { image, network: 'no-such-net' }));
      expect(error).toMatchObject({ code: 'EXECUTOR_OPTION', message: expect.stringContaining('no-such-net') });
    });

    it("sees what its agent's operator allows of the machine, and writes where it may", async () => {
      const mount = (from: string, readOnly: boolean): object => ({
        image,
        mounts: [{ from: join(folder, from), to: '/data', readOnly }],
      });
      expect(await value('reads', ['/data/data'], mount('read', true))).toBe('to be read');
      expect(errorOf(await run('writes', ['/data/data', 'x'], mount('read', true)))).toMatchObject({
        userCode: 'EROFS',
      });
      expect(await value('writes', ['/data/new', 'from inside'], mount('open', false))).toBe('from inside');
      expect(readFileSync(join(folder, 'open', 'new'), 'utf8')).toBe('from inside');
      for (const [from, readOnly, why] of [
        ['closed', true, 'lets only'],
        ['open/link', true, 'lets only'],
        ['read', false, 'readOnly: true'],
        ['open/nowhere', true, 'not there'],
      ] as const)
        expect(errorOf(await run('noop', [], mount(from, readOnly)))).toMatchObject({
          code: 'EXECUTOR_OPTION',
          message: expect.stringContaining(why),
        });
    });

    it('can be another user, who gains no rights', async () => {
      expect(await value('user', [], { image, user: '1000:1000' })).toEqual([1000, 1000]);
      expect(String(await value('scratch', [], { image, user: 'worker' }))).toMatch(/^\/\.polaron-work\//);
      expect(String(await value('status', [], { image }))).toMatch(/^NoNewPrivs:\t1$/m);
      // it is root in there, and can't change what others run
      expect(errorOf(await run('writes', ['/.polaron/node', 'x'], { image }))).toMatchObject({ userCode: 'EROFS' });
    });

    it('runs leptons with the shell and the Python of the image', async () => {
      const shell = { language: 'shell', command: 'echo "$FLAVOUR"', output: 'stdout' };
      expect(await value('lepton', [shell], { image })).toBe('of-the-image');
      const sources = { 'm.py': 'import os\ndef f():\n    return os.getcwd()\n' };
      const python = { language: 'python', function: 'f', module: 'm', sources, folder: 'x' };
      expect(await value('lepton', [python], { image })).toMatch(/^\//);
    });

    it('is gone with all that it has started when it is cancelled', async () => {
      const MARK = `polaron-test-${process.pid}-cancel`;
      const running = bench.start('isolated', [], { image, env: { MARK } });
      await until(() => running.lines.some((line) => line.includes('begun')), 'it has begun', 30_000);
      expect(processesWith(MARK).length).toBe(2);
      running.handle.cancel('asked for');
      expect((await running.ended).outcome.status).toBe('cancelled');
      await until(() => processesWith(MARK).length === 0, 'all of it is gone', 10_000);
    });

    it('fails with the reason when somebody removes its container, and the next one gets another', async () => {
      const before = new Set(await bench.containers());
      const options = { image, env: { REMOVED: 'yes' } };
      const running = bench.start('sleep', [60_000, 0], options);
      await until(() => running.handle.runningSince() > 0, 'it runs', 30_000);
      const mine = (await bench.containers()).filter((id) => !before.has(id));
      await until(async () => (await value('add', [1, 1], { image })) === 2, 'others run', 30_000);
      for (const id of mine) await bench.engine.ask('DELETE', `/containers/${id}?force=1`);
      expect(errorOf((await running.ended).outcome)).toMatchObject({
        code: 'EXECUTOR_FAILED',
        message: expect.stringContaining('its container has ended'),
      });
      expect(await value('add', [1, 1], options)).toBe(2);
    });
  });

  describe('an agent with containers', { timeout: 60_000 }, () => {
    it('leaves none of them, and no volume, when it stops', async () => {
      const owner = `stops-${process.pid}`;
      const bench = await openContainerBench(process.env, owner);
      await bench.run('noop', [], { image });
      void bench.start('sleep', [60_000, 0], { image });
      expect(await volumesOf(bench.engine, owner)).toHaveLength(1);
      await bench.close();
      expect(await containersOf(bench.engine, owner)).toEqual([]);
      expect(await volumesOf(bench.engine, owner)).toEqual([]);
    });

    it('removes what an earlier life has left, and nothing of others', async () => {
      const [owner, other] = [`left-${process.pid}`, `other-${process.pid}`];
      const [first, stranger] = [
        await openContainerBench(process.env, owner),
        await openContainerBench(process.env, other),
      ];
      await Promise.all([first, stranger].map((bench) => bench.run('noop', [], { image })));
      const second = await openContainerBench(process.env, owner, 2);
      expect(
        second.logs.entries.some(({ message }) => message.includes('1 containers that an earlier life had left')),
      ).toBe(true);
      expect(await containersOf(second.engine, owner)).toEqual([]);
      expect(await containersOf(second.engine, other)).toHaveLength(1);
      expect(inlineValue(await second.run('add', [1, 2], { image }))).toBe(3);
      for (const bench of [second, first, stranger]) await bench.close();
    });

    it('lets nothing be mounted unless it is told', async () => {
      const bench = await openContainerBench({ ...process.env, POLARON_CONTAINER_MOUNTS: undefined });
      const mounts = [{ from: '/etc', to: '/data', readOnly: true }];
      expect(errorOf(await bench.run('noop', [], { image, mounts }))).toMatchObject({
        code: 'EXECUTOR_OPTION',
        message: expect.stringContaining('lets nothing be mounted'),
      });
      expect(await bench.containers()).toEqual([]);
      await bench.close();
    });
  });
});

describe('an agent without an engine', () => {
  it("isn't offering the executor, and says which sockets were tried", async () => {
    await expect(
      openContainerBench({ XDG_RUNTIME_DIR: '/nowhere', DOCKER_HOST: 'unix:///nowhere/engine.sock' }),
    ).rejects.toMatchObject({
      code: 'EXECUTOR_SETUP',
      message: expect.stringContaining('/nowhere/engine.sock'),
    });
    await expect(openContainerBench({ DOCKER_HOST: 'ssh://there' })).rejects.toMatchObject({
      code: 'EXECUTOR_SETUP',
      message: expect.stringContaining('ssh://there'),
    });
  });
});
