/**
 * Sees what happens on a bus while lattices run and parts of it fail, and makes the account by which chaos decides whether every promise was held (fault/chaos/check.ts).
 * Not here: what fails, which the test does and tells.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type Client } from 'polaron';
import type { Account, Blow } from '../fault/chaos/account.ts';
import { check, type Verdict } from '../fault/chaos/check.ts';
import { listen, type Ear } from '../fault/chaos/ear.ts';
import { order } from '../fault/chaos/kinds.ts';
import { leftovers, MARK } from '../fault/chaos/leftovers.ts';
import { Load } from '../fault/chaos/load.ts';
import { Notes } from '../fault/chaos/notes.ts';
import { randomFrom } from '../fault/chaos/random.ts';
import { readStore } from '../fault/chaos/read-store.ts';
import { checkAlone, type Alone } from './alone-check.ts';
import { countsLine } from './counts-line.ts';
import type { RealHub } from './real-hub.ts';
import { hearVerdicts, type VerdictEar } from './verdict-ear.ts';

/** How long what was accepted may take once all is well again. */
const QUIET_MS = 90_000;

export interface WitnessOptions {
  readonly hub: RealHub;
  readonly leases: { readonly leaseMs: number; readonly heartbeatMs: number };
  /** A user's bus URL. */
  readonly url: string;
  /** Who may hear everything. */
  readonly ear: { readonly url: string; readonly user?: string; readonly pass?: string };
}

export interface Seen {
  readonly account: Account;
  readonly verdict: Verdict;
  readonly alone: Alone;
  /** Codes of submissions that were refused, or gave up. */
  readonly refused: readonly string[];
  /** All counts. */
  readonly line: string;
}

/** Every process of the home is told by this when all should be gone. Before the first one is started. */
export function markProcesses(hub: RealHub): void {
  hub.env[MARK] = hub.home;
}

export class Witness {
  readonly client: Client;
  readonly verdicts: VerdictEar;
  readonly notes: Notes;
  readonly blows: Blow[] = [];
  readonly #o: WitnessOptions;
  readonly #ear: Ear;
  readonly #loads: Load[] = [];

  private constructor(o: WitnessOptions, ear: Ear, verdicts: VerdictEar, client: Client) {
    this.#o = o;
    this.#ear = ear;
    this.verdicts = verdicts;
    this.client = client;
    this.notes = new Notes(join(mkdtempSync(join(o.hub.home, 'noted-')), 'notes'));
  }

  static async open(o: WitnessOptions): Promise<Witness> {
    const { url, ...login } = o.ear;
    const ear = await listen(url, login);
    return new Witness(o, ear, await hearVerdicts(url, login), await connect({ bus: o.url }));
  }

  /** Dispatches a few of these at a time from now on. */
  load(seed: number, what = order): void {
    this.#loads.push(new Load(this.client, randomFrom(seed), this.notes.file, what));
  }

  /** Executions that are under way in an agent's runners, as far as they tell. */
  running(agent: number): number {
    return this.notes.running(() => true).filter((execution) => execution.agent === agent).length;
  }

  /** An agent that nobody hears from now on; what is answered is told when it is heard again. */
  silent(agent: number): { readonly over: () => void } {
    const running = this.running(agent);
    const blow: Blow = { role: 'agent', how: 'halt', pid: agent, at: Date.now(), until: Infinity, running };
    this.blows.push(blow);
    return { over: () => void (blow.until = Date.now()) };
  }

  /** Resolves with the account when all that was accepted has ended, and `stop` has stopped every part. */
  async finish(stop: () => Promise<void>): Promise<Seen> {
    await Promise.all(this.#loads.map((load) => load.stop(QUIET_MS)));
    const { data } = this.#o.hub.file();
    await this.close();
    await stop();
    const left = await leftovers(this.#o.hub.home);
    this.notes.read();
    const account: Account = {
      ...this.#o.leases,
      blows: this.blows,
      dispatched: this.#loads.flatMap(({ dispatched }) => dispatched),
      executions: this.notes.executions,
      events: this.#ear.events,
      stored: await readStore(data),
      left,
    };
    const verdict = check(account);
    const alone = checkAlone(`${this.notes.file}.alone`);
    const line = `${countsLine(account, verdict)}; ${alone.executions} alone; verdicts ${JSON.stringify(this.verdicts.total())}`;
    return { account, verdict, alone, refused: this.#loads.flatMap(({ refused }) => refused), line };
  }

  /** Whatever has become of the rest. */
  async close(): Promise<void> {
    await Promise.all(this.#loads.map((load) => load.stop(0)));
    await this.client.close();
    await this.#ear.close();
    await this.verdicts.close();
  }
}
