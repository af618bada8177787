/** What agents lack for electrons of a class, or what of theirs is in use. Pure. Not here: the other reasons to wait (why.ts). */
import type { Requirement } from '../../bus/protocol/actors.ts';
import type { AmountInUse, OfferedInstead, Why } from '../../bus/protocol/why.ts';
import { amountText, meets, needFrom } from '../../model/capability.ts';
import type { AgentState } from './agent-state.ts';
import { asksOf, type Asks } from './asks.ts';

type Lacking = Extract<Why, { kind: 'capability' }>;

/** `at`: monotonic, ms. `ahead`: dispatches that come before. */
export function whyOfAgents(
  { agents, at }: { readonly agents: readonly AgentState[]; readonly at: number },
  { key, capabilities: needs }: Requirement,
  ahead: number,
): Why {
  const asks = asksOf({ capabilities: needs });
  const there = agents.filter((agent) => ['live', 'suspect'].includes(agent.state(at)));
  const able = there.filter((agent) => agent.offers(asks.needs, key));
  if (able.length === 0) return lackOf(there, key, needs);
  const slots = able.reduce((sum, agent) => sum + (agent.last?.slots ?? 0), 0);
  const taken = inUse(able, needs, asks, at);
  return { kind: 'slot', needs, agents: able.length, slots, ahead, ...(taken === undefined ? {} : { taken }) };
}

function lackOf(there: readonly AgentState[], key: string, needs: readonly string[]): Lacking {
  const parsed = needs.map((need) => ({ need, asked: [needFrom(need)] }));
  let nearest: { agent: string; lacks: readonly string[] } | undefined;
  for (const agent of there) {
    const missing = parsed.flatMap(({ need, asked }) => (agent.offers(asked) ? [] : [need]));
    // It offers all, and has refused them.
    const lacks = missing.length === 0 && !agent.offers([], key) ? needs : missing;
    if (nearest === undefined || lacks.length < nearest.lacks.length) nearest = { agent: agent.key, lacks };
  }
  const most = needs.flatMap((need) => instead(there, need));
  return {
    kind: 'capability',
    needs,
    ...(nearest === undefined ? {} : { nearest }),
    ...(most.length === 0 ? {} : { most }),
  };
}

/** Of an amount that none offers enough of, who offers most; of that and of a label, where nobody offers its like, what somebody offers under the name instead. */
function instead(there: readonly AgentState[], text: string): readonly OfferedInstead[] {
  const need = needFrom(text);
  if (need.kind === 'name' || there.some(({ offered }) => meets(offered, need))) return [];
  let best: { readonly agent: string; readonly milli: bigint } | undefined;
  let other: OfferedInstead | undefined;
  for (const { key, offered } of there) {
    const label = [...offered.labels].find((one) => one.startsWith(`${need.name}=`));
    if (label !== undefined) other ??= { need: text, offers: label, agent: key, as: 'instead' };
    const amount = offered.amounts.get(need.name);
    if (need.kind !== 'amount' || amount?.of !== need.least.of) continue;
    if (best === undefined || best.milli < amount.milli) best = { agent: key, milli: amount.milli };
  }
  if (best === undefined || need.kind !== 'amount') return other === undefined ? [] : [other];
  const offers = amountText({ of: need.least.of, milli: best.milli });
  return [{ need: text, offers, agent: best.agent, as: 'largest' }];
}

/** Undefined: it isn't for an amount that they wait. */
function inUse(
  able: readonly AgentState[],
  needs: readonly string[],
  { takes }: Asks,
  at: number,
): readonly AmountInUse[] | undefined {
  if (takes === undefined) return undefined;
  const free = able.filter((agent) => agent.credit(at).free > 0);
  if (free.length === 0 || free.some((agent) => agent.amounts.room(takes, 1) > 0)) return undefined;
  return needs.flatMap((text) => {
    const need = needFrom(text);
    if (need.kind !== 'amount') return [];
    let best: { readonly left: bigint; readonly shown: AmountInUse } | undefined;
    for (const agent of free) {
      const state = agent.amounts.state(need.name);
      if (state === undefined) continue;
      const left = state.has.milli - state.used.milli;
      if (best !== undefined && best.left >= left) continue;
      const [used, has] = [amountText(state.used), amountText(state.has)];
      best = { left, shown: { need: text, agent: agent.key, used, has } };
    }
    return best === undefined || best.left >= need.least.milli ? [] : [best.shown];
  });
}
