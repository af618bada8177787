/** One round of chaos: a world of its own, strikes while lattices run, quiet, a stop, and the account of it all. */
import { join } from 'node:path';
import { connect } from 'polaron';
import { RealHub } from '../../support/real-hub.ts';
import type { Account, Blow, Role } from './account.ts';
import { check, type Verdict } from './check.ts';
import { listen } from './ear.ts';
import { leftovers, MARK } from './leftovers.ts';
import { Load } from './load.ts';
import { Notes } from './notes.ts';
import { startWorld, type BusKind } from './parts.ts';
import { randomFrom } from './random.ts';
import { readStore } from './read-store.ts';
import { Storm } from './storm.ts';

const SHORT_LEASES = { leaseMs: 3_000, heartbeatMs: 500 };
/** How long what was accepted may take once all is back. */
const QUIET_MS = 60_000;

export interface RoundOptions {
  readonly seed: number;
  readonly strikes: number;
  readonly roles: readonly Role[];
  readonly bus: BusKind;
  readonly isolate: boolean;
  /** See StormOptions. @default false */
  readonly quick?: boolean;
  /** @default short ones */
  readonly leases?: { readonly leaseMs: number; readonly heartbeatMs: number };
  /** Of the hub. @default in its home */
  readonly data?: string;
  /** Something that goes on while parts die; answers what it did, when it is told that all is over. */
  readonly meanwhile?: (over: AbortSignal) => Promise<readonly Blow[]>;
  readonly struck?: (blows: readonly Blow[]) => void;
}

export interface Round {
  readonly account: Account;
  readonly verdict: Verdict;
  /** Codes of submissions and cancels that were refused, or gave up. */
  readonly refused: readonly string[];
  /** Where it happened; there only when a promise was broken. */
  readonly home: string;
}

/** Raises when a part can't be started, or the account can't be made. */
export async function runRound(o: RoundOptions): Promise<Round> {
  const { leaseMs, heartbeatMs } = o.leases ?? SHORT_LEASES;
  const env = { POLARON_LEASE_MS: String(leaseMs), POLARON_HEARTBEAT_MS: String(heartbeatMs) };
  const hub = new RealHub({ env });
  hub.env[MARK] = hub.home;
  const random = randomFrom(o.seed);
  let keep = true;
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const world = await startWorld(hub, o);
    ends.push(() => world.stop());
    const { url, ...login } = world.ear;
    const ear = await listen(url, login);
    ends.push(() => ear.close());
    const client = await connect({ bus: world.url });
    ends.push(() => client.close());
    const notes = new Notes(join(hub.home, 'notes'));
    const load = new Load(client, randomFrom(o.seed + 1), notes.file);
    ends.push(() => load.stop(0));
    const storm = new Storm({
      world,
      notes,
      random,
      roles: o.roles,
      quick: o.quick ?? false,
      struck: o.struck ?? (() => undefined),
    });
    const over = new AbortController();
    const meanwhile = o.meanwhile?.(over.signal);
    await storm.rage(o.strikes).finally(() => over.abort());
    const more = (await meanwhile) ?? [];
    await load.stop(QUIET_MS);
    const { data } = hub.file();
    for (const end of ends.splice(0).reverse()) await end();
    const left = await leftovers(hub.home);
    notes.read();
    const account: Account = {
      leaseMs,
      heartbeatMs,
      blows: [...storm.blows, ...more],
      dispatched: load.dispatched,
      executions: notes.executions,
      events: ear.events,
      stored: await readStore(data),
      left,
    };
    const verdict = check(account);
    keep = verdict.violations.length > 0;
    return { account, verdict, refused: load.refused, home: hub.home };
  } finally {
    for (const end of ends.reverse()) await end().catch(() => undefined);
    await hub.close({ keep });
  }
}
