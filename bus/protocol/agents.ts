/** The verbs that are about agents: `agents` in pages, and `drain`. Not here: one agent's row (api.ts), what an agent is told (agent.ts). */
import { int, number, object, optional, parser, text, type Reader } from './shape.ts';

export interface AgentsRequest {
  /** Only agents after this `site.name`: the last of the page before. */
  readonly after?: string;
  /** @default as many as fit into an answer, which is also the most */
  readonly limit?: number;
  /** Only this one, `site.name`; nothing when it isn't there. */
  readonly only?: string;
}

/** Has an agent take nothing new, finish what it has, report and leave. */
export interface DrainRequest {
  /** `site.name`, or its name alone when no other site has one of that name. */
  readonly agent: string;
  /** How long it waits for what runs, ms; what runs longer is given to others. @default until all have ended */
  readonly graceMs?: number;
}
/** It has heard. */
export interface DrainReply {
  /** `site.name`. */
  readonly agent: string;
  /** What it still has. */
  readonly running: number;
  readonly queued: number;
}

const LONGEST = 200;

export const parseAgents: Reader<AgentsRequest> = parser(
  'agents request',
  object((o) => ({
    ...optional(o, 'after', (from, key) => text(from, key, LONGEST)),
    ...optional(o, 'limit', (from, key) => int(from, key, 1)),
    ...optional(o, 'only', (from, key) => text(from, key, LONGEST)),
  })),
);

export const parseDrain: Reader<DrainRequest> = parser(
  'drain request',
  object((o) => ({
    agent: text(o, 'agent', LONGEST),
    ...optional(o, 'graceMs', (from, key) => number(from, key, 0)),
  })),
);

export const parseDrainReply: Reader<DrainReply> = parser(
  'drain reply',
  object((o) => ({ agent: text(o, 'agent', LONGEST), running: int(o, 'running'), queued: int(o, 'queued') })),
);
