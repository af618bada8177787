/** Which bus, and as whom. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeHubFile } from '../../../bus/hub-file.ts';
import { resolveTarget } from '../../../sdk/client/target.ts';

const home = mkdtempSync(join(tmpdir(), 'polaron-target-'));
const sources = (env: NodeJS.ProcessEnv) => ({ env: { POLARON_HOME: home, ...env }, osUser: () => 'Ann Smith' });

describe('the target', () => {
  it('says in one line what was tried when there is none', () => {
    expect(() => resolveTarget({}, sources({}))).toThrow(
      `no hub found: POLARON_URL is not set and there is no ${join(home, 'hub.json')}; run \`polaron start\`, or set POLARON_URL`,
    );
  });

  it('is the hub file, read anew each time, unless POLARON_URL or the option says otherwise', () => {
    const file = (port: number) => ({
      version: '1',
      pid: 1,
      node: 'n',
      bus: `nats://127.0.0.1:${port}`,
      userUrl: `nats://u.owner:secret@127.0.0.1:${port}`,
      user: 'owner',
      data: '/d',
      startedAt: 1,
      options: {},
    });
    writeHubFile(home, file(4001));
    expect(resolveTarget({}, sources({}))).toEqual({
      servers: ['nats://127.0.0.1:4001'],
      user: 'owner',
      identity: 'u.owner',
      login: { user: 'u.owner', password: 'secret' },
      from: join(home, 'hub.json'),
    });
    writeHubFile(home, file(4002));
    expect(resolveTarget({}, sources({})).servers).toEqual(['nats://127.0.0.1:4002']);
    const env = { POLARON_URL: 'nats://env:4222' };
    expect(resolveTarget({}, sources(env)).from).toBe('POLARON_URL');
    expect(resolveTarget({ bus: 'nats://option:4222' }, sources(env)).servers).toEqual(['nats://option:4222']);
  });

  it('takes the user of the URL, else of the operating system, as a token', () => {
    const user = (bus: string, more = {}) => resolveTarget({ bus, ...more }, sources({})).user;
    expect(user('nats://u.alice:secret@h:1')).toBe('alice');
    expect(user('nats://bob:secret@h:1')).toBe('bob');
    expect(user('nats://h:1')).toBe('ann-smith');
    expect(user('h:1')).toBe('ann-smith');
    expect(user('nats://u.alice:secret@h:1', { user: 'carol' })).toBe('carol');
    expect(user('nats://h:1', { credentials: 'u.dora:pw' })).toBe('dora');
    expect(resolveTarget({ bus: 'nats://h:1' }, sources({})).login).toBeUndefined();
  });

  it('takes several servers, with the credentials of one', () => {
    const target = resolveTarget({ bus: 'nats://u.a:p%40w@h1:1, tls://h2:2' }, sources({}));
    expect(target.servers).toEqual(['nats://h1:1', 'tls://h2:2']);
    expect(target.login).toEqual({ user: 'u.a', password: 'p@w' });
  });

  it('refuses what is no URL, without showing a password', () => {
    expect(() => resolveTarget({ bus: 'nats://' }, sources({}))).toThrow(
      /option bus is "nats:\/\/", which is not a bus URL/,
    );
    expect(() => resolveTarget({ bus: 'nats://u.a:secret@' }, sources({}))).toThrow(/^(?!.*secret)/);
    expect(() => resolveTarget({ bus: 'h:1', credentials: 'nonsense' }, sources({}))).toThrow(/user:password/);
  });
});
