/** What the doctor finds on machines that are made of a few files. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { doctorChecks, examine, type DoctorOptions, type Finding } from '../../host/doctor.ts';

const folder = mkdtempSync(join(tmpdir(), 'polaron-doctor-'));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

let count = 0;
/** A PATH with these programs: what each says, and with which exit code. */
function path(programs: Readonly<Record<string, string>>): string {
  const bin = join(folder, `bin${count++}`);
  mkdirSync(bin);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}
async function found(over: Partial<DoctorOptions> = {}): Promise<Readonly<Record<string, Finding>>> {
  const machine = { cpus: 8, memoryBytes: 64 * 2 ** 30, gpus: 0 };
  const findings = await examine({ env: { PATH: path({}) }, home: join(folder, 'home'), machine, ...over });
  expect(findings.map(({ check }) => check)).toEqual(doctorChecks);
  for (const { state, help } of findings) expect(help === undefined).toBe(state === 'ok');
  return Object.fromEntries(findings.map((one) => [one.check, one]));
}

describe('polaron doctor', () => {
  it('on a bare machine says what is missing, and that the rest is well', async () => {
    const bare = await found();
    const missing = Object.values(bare).filter(({ state }) => state === 'missing');
    expect(missing.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['gpus', 'python', 'pip', 'npm', 'slurm', 'ssh']),
    );
    expect(bare).toMatchObject({
      node: { state: 'ok', found: process.version },
      cpus: { found: '8' },
      memory: { found: '64.0 GiB' },
      home: { state: 'ok' },
      disk: { state: 'ok' },
      clock: { state: 'ok' },
    });
  });

  it('asks each program for its version, and reads what NVIDIA lists', async () => {
    const PATH = path({
      python3: '[ "$1" = -m ] && echo "pip 23.0" || echo "Python 3.11.2"',
      ssh: 'echo "OpenSSH_9.2" >&2',
      npm: 'echo 10.8.2',
      sbatch: 'echo "slurm-wlm 22.05.8"',
      squeue: 'true',
      'nvidia-smi': 'echo "GPU 0: NVIDIA A100 (UUID: GPU-1)"; echo "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-2)"',
    });
    expect(await found({ env: { PATH } })).toMatchObject({
      python: { state: 'ok', found: `Python 3.11.2 at ${PATH}/python3` },
      pip: { state: 'ok', found: `pip 23.0 at ${PATH}/python3` },
      ssh: { state: 'ok', found: `OpenSSH_9.2 at ${PATH}/ssh` },
      slurm: { state: 'ok', found: 'slurm-wlm 22.05.8' },
      gpus: { state: 'ok', found: '2: NVIDIA A100, NVIDIA H100 80GB HBM3' },
    });
  });

  it('tells what is there and does not work', async () => {
    const PATH = path({
      python3: 'echo "No module named pip" >&2; exit 1',
      sbatch: 'echo slurm',
      squeue: 'echo "squeue: error: Unable to contact slurm controller" >&2; exit 1',
      'nvidia-smi': 'echo "NVIDIA-SMI has failed"; exit 9',
      docker: 'echo "Docker version 26.1.5"',
    });
    writeFileSync(join(folder, 'file'), '');
    const env = { PATH, DOCKER_HOST: `unix://${join(folder, 'none.sock')}` };
    const sick = await found({ env, home: join(folder, 'file', 'home'), nodeVersion: 'v18.20.0', now: 0 });
    expect(sick).toMatchObject({
      node: { state: 'broken', found: 'v18.20.0' },
      pip: { state: 'broken', found: expect.stringContaining('No module named pip') },
      slurm: { state: 'broken', found: 'squeue: squeue: error: Unable to contact slurm controller' },
      gpus: { state: 'broken', found: 'NVIDIA-SMI has failed' },
      home: { state: 'broken', found: expect.stringContaining('ENOTDIR') },
      clock: { state: 'broken', found: '1970-01-01T00:00:00.000Z' },
    });
  });

  it('asks the API of containers at its socket', async () => {
    const runtime = join(folder, 'run');
    mkdirSync(join(runtime, 'podman'), { recursive: true });
    const socket = join(runtime, 'podman', 'podman.sock');
    const server = createServer((_, response) =>
      response.end(JSON.stringify({ Version: '4.3.1', ApiVersion: '1.41' })),
    );
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const { podman } = await found({ env: { PATH: path({}), XDG_RUNTIME_DIR: runtime } });
    expect(podman).toEqual({ check: 'podman', state: 'ok', found: `4.3.1 at ${socket}` });
  });
});
