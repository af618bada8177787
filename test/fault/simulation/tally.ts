/** What a run of many seeds met: how often each fault struck and each rule was seen. Not here: how a rule is told (rule-sights.ts). */
import { createHash } from 'node:crypto';
import type { Verdict } from './judge.ts';
import { faultKinds, type FaultKind } from './plan.ts';
import { ruleNames, sightsOf, type RuleName } from './rule-sights.ts';

/** What needs a coincidence, and the number of seeds from which on it has to be met; it is met at least ten times as often. */
const SELDOM: ReadonlyMap<string, number> = new Map<RuleName, number>([
  ['H4 put back', 1_000], // an assign that reaches an agent in the moment it drains
  ['H5 sent again with the next sync', 1_000],
  ['time over: queue', 1_000], // most agents have room in time
  ['asked back, and ran on', 1_000],
  ['asked back, and given back', 2_000],
  ['lattice inside: cancelled alone', 1_000],
  ['lattice inside: cancelled with what is around it', 1_000],
  ['redispatch: all again', 1_000],
  ['redispatch: of a redispatch', 1_000],
  ['A1 refused stale', 10_000], // a cancel that overtakes its assign
]);

export class Tally {
  /** So many seeds have to meet everything. */
  static readonly ENOUGH = 200;
  readonly #faults = new Map<FaultKind, number>(faultKinds.map((kind) => [kind, 0]));
  readonly #rules = new Map<RuleName, number>(ruleNames.map((rule) => [rule, 0]));
  readonly #hash = createHash('sha256');
  #seeds = 0;
  #crashed = 0;
  #electrons = 0;
  #inside = 0;

  add({ world, digest, plan, records }: Verdict): void {
    this.#seeds++;
    this.#hash.update(digest);
    for (const { nodes } of plan.dispatches) this.#electrons += nodes.length;
    for (const [kind, count] of [...world.struck, ...world.wire.faults])
      this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
    if (world.history.entries.some((entry) => entry.type === 'life' && entry.what === 'dies')) this.#crashed++;
    for (const { spec } of records.values()) if (spec.outer !== undefined) this.#inside++;
    for (const [rule, count] of sightsOf(world, records)) this.#rules.set(rule, (this.#rules.get(rule) ?? 0) + count);
  }

  get digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  lines(): readonly string[] {
    const list = (counts: ReadonlyMap<string, number>): string =>
      [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
    return [
      `${this.#electrons} electrons in plans, ${this.#inside} lattices inside; ${this.#crashed} of ${this.#seeds} seeds with a process that died`,
      `faults: ${list(this.#faults)}`,
      `rules: ${list(this.#rules)}`,
    ];
  }

  /** What was never met. */
  missed(): readonly string[] {
    return [...this.#faults, ...this.#rules].flatMap(([name, count]) =>
      count > 0 || this.#seeds < (SELDOM.get(name) ?? 0) ? [] : [name],
    );
  }
}
