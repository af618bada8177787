/**
 * Credentials that need no list of users: a password proves its identity, since only who holds the secret can make it.
 * Not here: keeping the secret (host), giving credentials to anyone (host, cli).
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Identity } from './identity.ts';
import { isIdentity } from './identity.ts';
import type { Permissions, SubjectRules } from './permissions.ts';
import { permissionsOf } from './permissions.ts';
import type { Subjects } from './subjects.ts';

/** What a client presents when it connects. */
export interface PresentedCredentials {
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

/** Whom a server takes the client for; undefined: refused. */
export type Authenticator = (
  credentials: PresentedCredentials,
) => { readonly identity: string; readonly permissions: Permissions } | undefined;

export interface Credentials {
  readonly user: Identity;
  readonly password: string;
}

/** User name = identity, password = base64url(HMAC-SHA256(secret, identity)). */
export function credentialsFor(secret: string | Uint8Array, identity: Identity): Credentials {
  return { user: identity, password: passwordOf(secret, identity) };
}

/** Accepts exactly the credentials that `credentialsFor` makes of this secret, in constant time, with the identity's permissions. */
export function makeAuthenticator(secret: string | Uint8Array, subjects: Subjects): Authenticator {
  return ({ user, pass }) => {
    if (user === undefined || pass === undefined || !isIdentity(user)) return undefined;
    if (!equalInConstantTime(pass, passwordOf(secret, user))) return undefined;
    return { identity: user, permissions: permissionsOf(user, subjects) };
  };
}

/** `authorization { … }` of a nats-server configuration for these identities: the same credentials and permissions on a real server. */
export function natsServerConfig(
  secret: string | Uint8Array,
  identities: readonly Identity[],
  subjects: Subjects,
): string {
  const users = identities.map((identity) => {
    const { user, password } = credentialsFor(secret, identity);
    return `    { user: ${quote(user)}, password: ${quote(password)}, permissions: ${rulesText(permissionsOf(identity, subjects))} }`;
  });
  return `authorization {\n  users: [\n${users.join('\n')}\n  ]\n}\n`;
}

function rulesText(permissions: Permissions): string {
  const side = (
    name: string,
    rules: { readonly allow?: readonly string[]; readonly deny?: readonly string[] },
  ): string[] => {
    const parts = [
      ...(rules.allow === undefined ? [] : [`allow: [${rules.allow.map(quote).join(', ')}]`]),
      ...(rules.deny === undefined ? [] : [`deny: [${rules.deny.map(quote).join(', ')}]`]),
    ];
    return parts.length === 0 ? [] : [`${name}: { ${parts.join(', ')} }`];
  };
  const answers = permissions.allowResponses;
  return `{ ${[
    ...side('publish', permissions.publish),
    ...side('subscribe', withQueues(permissions)),
    ...(answers === undefined ? [] : [`allow_responses: { max: ${answers.max}, expires: "${answers.expiresMs}ms" }`]),
  ].join(', ')} }`;
}

/** As nats-server has it: a subject that is also there with a queue group is to be had in no other group, or without one. */
function withQueues({ subscribe, queues }: Permissions): SubjectRules {
  const { allow } = subscribe;
  if (queues === undefined || allow === undefined) return subscribe;
  return {
    ...subscribe,
    allow: [...allow, ...allow.flatMap((subject) => queues.map((queue) => `${subject} ${queue}`))],
  };
}

// Only tokens, dots, `$`, wildcards and base64url come here: JSON's quoting is what the server reads, `$` included.
const quote = (text: string): string => JSON.stringify(text);

function passwordOf(secret: string | Uint8Array, identity: string): string {
  return createHmac('sha256', secret).update(identity).digest('base64url');
}

/** Compares digests, so that neither length nor content shows in the time. */
function equalInConstantTime(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'polaron credentials').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
