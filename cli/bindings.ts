/** Binds the commands' narrow interfaces to the SDK's client and to host/. The only file of cli/ that knows them. */
import { decodeGraph } from '../bus/protocol/wire-graph.ts';
import { PolaronError } from '../model/errors.ts';
import { decodeOutput, readStrangers } from '../sdk/client/outputs.ts';
import { sdk } from '../sdk/client/default-sdk.ts';
import type { Hub } from '../sdk/client/hub.ts';
import { settingOf } from '../sdk/client/settings.ts';
import { endOf } from '../sdk/client/wait.ts';
import { drawGraph } from '../sdk/draw/draw.ts';
import { Seen } from '../sdk/draw/seen.ts';
import type { DispatchEvent } from '../sdk/types.ts';
import { viewOf } from './graph-view.ts';
import { Coded } from './value-json.ts';
import type { DrawableGraph, HubApi, ResultView, WatchEvent } from './hub-api.ts';

/** The hub that POLARON_URL or this machine's hub file names; dialled at the first call. */
export function connectHub(): HubApi {
  readStrangers((codec, content) => new Coded(codec, content));
  const hub = sdk.hub();
  const { api, connection } = hub;
  return {
    status: () => api.hubStatus(),
    agents: (request) => api.agents(request),
    drain: (request) => api.drain(request),
    list: (request) => api.list(request),
    snapshot: (request) => api.snapshot(request),
    logs: (request) => api.logs(request),
    attempts: (request) => api.attempts(request),
    why: (request) => api.why(request),
    cancel: (request) => api.cancel(request),
    redispatch: ({ id, reuse, settings }) => sdk.redispatchWith(id, reuse, settings.map(settingOf)),
    purge: (request) => api.purge(request),
    backup: (request) => api.backup(request),
    result: (id, wait) => resultOf(hub, id, wait),
    graph: (id) => graphOf(hub, id),
    watch: (id, signal) => watchEvents(sdk.watch(id, { from: 'start', signal })),
    close: () => connection.close(),
  };
}

async function resultOf(hub: Hub, id: string, wait: boolean): Promise<ResultView> {
  const { dispatch, output } = await (wait ? endOf(hub, id) : hub.api.wait({ id, timeoutMs: 0 }, { outageMs: 10_000 }));
  if (dispatch.status !== 'completed') return { dispatch };
  if (output === undefined) {
    throw new PolaronError('BAD_MESSAGE', `dispatch ${id} is completed, but the hub sent no output`);
  }
  return { dispatch, value: { decoded: await decodeOutput(hub, output) } };
}

async function graphOf(hub: Hub, id: string): Promise<DrawableGraph> {
  const { dispatch } = await hub.api.snapshot({ id, limit: 1 });
  if (dispatch.graph === undefined) {
    throw new PolaronError('BAD_MESSAGE', `dispatch ${id}: the hub's snapshot has no graph`);
  }
  const graph = decodeGraph(await hub.blobs.fetch(dispatch.graph));
  return {
    nodes: viewOf(graph).nodes,
    draw: async (format, electrons) => {
      const seen = new Seen(graph);
      for await (const electron of electrons) seen.add(electron);
      const { lattice, status } = dispatch;
      return drawGraph(format, graph, { title: lattice, subtitle: `${id} · ${status}`, seen });
    },
  };
}

async function* watchEvents(events: AsyncIterable<DispatchEvent>): AsyncGenerator<WatchEvent> {
  for await (const { at, ...rest } of events) yield { ...rest, at: at.getTime() };
}
