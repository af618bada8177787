/** The agent as the micro service `polaron-agent`: what the hub asks of it, counted. Not here: the answers (ears.ts). */
import { MicroService } from '../../bus/micro-service.ts';
import type { DownKind } from '../../bus/subjects.ts';
import type { ResolvedAgent } from './options.ts';
import type { AgentView } from './running-agent.ts';

/** Held complete by the compiler. */
const known: Readonly<Record<DownKind, true>> = { assign: true, cancel: true, control: true, blob: true, logs: true };
const isKind = (text: string): text is DownKind => Object.hasOwn(known, text);
const kinds = Object.keys(known).filter(isKind);

/** One token for site and name; an underscore in the site would hide where it ends, and capitals are in no token. */
export const serviceIdOf = (site: string, name: string): string => `${site.replaceAll('_', 'U')}_${name}`;

/** `view`: of the moment when somebody asks. */
export function agentService(o: ResolvedAgent, view: () => AgentView): MicroService<DownKind> {
  const { bus, subjects, site, name, slots, version, host } = o;
  return new MicroService({
    bus,
    prefix: subjects.prefix,
    name: `${subjects.prefix}-agent`,
    id: serviceIdOf(site, name),
    version,
    description: 'Runs electrons',
    startedAt: o.clock.now(),
    metadata: () => ({
      site,
      name,
      host,
      pid: String(process.pid),
      version,
      slots: String(slots),
      capabilities: o.capabilities.join(', '),
    }),
    endpoints: kinds.map((kind) => ({
      name: kind,
      subject: subjects.down(site, name, kind),
      // the state of the whole agent, at what fills it
      ...(kind === 'assign' ? { data: () => ({ slots, ...view() }) } : {}),
    })),
  });
}
