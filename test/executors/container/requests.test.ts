/** What the executor "container" asks of an engine and makes of its words, without one: options, the body of a container, archives, output in frames, refusals. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createConnection, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AttachedStream } from '../../../executors/container/attached-stream.ts';
import { containerBytes, containerConfig } from '../../../executors/container/container-config.ts';
import { startFailure } from '../../../executors/container/container-failure.ts';
import { containerSettings } from '../../../executors/container/container-settings.ts';
import { checkContainerOptions } from '../../../executors/container/container-options.ts';
import { placeOf } from '../../../executors/container/container-runners.ts';
import { Engine } from '../../../executors/container/engine.ts';
import { fieldIn } from '../../../executors/container/engine-json.ts';
import { Images } from '../../../executors/container/images.ts';
import { tarOf } from '../../../executors/container/tar.ts';
import { PolaronError } from '../../../model/errors.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'polaron-requests-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the options of a container', () => {
  it.each([
    [{}, 'image'],
    [{ image: '' }, 'image'],
    [{ image: '--privileged' }, 'image'],
    [{ image: 'a b' }, 'image'],
    [{ image: 'i', privileged: true }, 'privileged'],
    [{ image: 'i', cpus: 0 }, 'cpus'],
    [{ image: 'i', cpus: '2' }, 'cpus'],
    [{ image: 'i', memory: 4 }, 'memory'],
    [{ image: 'i', memory: '4' }, 'memory'],
    [{ image: 'i', memory: '64MiB' }, 'memory'],
    [{ image: 'i', network: 'host' }, 'network'],
    [{ image: 'i', network: 'container:hub' }, 'network'],
    [{ image: 'i', mounts: [{ from: 'data', to: '/data' }] }, 'mounts'],
    [{ image: 'i', mounts: [{ from: '/data/../etc', to: '/data' }] }, 'mounts'],
    [{ image: 'i', mounts: [{ from: '/data', to: '/' }] }, 'mounts'],
    [{ image: 'i', mounts: [{ from: '/data', to: '/.polaron/lib' }] }, 'mounts'],
    [{ image: 'i', mounts: [{ from: '/data', to: '/data', propagation: 'shared' }] }, 'mounts'],
    [{ image: 'i', env: { 'A=B': 'x' } }, 'env'],
    [{ image: 'i', env: { A: 1 } }, 'env'],
    [{ image: 'i', user: 'root; id' }, 'user'],
    [{ image: 'i', node: 'mine' }, 'node'],
    [{ image: 'i', pull: 'sometimes' }, 'pull'],
    [{ image: 'i', gpus: 0 }, 'gpus'],
  ])('refuse %j by its name', (options, name) => {
    expect(() => checkContainerOptions(options)).toThrowError(
      expect.objectContaining({ code: 'EXECUTOR_OPTION', message: expect.stringContaining(`"${name}"`) }),
    );
  });

  it('name one place, in whatever order they stand', () => {
    const one = checkContainerOptions({ image: 'i', env: { A: '1', B: '2' }, mounts: [{ from: '/a', to: '/b' }] });
    const other = checkContainerOptions({ mounts: [{ to: '/b', from: '/a' }], env: { B: '2', A: '1' }, image: 'i' });
    expect(placeOf(one)).toBe(placeOf(other));
    expect(placeOf({ ...one, env: { A: '1' } })).not.toBe(placeOf(one));
    expect(checkContainerOptions(Object(JSON.parse(placeOf(one))))).toEqual(one);
  });
});

describe('the settings of an agent for its containers', () => {
  it('are those of its file, else of the environment', () => {
    const env = {
      POLARON_CONTAINER_MOUNTS: `${dir}:/usr=ro`,
      DOCKER_HOST: 'tcp://engine:1',
      XDG_RUNTIME_DIR: '/run/user/7',
    };
    const dials = (given: object, from: Readonly<Record<string, string>>): unknown =>
      containerSettings(Object(given), from).addresses.map(({ dial }) => dial);
    expect(containerSettings({}, env).roots).toEqual([
      { path: dir, readOnly: false },
      { path: '/usr', readOnly: true },
    ]);
    expect(containerSettings({ mounts: ['/usr'] }, env).roots).toEqual([{ path: '/usr', readOnly: false }]);
    expect(containerSettings({}, {}).roots).toEqual([]);
    expect(dials({}, env)).toEqual([{ host: 'engine', port: 1 }]);
    expect(dials({ engine: 'unix:///x.sock' }, env)).toEqual([{ socketPath: '/x.sock' }]);
    expect(dials({}, { XDG_RUNTIME_DIR: '/run/user/7' })).toEqual(
      ['/run/podman/podman.sock', '/var/run/docker.sock', '/run/user/7/podman/podman.sock'].map((socketPath) => ({
        socketPath,
      })),
    );
  });

  it.each([
    { mount: [] },
    { mounts: '/usr' },
    { mounts: ['usr'] },
    { mounts: ['/no/such/folder'] },
    { engine: 1 },
    { engine: 'ssh://there' },
  ])('refuse %j', (given) => {
    expect(() => containerSettings(given, {})).toThrowError(expect.objectContaining({ code: 'EXECUTOR_SETUP' }));
  });
});

describe('the body of a container', () => {
  const plan = {
    options: { image: 'i' },
    mounts: [],
    memoryMb: undefined,
    imageId: 'sha256:1',
    volume: 'v',
    labels: {},
    facts: { name: 'Docker 28', podman: false, arch: 'x64', limitsSwap: true, hasInit: true, ulimits: [] },
    libraries: false,
    version: '1',
  } as const;

  it('gives no rights, and takes away some', () => {
    const host = fieldIn(containerConfig(plan), 'HostConfig');
    expect(host).toMatchObject({ Privileged: false, AutoRemove: true, SecurityOpt: ['no-new-privileges'], Init: true });
    expect(fieldIn(host, 'PidsLimit')).toBeGreaterThan(0);
    expect(fieldIn(host, 'Mounts')).toEqual([{ Type: 'volume', Source: 'v', Target: '/.polaron', ReadOnly: true }]);
  });

  it('says what was asked for in the units of the API', () => {
    const options = { image: 'i', cpus: 1.5, memory: '4GiB', gpus: 'all' } as const;
    expect(fieldIn(containerConfig({ ...plan, options }), 'HostConfig')).toMatchObject({
      NanoCpus: 1_500_000_000,
      Memory: 4 * 1024 ** 3,
      MemorySwap: 4 * 1024 ** 3,
      DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }],
    });
    expect(containerBytes({ image: 'i' }, 512)).toBe(768 * 1024 * 1024);
    expect(containerBytes({ image: 'i' }, undefined)).toBeUndefined();
  });
});

describe('an archive for an engine', () => {
  it('is read by tar as it was meant, files of this machine too', async () => {
    const large = Buffer.alloc(3_000_001, 7);
    writeFileSync(join(dir, 'large'), large);
    const parts: Buffer[] = [];
    for await (const part of tarOf([
      { path: 'lib/', mode: 0o1777 },
      { path: 'lib/large', mode: 0o755, content: { file: join(dir, 'large') } },
      { path: 'empty', mode: 0o644, content: Buffer.alloc(0) },
      { path: 'text', mode: 0o644, content: Buffer.from('of 512 bytes'.padEnd(512)) },
    ]))
      parts.push(part);
    writeFileSync(join(dir, 'all.tar'), Buffer.concat(parts));
    const listed = execFileSync('tar', ['-tvf', join(dir, 'all.tar'), '--numeric-owner'], { encoding: 'utf8' });
    expect(
      listed.split('\n').map((line) =>
        line
          .replaceAll(/ +/g, ' ')
          .split(' ')
          .filter((_, i) => i !== 3 && i !== 4)
          .join(' '),
      ),
    ).toEqual([
      'drwxrwxrwt 0/0 0 lib/',
      '-rwxr-xr-x 0/0 3000001 lib/large',
      '-rw-r--r-- 0/0 0 empty',
      '-rw-r--r-- 0/0 512 text',
      '',
    ]);
    execFileSync('tar', ['-xf', 'all.tar'], { cwd: dir });
    expect(readFileSync(join(dir, 'lib', 'large')).equals(large)).toBe(true);
  });
});

describe('the output of a container', () => {
  it('comes whole and in order, however the engine cuts its frames and the socket these', async () => {
    const piece = fc.record({ kind: fc.constantFrom(1, 2), bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), async (pieces, cut) => {
        const server = createSocketServer((socket) => {
          const all = Buffer.concat(
            pieces.flatMap(({ kind, bytes }) => {
              const head = Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0]);
              head.writeUInt32BE(bytes.length, 4);
              return [head, Buffer.from(bytes)];
            }),
          );
          for (let at = 0; at < all.length; at += cut) socket.write(all.subarray(at, at + cut));
          socket.end();
        }).listen(join(dir, 's'));
        await once(server, 'listening');
        const socket = createConnection(join(dir, 's'));
        const heard: Record<number, Buffer[]> = { 1: [], 2: [] };
        const stream = new AttachedStream(socket, Buffer.alloc(0), (bytes) => heard[2]?.push(Buffer.from(bytes)));
        for await (const chunk of stream) heard[1]?.push(Buffer.from(chunk));
        await new Promise((resolve) => server.close(resolve));
        for (const kind of [1, 2])
          expect(Buffer.concat(heard[kind] ?? [])).toEqual(
            Buffer.concat(pieces.filter((each) => each.kind === kind).map(({ bytes }) => Buffer.from(bytes))),
          );
      }),
      { numRuns: 50 },
    );
  });

  it('ends with an error when it has no frames, as that of a terminal', async () => {
    const server = createSocketServer((socket) => socket.end('plain text, no frames')).listen(join(dir, 's'));
    await once(server, 'listening');
    const stream = new AttachedStream(createConnection(join(dir, 's')), Buffer.alloc(0), () => undefined);
    const [error] = await once(stream.resume(), 'error');
    expect(String(error)).toContain('without frames');
    server.close();
  });
});

describe("an engine's refusals", () => {
  const socketPath = (): string => join(dir, 'engine');
  const engine = (): Engine => new Engine({ text: 'test', dial: { socketPath: socketPath() } });
  async function answering(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<() => void> {
    const server = createServer(answer).listen(socketPath());
    await once(server, 'listening');
    return () => server.close();
  }

  it('are told apart: a full disk, a wrong request, its own trouble, nobody there', async () => {
    await expect(engine().call('it', 'GET', '/info')).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' });
    let next: readonly [number, string] = [500, ''];
    const close = await answering((request, response) => {
      request.resume();
      response.writeHead(next[0]).end(JSON.stringify({ message: next[1] }));
    });
    const asked = (): Promise<unknown> =>
      engine().call('it', 'POST', '/containers/create', { body: {}, refused: 'EXECUTOR_OPTION' });
    next = [500, 'write /var/lib/docker/x: no space left on device'];
    await expect(asked()).rejects.toMatchObject({ code: 'DISK_FULL' });
    next = [400, 'range of CPUs is from 0.01 to 2.00'];
    await expect(asked()).rejects.toMatchObject({
      code: 'EXECUTOR_OPTION',
      message: expect.stringContaining('0.01 to 2.00'),
    });
    next = [500, 'something broke'];
    await expect(asked()).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' });
    close();
  });

  it('of a pull are read in its stream, and a pull is shared by those who wait for it', async () => {
    let pulls = 0;
    let answer: (response: ServerResponse) => void = () => undefined;
    const arrived: (() => void)[] = [];
    const close = await answering(({ url = '' }, response) => {
      if (!url.startsWith('/images/create')) return void response.writeHead(404).end('{}');
      pulls++;
      answer = (to) => to.end('{"status":"Pulling"}\n{"error":"manifest unknown"}\n');
      arrived.push(() => answer(response));
    });
    const images = new Images(engine());
    const never = new AbortController();
    const givesUp = new AbortController();
    const both = [images.obtain('i:1', 'missing', never.signal), images.obtain('i:1', 'missing', givesUp.signal)];
    const [waits, left] = both.map((each) => each.catch((error: unknown) => error));
    while (arrived.length === 0) await new Promise((resolve) => setImmediate(resolve));
    givesUp.abort();
    expect(await left).toMatchObject({ code: 'EXECUTOR_FAILED' });
    arrived[0]?.();
    expect(await waits).toMatchObject({
      code: 'CONTAINER_IMAGE',
      message: expect.stringContaining('manifest unknown'),
    });
    expect(pulls).toBe(1);
    close();
  });

  it('to run Node.js are told by what the linker, the engine and Node.js say', () => {
    const failed = new PolaronError('EXECUTOR_FAILED', 'its container has ended');
    const codeOf = (node: 'bring' | 'image', stderr: string, error: Error = failed, libraries = false): string => {
      const failure = startFailure({ image: 'i', node }, error, stderr, libraries);
      return failure === 'no-library' ? failure : failure.code;
    };
    const missing =
      '/.polaron/node: error while loading shared libraries: libstdc++.so.6: cannot open shared object file';
    expect(codeOf('bring', missing)).toBe('no-library');
    expect(codeOf('bring', missing, failed, true)).toBe('CONTAINER_NO_NODE');
    expect(
      codeOf('bring', "/.polaron/node: /lib/libc.so.6: version `GLIBC_2.28' not found (required by /.polaron/node)"),
    ).toBe('CONTAINER_NO_NODE');
    expect(codeOf('image', 'polaron: Node.js 18.1.0 is too old')).toBe('CONTAINER_NO_NODE');
    const exec = new PolaronError('EXECUTOR_FAILED', 'exec: "node": executable file not found in $PATH: unknown');
    expect(codeOf('image', '', exec)).toBe('CONTAINER_NO_NODE');
    expect(codeOf('bring', 'exec /.polaron/node: no such file or directory')).toBe('CONTAINER_NO_NODE');
    expect(codeOf('bring', 'Error: ENOSPC: no space left on device, mkdir')).toBe('DISK_FULL');
    expect(codeOf('bring', 'some other trouble')).toBe('EXECUTOR_FAILED');
  });
});
