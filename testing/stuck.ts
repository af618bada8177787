/** Why a dispatch of a test hub can't end: what waits for what, in words. Not here: noticing it (in-process-hub.ts). */
import type { ElectronView, Unoffered } from '../bus/protocol/api.ts';
import { PolaronError } from '../model/errors.ts';
import { isTerminalElectron } from '../model/lifecycle.ts';
import type { ApiClient } from '../sdk/client/api.ts';
import type { LocalAgent } from './local-agent.ts';

/** More electrons aren't named. */
const MOST_NAMED = 10;

/** STUCK, with what the hub says of the dispatch. */
export async function stuckError(api: ApiClient, agents: readonly LocalAgent[], id: string): Promise<PolaronError> {
  const { dispatch, electrons, unoffered = [] } = await api.snapshot({ id, brief: true, limit: 10_000 });
  const open = electrons.filter(({ status }) => !isTerminalElectron(status));
  const named = open.filter(({ status }) => status !== 'waiting');
  const lines = [
    ...named.slice(0, MOST_NAMED).map(electronLine),
    ...(named.length > MOST_NAMED ? [`and ${named.length - MOST_NAMED} more`] : []),
    ...unoffered.map((one) => offerLine(one, agents)),
    ...agents.filter(({ alive }) => !alive).map(({ name }) => `agent "${name}" was killed, and not started again`),
  ];
  return new PolaronError(
    'STUCK',
    `dispatch ${id} (lattice "${dispatch.lattice}") is ${dispatch.status}, and no timer is left that could end it:\n${lines.map((line) => `  ${line}\n`).join('')}`.trimEnd(),
    { details: { dispatch: id, electrons: open.slice(0, MOST_NAMED).map(({ name, status }) => ({ name, status })) } },
  );
}

function electronLine({ name, status, agent }: ElectronView): string {
  if (agent === undefined || status === 'ready') return `electron "${name}" is ${status}`;
  return `electron "${name}" is ${status} on agent "${agent.slice(agent.indexOf('.') + 1)}" and waits for something else than the clock: let it sleep by hub.clock.sleep(), or give it a timeout`;
}

function offerLine({ needs, missing, electrons }: Unoffered, agents: readonly LocalAgent[]): string {
  const what = `${electrons} ready electron${electrons === 1 ? ' needs' : 's need'} an agent with ${needs.join(', ')}`;
  const why = missing.length > 0 ? `none offers ${missing.join(', ')}` : 'none offers all of them';
  return `${what}; ${why} (there are ${agents.map(({ name }) => name).join(', ') || 'no agents'}): see createTestHub({ agents })`;
}
