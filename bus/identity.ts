/** Who speaks on the bus. An identity is a user name for the server and, with its dots as token borders, a part of reply subjects. */
import { PolaronError } from '../model/errors.ts';
import { isToken } from '../model/ids.ts';

/** `hub.<node>`, `a.<site>.<agent>`, `u.<user>`, `o.<name>` (an observer) or `audit.<name>` (hears everything). */
export type Identity = `hub.${string}` | `a.${string}.${string}` | `u.${string}` | `o.${string}` | `audit.${string}`;

export type IdentityParts =
  | { readonly kind: 'hub'; readonly node: string }
  | { readonly kind: 'agent'; readonly site: string; readonly agent: string }
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'observer'; readonly name: string }
  | { readonly kind: 'auditor'; readonly name: string };

export const hubIdentity = (node: string): Identity => checked(`hub.${node}`);
export const agentIdentity = (site: string, agent: string): Identity => checked(`a.${site}.${agent}`);
export const userIdentity = (user: string): Identity => checked(`u.${user}`);
export const observerIdentity = (name: string): Identity => checked(`o.${name}`);
export const auditorIdentity = (name: string): Identity => checked(`audit.${name}`);

/** What an identity is made of, or undefined when the text is none. */
export function parseIdentity(text: string): IdentityParts | undefined {
  const [kind, first, second, ...rest] = text.split('.');
  if (!isToken(first) || rest.length > 0) return undefined;
  if (kind === 'a') return isToken(second) ? { kind: 'agent', site: first, agent: second } : undefined;
  if (second !== undefined) return undefined;
  if (kind === 'hub') return { kind: 'hub', node: first };
  if (kind === 'u') return { kind: 'user', user: first };
  if (kind === 'o') return { kind: 'observer', name: first };
  if (kind === 'audit') return { kind: 'auditor', name: first };
  return undefined;
}

export const isIdentity = (text: string): text is Identity => parseIdentity(text) !== undefined;

function checked(identity: Identity): Identity {
  if (isIdentity(identity)) return identity;
  throw new PolaronError(
    'BAD_SUBJECT',
    `${JSON.stringify(identity)} is not an identity; expected hub.<node>, a.<site>.<agent>, u.<user>, o.<name> or audit.<name> with names of [a-z0-9_-]{1,48}`,
  );
}
