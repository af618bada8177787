/** What a class of electrons asks for, read once: to be compared with many agents. */
import type { Requirement } from '../../bus/protocol/actors.ts';
import { takesOf, type Takes } from '../../model/amount-ledger.ts';
import { needFrom, type Need } from '../../model/capability.ts';

export interface Asks {
  readonly needs: readonly Need[];
  /** Of an agent's amounts, while it is there; undefined: nothing. */
  readonly takes: Takes | undefined;
}

export function asksOf({ capabilities }: Pick<Requirement, 'capabilities'>): Asks {
  const needs = capabilities.map(needFrom);
  return { needs, takes: takesOf(needs) };
}
