/** Why the hub doesn't want this agent, as an error. */
import type { SyncReply } from '../../bus/protocol/agent.ts';
import { PolaronError } from '../../model/errors.ts';

export const refusalOf = (who: string, reply: SyncReply): PolaronError =>
  reply.type === 'name-taken'
    ? new PolaronError(
        'AGENT_NAME_TAKEN',
        `${who}: another agent of this name is alive on ${reply.host} (pid ${reply.pid}); choose another --name`,
        {
          details: { host: reply.host, pid: reply.pid },
        },
      )
    : new PolaronError('SUPERSEDED', `${who}: a newer agent of this name took over; this one stops`);
