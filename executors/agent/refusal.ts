/** Why the hub doesn't want this agent, as an error. */
import { PROTOCOL_VERSION } from '../../bus/codec.ts';
import type { SyncReply } from '../../bus/protocol/agent.ts';
import { offerRefused } from '../../model/capability.ts';
import { PolaronError } from '../../model/errors.ts';

/** `version`: of the agent's package. */
export function refusalOf(who: string, version: string, reply: SyncReply): PolaronError {
  if (reply.type === 'other-version') return otherVersion(who, version, reply);
  if (reply.type === 'unreadable-offer') return offerRefused(who, reply);
  if (reply.type !== 'name-taken')
    return new PolaronError('SUPERSEDED', `${who}: a newer agent of this name took over; this one stops`);
  const { host, pid } = reply;
  const message = `${who}: another agent of this name is alive on ${host} (pid ${pid}); choose another --name`;
  return new PolaronError('AGENT_NAME_TAKEN', message, { details: { host, pid } });
}

function otherVersion(
  who: string,
  version: string,
  hub: Extract<SyncReply, { readonly type: 'other-version' }>,
): PolaronError {
  const speak = `this agent (polaron ${version}) speaks protocol ${PROTOCOL_VERSION}, the hub (polaron ${hub.version}) ${hub.protocol}`;
  const details = { agent: PROTOCOL_VERSION, hub: hub.protocol, hubVersion: hub.version };
  const here = `npm install -g polaron@${hub.version}`;
  return hub.protocol > PROTOCOL_VERSION
    ? new PolaronError('WRONG_VERSION', `${who}: ${speak}`, { details, help: `Update the agent: ${here}` })
    : new PolaronError('WRONG_VERSION', `${who}: ${speak}`, {
        details,
        help: `Update the hub, or take its version here: ${here}`,
      });
}
