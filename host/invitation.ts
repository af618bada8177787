/**
 * The bus URL with which somebody comes to the hub of this machine, from elsewhere too: its address, and credentials of their own.
 * Who can read the data folder can make it. Not here: what those credentials may do (bus/permissions.ts).
 */
import { credentialsFor } from '../bus/credentials.ts';
import type { HubFile } from '../bus/hub-file.ts';
import {
  agentIdentity,
  auditorIdentity,
  observerIdentity,
  parseIdentity,
  userIdentity,
  type Identity,
} from '../bus/identity.ts';
import { assertNever, PolaronError } from '../model/errors.ts';
import { readIdentity } from './data-folder.ts';

export const roles = ['agent', 'user', 'observer', 'auditor'] as const;
export type Role = (typeof roles)[number];

export interface Invited {
  readonly role: Role;
  /** A token. */
  readonly name: string;
  /** Of an agent; a token. */
  readonly site: string;
}

function identityOf({ role, site, name }: Invited): Identity {
  switch (role) {
    case 'agent':
      return agentIdentity(site, name);
    case 'user':
      return userIdentity(name);
    case 'observer':
      return observerIdentity(name);
    case 'auditor':
      return auditorIdentity(name);
    default:
      return assertNever(role, 'role');
  }
}

/** `host`: how they reach this machine, instead of the hub's own word for it. Raises USAGE, BAD_SUBJECT. */
export function invitationOf(hub: HubFile, who: Invited, host?: string): string {
  if (hub.options['bus'] !== undefined)
    throw new PolaronError('USAGE', `the hub uses the bus ${hub.bus}, whose server gives out credentials itself`, {
      help: 'Use that URL, with credentials that the server knows.',
    });
  const identity = readIdentity(hub.data);
  if (identity === undefined)
    throw new PolaronError('USAGE', `the data folder ${hub.data} can't be read`, {
      help: 'Run this on the machine of the hub, as its user.',
    });
  const url = new URL(hub.bus);
  if (host !== undefined) url.hostname = host;
  const login = credentialsFor(identity.secret, identityOf(who));
  url.username = login.user;
  url.password = login.password;
  return url.href.replace(/\/$/, '');
}

/** Whose credentials a bus URL holds, when they are those of an agent. */
export function agentInvitedBy(bus: string): { readonly site: string; readonly name: string } | undefined {
  for (const part of bus.split(',')) {
    const text = part.trim();
    const { username } = new URL(text.includes('://') ? text : `nats://${text}`);
    const who = parseIdentity(decodeURIComponent(username));
    if (who?.kind === 'agent') return { site: who.site, name: who.agent };
  }
  return undefined;
}
