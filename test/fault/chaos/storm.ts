/** Strikes: kills or halts a part at an instant of the seed, and starts again what it killed. Keeps the list of what it did. */
import { setTimeout as sleep } from 'node:timers/promises';
import { processInfo } from '../../../executors/process/process-table.ts';
import { until } from '../../support/until.ts';
import type { Blow, Role } from './account.ts';
import type { Notes } from './notes.ts';
import type { Part, World } from './parts.ts';
import type { Random } from './random.ts';

export interface StormOptions {
  readonly world: World;
  readonly notes: Notes;
  readonly random: Random;
  readonly roles: readonly Role[];
  /** Kills alone, one right after the other, whatever runs. */
  readonly quick: boolean;
  /** Told of each strike. */
  readonly struck: (blows: readonly Blow[]) => void;
}

/** One of so many is a halt. */
const HALTS = 4;
const LONGEST = { pauseMs: 900, downMs: 600 };
const LONGEST_QUICK = { pauseMs: 200, downMs: 100 };
/** How long to wait for something that runs. */
const BUSY_MS = 4_000;
const FIRST_MS = 30_000;
/** A killed process of a busy machine may take a while to be taken down. */
const GONE_MS = 30_000;
const HALT_MS = { least: 100, most: 5_000 };

const lives = (pid: number): boolean => processInfo(pid) !== undefined;

export class Storm {
  readonly blows: Blow[] = [];
  readonly #o: StormOptions;
  readonly #longest: typeof LONGEST;
  readonly #down = new Map<Part, Promise<void>>();
  readonly #halted = new Set<number>();
  /** Of runners. */
  readonly #halts = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  constructor(o: StormOptions) {
    this.#o = o;
    this.#longest = o.quick ? LONGEST_QUICK : LONGEST;
  }

  /** So many strikes; resolves when all is back. Raises when a part can't be started. */
  async rage(strikes: number): Promise<void> {
    const { random, roles, notes } = this.#o;
    await until(() => notes.running(lives).length > 0, 'something runs', FIRST_MS);
    for (let done = 0; done < strikes; ) {
      await this.#moment();
      const blows = await this.#strike(random.pick(roles));
      if (blows.length > 0) {
        done++;
        this.#o.struck(blows);
      }
      const [failure] = this.#failures;
      if (failure !== undefined) throw failure;
    }
    await this.#settle();
  }

  /** A random instant: most of them while something runs, some whatever the state, as in the middle of a recovery. */
  async #moment(): Promise<void> {
    const { random, notes, quick } = this.#o;
    await sleep(random.between(20, this.#longest.pauseMs));
    if (quick || random.between(1, 4) === 1) return;
    await until(() => notes.running(lives).length > 0, 'something runs', BUSY_MS).catch(() => undefined);
    await sleep(random.between(0, 40));
  }

  /** Brings back what is down or halted. */
  async #settle(): Promise<void> {
    await Promise.all(this.#halts);
    while (this.#down.size > 0) await Promise.all(this.#down.values());
    for (const part of this.#o.world.parts) await part.start();
  }

  async #strike(role: Role): Promise<readonly Blow[]> {
    const { random, world, quick } = this.#o;
    if (role === 'all') return this.#killAll();
    if (role === 'runner') return this.#strikeRunner();
    const up = world.parts.filter((part) => part.role === role && !this.#down.has(part) && part.pid() !== undefined);
    // The embedded broker is a part of the hub.
    if (up.length === 0) return [];
    const part = random.pick(up);
    const halted = !quick && random.between(1, HALTS) === 1;
    return halted ? this.#halt(part) : this.#kill([part]);
  }

  /** Hub, broker, agents and their runners, in one go. */
  async #killAll(): Promise<readonly Blow[]> {
    while (this.#down.size > 0) await Promise.all(this.#down.values());
    const { world } = this.#o;
    const runners = world.runners();
    const blows = runners.flatMap((pid) => this.#hit('runner', 'kill', pid, () => 0) ?? []);
    for (const blow of blows) blow.until = blow.at;
    return [...this.#kill(world.parts), ...blows];
  }

  /** One at work, if there is one. */
  #strikeRunner(): readonly Blow[] {
    const { random, notes, world } = this.#o;
    const runners = world.runners();
    const busy = notes.running((pid) => runners.includes(pid)).map(({ pid }) => pid);
    const pids = busy.length > 0 ? [...new Set(busy)] : runners;
    if (pids.length === 0) return [];
    const pid = random.pick(pids);
    const halted = random.between(1, HALTS) === 1;
    const blow = this.#hit('runner', halted ? 'halt' : 'kill', pid, (one) => Number(one.pid === pid));
    if (blow === undefined) return [];
    if (halted) this.#halts.add(this.#goOn(blow, random.between(HALT_MS.least, HALT_MS.most)));
    else blow.until = blow.at;
    return [blow];
  }

  #kill(parts: readonly Part[]): readonly Blow[] {
    const { random } = this.#o;
    const blows: Blow[] = [];
    for (const part of parts) {
      const pid = part.pid();
      const blow = pid === undefined ? undefined : this.#hit(part.role, 'kill', pid, this.#counts(part, pid));
      if (blow === undefined) continue;
      blows.push(blow);
      const downMs = random.between(0, this.#longest.downMs);
      this.#bringBack(part, async () => {
        // one that is still dying would be taken for started
        await until(() => !lives(blow.pid), `${part.name} is gone`, GONE_MS);
        await sleep(downMs);
        await part.start();
        blow.until = Date.now();
      });
    }
    return blows;
  }

  #halt(part: Part): readonly Blow[] {
    const pid = part.pid();
    const blow = pid === undefined ? undefined : this.#hit(part.role, 'halt', pid, this.#counts(part, pid));
    if (blow === undefined) return [];
    const ms = this.#o.random.between(HALT_MS.least, HALT_MS.most);
    this.#bringBack(part, () => this.#goOn(blow, ms));
    return [blow];
  }

  /** What runs below an agent; below hub and broker it is everything. */
  #counts(part: Part, pid: number): (one: { readonly agent: number }) => number {
    return ({ agent }) => Number(part.role !== 'agent' || agent === pid);
  }

  #hit(
    role: Blow['role'],
    how: Blow['how'],
    pid: number,
    counts: (one: { readonly agent: number; readonly pid: number }) => number,
  ): Blow | undefined {
    if (this.#halted.has(pid)) return undefined;
    const running = this.#o.notes.running(lives);
    const at = Date.now();
    try {
      process.kill(pid, how === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    } catch {
      return undefined; // it had just gone
    }
    const under = running.reduce((sum, one) => sum + counts(one), 0);
    const blow: Blow = { role, how, pid, at, until: Number.POSITIVE_INFINITY, running: under };
    this.blows.push(blow);
    return blow;
  }

  async #goOn(blow: Blow, ms: number): Promise<void> {
    this.#halted.add(blow.pid);
    await sleep(ms);
    this.#halted.delete(blow.pid);
    try {
      process.kill(blow.pid, 'SIGCONT');
    } catch {
      // ended meanwhile: another part's end ended it
    }
    blow.until = Date.now();
  }

  #bringBack(part: Part, act: () => Promise<void>): void {
    const back = act()
      .catch((error: unknown) => void this.#failures.push(error))
      .finally(() => this.#down.delete(part));
    this.#down.set(part, back);
  }
}
