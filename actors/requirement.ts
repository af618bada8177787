/** What an electron asks of an agent, as the matchmaker compares it. */
import type { Requirement } from '../bus/protocol/actors.ts';
import type { ElectronDef } from '../model/graph.ts';

export function requirementOf(def: ElectronDef): Requirement {
  const capabilities = [def.executor, ...def.needs].sort();
  return { key: capabilities.join('\n'), capabilities };
}
