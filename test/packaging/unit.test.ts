/** The systemd unit as systemd reads it, and that it fits what the command does. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { defaults } from '../../model/defaults.ts';
import { root } from '../house/sources.ts';
import { withRealPart } from '../support/real-part.ts';

const file = join(root, 'packaging', 'polaron-agent.service');
const analyze = ['/usr/bin/systemd-analyze', '/bin/systemd-analyze'].find((path) => existsSync(path));
const settings = new Map(
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#') && line.includes('='))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);

it('gives the agent more time to stop than its grace, leaves a drained one alone, and starts others for ever', () => {
  expect(Number(settings.get('TimeoutStopSec')) * 1_000).toBeGreaterThan(defaults.graceMs + 15_000);
  // only SIGTERM to the agent: it ends its runners itself, and drained it exits with 0
  expect([settings.get('KillMode'), settings.get('Restart'), settings.get('StartLimitIntervalSec')]).toEqual([
    'mixed',
    'on-failure',
    '0',
  ]);
  expect(settings.get('ExecStart')).toBe('/usr/bin/env polaron agent --config /etc/polaron/agent.yaml');
});

withRealPart('systemd-analyze', analyze, 'systemd is not installed', (command) => {
  it('is a unit that systemd has nothing to say about', () => {
    const said = execFileSync(command, ['verify', '--man=no', file], { encoding: 'utf8', stdio: 'pipe' });
    expect(said).toBe('');
  });
});
