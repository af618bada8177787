import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { amountsOf, thisMachine } from '../../host/machine.ts';
import { ownCapabilities } from '../../host/own-capabilities.ts';

const folder = mkdtempSync(join(tmpdir(), 'polaron-capabilities-'));
afterAll(() => rmSync(folder, { recursive: true }));

const machine = { cpus: 8, memoryBytes: 62.78 * 2 ** 30, gpus: 0 };
const offers = (env: NodeJS.ProcessEnv) => ownCapabilities(env, machine).slice(0, -2);

it('an agent offers python where a program of that name can be run, in PATH or as it is told', () => {
  for (const name of ['with', 'without', 'folder/python3']) mkdirSync(join(folder, name), { recursive: true });
  const file = join(folder, 'with', 'python3');
  writeFileSync(file, '');
  const path = `:${join(folder, 'without')}:${join(folder, 'folder')}:${join(folder, 'with')}`;
  expect(offers({ PATH: path })).toEqual([]);
  chmodSync(file, 0o755);
  expect(offers({ PATH: path })).toEqual(['python']);
  expect(offers({ PATH: path, POLARON_PYTHON: 'python9' })).toEqual([]);
  expect(offers({ PATH: '', POLARON_PYTHON: file })).toEqual(['python']);
  expect(offers({})).toEqual([]);
});

it('and what the machine has, memory rounded down', () => {
  expect(ownCapabilities({}, machine)).toEqual(['cpus=8', 'memory=62.7GiB']);
  expect(amountsOf({ ...machine, gpus: 4 })).toEqual(['cpus=8', 'memory=62.7GiB', 'gpu', 'gpus=4']);
  const devices = join(folder, 'dev');
  mkdirSync(devices);
  for (const name of ['nvidia0', 'nvidia1', 'nvidiactl', 'nvidia-uvm', 'null']) writeFileSync(join(devices, name), '');
  expect(thisMachine(devices).gpus).toBe(2);
  expect(thisMachine(join(folder, 'none'))).toMatchObject({ gpus: 0, cpus: expect.any(Number) });
});

it('inside a Slurm job it is what the job was given, also where nothing holds it to that', () => {
  const devices = join(folder, 'dev');
  const here = thisMachine(devices, {});
  const job = (env: NodeJS.ProcessEnv) => thisMachine(devices, { SLURM_JOB_ID: '7', ...env });
  // it has no GPU, whatever its node has
  const unbound = { ...here, gpus: 0 };
  expect(here.gpus).toBe(2);
  expect(job({})).toEqual(unbound);
  expect(job({ SLURM_CPUS_ON_NODE: '1', SLURM_MEM_PER_NODE: '500', SLURM_GPUS_ON_NODE: '1' })).toEqual({
    cpus: 1,
    memoryBytes: 500 * 2 ** 20,
    gpus: 1,
  });
  expect(job({ SLURM_CPUS_ON_NODE: '3', SLURM_MEM_PER_CPU: '100' }).memoryBytes).toBe(300 * 2 ** 20);
  expect(job({ SLURM_GPUS_ON_NODE: '2', SLURM_MEM_PER_GPU: '200' }).memoryBytes).toBe(400 * 2 ** 20);
  expect(job({ SLURM_MEM_PER_GPU: '200' })).toEqual(unbound);
  expect(job({ SLURM_JOB_GPUS: '3' }).gpus).toBe(1);
  // as much as there is, and what can't be read
  expect(job({ SLURM_CPUS_ON_NODE: '100000', SLURM_MEM_PER_NODE: '1000000000', SLURM_GPUS_ON_NODE: '9' })).toEqual(
    here,
  );
  expect(job({ SLURM_CPUS_ON_NODE: 'x', SLURM_MEM_PER_NODE: '0', SLURM_GPUS_ON_NODE: '' })).toEqual(unbound);
});

it('is found in a moment: it begins with the agent', () => {
  const from = performance.now();
  for (let n = 0; n < 20; n++) ownCapabilities();
  expect((performance.now() - from) / 20).toBeLessThan(30);
});
