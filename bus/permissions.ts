/**
 * Which subjects an identity may publish and subscribe to: the least that its part in the protocol needs (docs/protocol.md).
 * Not here: enforcing it (the embedded broker's permission-check.ts, or a real server with `natsServerConfig`).
 */
import { PolaronError, assertNever } from '../model/errors.ts';
import { parseIdentity } from './identity.ts';
import type { Subjects } from './subjects.ts';

/** Patterns. `deny` wins over `allow`; no `allow` at all: everything. */
export interface SubjectRules {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

export interface Permissions {
  readonly publish: SubjectRules;
  readonly subscribe: SubjectRules;
  /** Queue groups that it may join: a member of a group takes from the others what it gets. @default any */
  readonly queues?: readonly string[];
  /** May answer what it was asked: `max` messages to the reply subject of each message received, for `expiresMs`. */
  readonly allowResponses?: { readonly max: number; readonly expiresMs: number };
}

const SERVICE_VERBS = ['PING', 'INFO', 'STATS'] as const;
const serviceQuestions: readonly string[] = SERVICE_VERBS.flatMap((verb) => [`$SRV.${verb}`, `$SRV.${verb}.>`]);
const ANSWERS = { max: 1, expiresMs: 60_000 } as const;

/** Raises BAD_SUBJECT for a text that is no identity. */
export function permissionsOf(identity: string, subjects: Subjects): Permissions {
  const who = parseIdentity(identity);
  if (who === undefined) {
    throw new PolaronError('BAD_SUBJECT', `${JSON.stringify(identity)} is not an identity`, { details: { identity } });
  }
  const p = subjects.prefix;
  const inbox = `_INBOX.${identity}.>`;
  switch (who.kind) {
    case 'hub':
      return {
        publish: {
          allow: [`${p}.event.>`, `${p}.down.>`, `${p}.capability.>`, `${p}.actor.>`, '_INBOX.>', ...serviceQuestions],
        },
        subscribe: {
          allow: [subjects.allApi, subjects.allUp, subjects.allBlob, `${p}.actor.>`, inbox, ...serviceQuestions],
        },
        allowResponses: ANSWERS,
      };
    case 'agent':
      return {
        publish: { allow: [`${p}.up.${who.site}.${who.agent}.>`, `${p}.blob.${who.site}.${who.agent}.>`] },
        subscribe: {
          allow: [
            subjects.allDownOf(who.site, who.agent),
            `${p}.down.all.>`,
            `${p}.capability.>`,
            inbox,
            ...SERVICE_VERBS.flatMap((verb) => [
              `$SRV.${verb}`,
              `$SRV.${verb}.${p}-agent`,
              `$SRV.${verb}.${p}-agent.>`,
            ]),
          ],
        },
        allowResponses: ANSWERS,
      };
    case 'user':
      return {
        publish: {
          allow: [
            `${p}.api.${who.user}.>`,
            `${p}.blob.u.${who.user}.>`,
            `${p}.capability.*.probe`,
            ...serviceQuestions,
          ],
        },
        subscribe: { allow: [subjects.eventsOf(who.user), inbox] },
      };
    case 'observer':
      return {
        publish: { allow: [`${p}.capability.*.probe`, ...serviceQuestions] },
        subscribe: { allow: [`${p}.event.>`, `${p}.actor.>`, inbox] },
      };
    case 'auditor':
      return {
        publish: { allow: [`${p}.capability.*.probe`, ...serviceQuestions] },
        subscribe: { allow: [`${p}.>`, '_INBOX.>'] },
        // not one that hubs or users are in: it hears what they hear, and takes nothing
        queues: ['auditors'],
      };
    default:
      return assertNever(who, 'identity');
  }
}
