/** What an electron asks of an agent, and which keys it must hold while it has one, as the matchmaker compares it. */
import type { Requirement } from '../bus/protocol/actors.ts';
import type { KeyHold } from '../bus/protocol/agent.ts';
import type { ElectronDef } from '../model/graph.ts';
import type { TaskId } from '../model/ids.ts';

type Asking = Pick<ElectronDef, 'executor' | 'needs'>;
const capabilitiesOf = (def: Asking): string[] => [def.executor, ...def.needs].sort();
const keyOfAll = (capabilities: readonly string[]): string => capabilities.join('\n');

/** Names the agents that can run it: `Requirement.key`. */
export const classOf = (def: Asking): string => keyOfAll(capabilitiesOf(def));

export function requirementOf(def: ElectronDef, user: string): Requirement {
  const capabilities = capabilitiesOf(def);
  const key = keyOfAll(capabilities);
  const { concurrency, exclusive = false } = def;
  if (concurrency === undefined && !exclusive) return { key, capabilities };
  const hold = concurrency === undefined ? undefined : keyOf(concurrency, user);
  const need = `${key}\n\n${exclusive ? 'exclusive' : ''}\n${hold?.limit ?? ''} ${hold?.key ?? ''}`;
  return { key, capabilities, limited: { need, exclusive, ...(hold === undefined ? {} : { key: hold }) } };
}

/** Names all that is asked for. */
export const needOf = ({ key, limited }: Requirement): string => limited?.need ?? key;

/** What an attempt holds; undefined: nothing. */
export function holdsOf(limited: Requirement['limited'], task: TaskId): readonly KeyHold[] | undefined {
  if (limited === undefined) return undefined;
  const own = limited.exclusive ? [ownHold(task)] : [];
  return limited.key === undefined ? own : [limited.key, ...own];
}

/** An exclusive electron's attempts hold it one at a time. */
export const ownHold = (task: TaskId): KeyHold => ({ key: task, limit: 1 });

/** A key is the user's own: a stranger's key of that name is another one. No user's name holds a slash. */
const keyOf = ({ key, limit }: KeyHold, user: string): KeyHold => ({ key: `${user}/${key}`, limit });
