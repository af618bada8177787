import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { measurePeers } from '../../../bench/peers.ts';
import { bullmq } from '../../../bench/peers/bullmq/peer.ts';
import { install } from '../../../bench/peers/install.ts';
import { PeerProcesses } from '../../../bench/peers/peer-processes.ts';
import { findProgram, versionedFolders } from '../../../bench/peers/program.ts';
import { root } from '../../house/sources.ts';

let work: string;
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'polaron-missing-'));
  vi.stubEnv('PATH', work);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(work, { recursive: true, force: true });
});

function program(path: string, text = '#!/bin/sh\n'): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

describe('a peer that this machine lacks', () => {
  it('is named with what is missing and how to get it', async () => {
    const said: string[] = [];
    const { figures, about } = await measurePeers(['W1', 'W2'], 1, (line) => said.push(line), [bullmq]);
    expect(figures).toEqual({});
    const missing = 'no redis-server on the PATH; Debian has it in redis-server';
    expect(about['BullMQ always']).toEqual({ what: bullmq.what, missing });
    expect(said).toContain(`  not measured: ${missing}`);
  });

  it('has the name that the goals compare with', () => {
    expect(bullmq.name).toBe('BullMQ always');
  });
});

describe('packages that npm does not bring', () => {
  it("are named with npm's own words", async () => {
    for (const file of ['package.json', 'package-lock.json'])
      cpSync(join(root, 'bench/peers/bullmq', file), join(work, file));
    const npm = join(work, 'npm-cli.js');
    program(npm, "console.error('npm error code ENOTFOUND'); process.exitCode = 1;\n");
    vi.stubEnv('npm_execpath', npm);
    const said: string[] = [];
    const installing = install(work, new PeerProcesses(), (line) => said.push(line));
    await expect(installing).rejects.toThrow(/^node npm-cli\.js ended with code 1:\nnpm error code ENOTFOUND$/);
    expect(said).toEqual([expect.stringMatching('installing packages')]);
  });

  it('are missed too when npm says that all is well', async () => {
    for (const file of ['package.json', 'package-lock.json'])
      cpSync(join(root, 'bench/peers/bullmq', file), join(work, file));
    const npm = join(work, 'npm-cli.js');
    program(npm, '');
    vi.stubEnv('npm_execpath', npm);
    await expect(install(work, new PeerProcesses(), () => undefined)).rejects.toThrow('package-lock.json names');
  });
});

describe('a program of the system', () => {
  it('is the first that suits, on the PATH and then in other folders', () => {
    const other = mkdtempSync(join(work, 'other-'));
    writeFileSync(join(work, 'tool'), 'not executable');
    program(join(other, 'tool'));
    expect(findProgram('tool', { also: [other], hint: '' })).toBe(join(other, 'tool'));
    program(join(work, 'tool'));
    expect(findProgram('tool', { also: [other], hint: '' })).toBe(join(work, 'tool'));
    expect(findProgram('tool', { also: [other], hint: '', suits: (path) => path.startsWith(other) })).toBe(
      join(other, 'tool'),
    );
  });

  it('that is nowhere is said with every place and the hint', () => {
    expect(() => findProgram('tool', { also: ['/opt/no'], hint: 'ask someone' })).toThrow(
      'no tool on the PATH, nor in /opt/no; ask someone',
    );
  });

  it('of several versions is the newest', () => {
    for (const version of ['9', '15', '13']) mkdirSync(join(work, version));
    expect(versionedFolders(work, 'bin')).toEqual(['15', '13', '9'].map((version) => join(work, version, 'bin')));
    expect(versionedFolders(join(work, 'nowhere'), 'bin')).toEqual([]);
  });
});
