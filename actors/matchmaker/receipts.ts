/** Reports of outcomes that are being judged: each is answered once, when every outcome in it has its verdict. Pure. */
import type { DoneReply, Verdict } from '../../bus/protocol/agent.ts';
import type { AgentKey, TaskId } from '../../model/ids.ts';
import type { Token } from '../../model/outcome.ts';

interface Receipt {
  readonly agent: AgentKey;
  readonly reply: (reply: DoneReply) => void;
  open: number;
  readonly at: number;
  readonly verdicts: { readonly task: TaskId; readonly token: Token; readonly verdict: Verdict }[];
}

/** One that isn't complete by then is forgotten: the agent reports again. */
const RECEIPT_MS = 60_000;

export class Receipts {
  readonly #open = new Map<number, Receipt>();
  #next = 1;

  get size(): number {
    return this.#open.size;
  }

  /** `agent` reported `count` outcomes at `now` (monotonic, ms); returns the report's number. */
  open(agent: AgentKey, count: number, now: number, reply: (reply: DoneReply) => void): number {
    const number = this.#next++;
    if (count === 0) reply({ verdicts: [] });
    else this.#open.set(number, { agent, reply, open: count, at: now, verdicts: [] });
    return number;
  }

  /** Who reported; undefined once all of it is judged. */
  agentOf(number: number): AgentKey | undefined {
    return this.#open.get(number)?.agent;
  }

  judged(number: number, task: TaskId, token: Token, verdict: Verdict): void {
    const receipt = this.#open.get(number);
    if (receipt === undefined) return;
    receipt.verdicts.push({ task, token, verdict });
    if (--receipt.open > 0) return;
    this.#open.delete(number);
    const { verdicts } = receipt;
    receipt.reply(verdicts.every((one) => one.verdict === verdict) ? { all: verdict } : { verdicts });
  }

  expire(now: number): void {
    for (const [number, receipt] of this.#open) if (now - receipt.at > RECEIPT_MS) this.#open.delete(number);
  }
}
