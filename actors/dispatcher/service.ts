/** The hub as the micro service `polaron-dispatcher`: the verbs of its api, counted. Not here: their answers (api.ts). */
import type { Bus } from '../../bus/bus.ts';
import { hubIdentity } from '../../bus/identity.ts';
import { MicroService } from '../../bus/micro-service.ts';
import type { AgentStatus } from '../../bus/protocol/api.ts';
import { apiVerbs, type ApiVerb, type Subjects } from '../../bus/subjects.ts';
import { API_QUEUE } from './api.ts';

export interface DispatcherServiceOptions {
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly node: string;
  readonly version: string;
  /** Wall clock, ms. */
  readonly startedAt: number;
  readonly agents: () => readonly AgentStatus[];
}

/** What `api.ts` counts, and `nats micro` shows. */
export function dispatcherService(o: DispatcherServiceOptions): MicroService<ApiVerb> {
  const { bus, subjects, node, version, startedAt } = o;
  return new MicroService({
    bus,
    prefix: subjects.prefix,
    name: `${subjects.prefix}-dispatcher`,
    id: node,
    version,
    description: 'Accepts dispatches and answers for them',
    startedAt,
    metadata: () => {
      const live = o.agents().filter(({ state }) => state === 'live');
      const slots = live.reduce((sum, agent) => sum + agent.slots, 0);
      return { hub: hubIdentity(node), node, version, agents: String(live.length), slots: String(slots) };
    },
    endpoints: apiVerbs.map((name) => ({ name, subject: subjects.apiOfAll(name), queueGroup: API_QUEUE })),
  });
}
