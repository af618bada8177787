/** Identities, their credentials and permissions. What servers make of them: test/contract/bus-permissions.ts. */
import { describe, expect, test } from 'vitest';
import { credentialsFor, makeAuthenticator, natsServerConfig } from '../../bus/credentials.ts';
import { agentIdentity, hubIdentity, isIdentity, parseIdentity, userIdentity } from '../../bus/identity.ts';
import { permissionsOf } from '../../bus/permissions.ts';
import { makeSubjects } from '../../bus/subjects.ts';

const subjects = makeSubjects();

describe('identities', () => {
  test('are made of tokens only', () => {
    expect([hubIdentity('n1'), agentIdentity('s1', 'a1'), userIdentity('kim')]).toEqual(['hub.n1', 'a.s1.a1', 'u.kim']);
    expect(parseIdentity('a.s1.a1')).toEqual({ kind: 'agent', site: 's1', agent: 'a1' });
    for (const make of [() => hubIdentity('a.b'), () => agentIdentity('s', '*'), () => userIdentity('')]) {
      expect(make).toThrow(expect.objectContaining({ code: 'BAD_SUBJECT' }));
    }
  });

  test.each(['', 'hub', 'hub.', 'hub.a.b', 'a.s1', 'a.s1.a1.x', 'u.>', 'u.K', 'x.y', 'a.*.a1', 'u.kim\n'])(
    '%j is none',
    (text) => {
      expect(isIdentity(text)).toBe(false);
      expect(() => permissionsOf(text, subjects)).toThrow(expect.objectContaining({ code: 'BAD_SUBJECT' }));
    },
  );
});

describe('credentials', () => {
  const check = makeAuthenticator('secret', subjects);
  const { user, password } = credentialsFor('secret', 'u.kim');

  test('prove their own identity', () => {
    expect(check({ user, pass: password })).toEqual({
      identity: 'u.kim',
      permissions: permissionsOf('u.kim', subjects),
    });
  });

  test.each([
    ['no password', { user }],
    ['no user', { pass: password }],
    ['an empty password', { user, pass: '' }],
    ["another's password", { user: 'u.lee', pass: password }],
    ['a shorter one', { user, pass: password.slice(0, -1) }],
    ['a longer one', { user, pass: `${password}=` }],
    ['a token', { token: password }],
    ['a user that is no identity', { user: 'root', pass: credentialsFor('secret', 'u.root').password }],
  ])('%s is refused', (_what, given) => {
    expect(check(given)).toBeUndefined();
  });

  test('another secret makes other passwords', () => {
    expect(makeAuthenticator('other', subjects)({ user, pass: password })).toBeUndefined();
    expect(password).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});

test('permissions follow the prefix of the subjects', () => {
  const other = makeSubjects('acme');
  for (const identity of ['hub.n1', 'a.s1.a1', 'u.kim', 'o.web']) {
    const { publish, subscribe } = permissionsOf(identity, other);
    for (const pattern of [...(publish.allow ?? []), ...(subscribe.allow ?? [])]) {
      expect(pattern).toMatch(/^(acme\.|_INBOX\.|\$SRV\.)/);
      expect(pattern).not.toContain('polaron.');
    }
  }
});

test('a server configuration holds each user with password and permissions', () => {
  const text = natsServerConfig('secret', ['u.kim', 'a.s1.a1'], subjects);
  expect(text).toContain(`user: "u.kim", password: "${credentialsFor('secret', 'u.kim').password}"`);
  expect(text).toContain('allow_responses: { max: 1, expires: "60000ms" }');
  expect(text).toContain('"polaron.api.kim.>"');
});
