/** Hub answers for tests. */
import type { DispatchDetail, ElectronView, HubStatus, SnapshotReply } from '../../../bus/protocol/api.ts';
import type { HubApi } from '../../../cli/hub-api.ts';
import type { Digest } from '../../../model/ids.ts';
import { isDigest } from '../../../model/ids.ts';
import { NOW } from './fake-context.ts';

export const ID = '01h2x3y4z5abcdefghjk-n1';

function digest(): Digest {
  const text = 'ab'.repeat(32);
  if (!isDigest(text)) throw new Error('not a digest');
  return text;
}

export const hubStatus: HubStatus = {
  version: '0.1.0',
  pid: 4711,
  node: 'n1',
  bus: 'nats://127.0.0.1:4222',
  data: '/home/u/.polaron/data',
  startedAt: NOW - 65_000,
  dispatches: { live: 2 },
  agents: [
    {
      name: 'laptop',
      site: 'local',
      host: 'box',
      pid: 4712,
      slots: 4,
      running: 1,
      queued: 0,
      capabilities: ['process'],
      version: '0.1.0',
      state: 'live',
      lastSyncMs: 400,
    },
  ],
};

export function dispatchDetail(over: Partial<DispatchDetail> = {}): DispatchDetail {
  return {
    id: ID,
    user: 'u',
    lattice: 'train model',
    status: 'completed',
    acceptedAt: NOW - 12_000,
    startedAt: NOW - 11_000,
    endedAt: NOW - 7_000,
    counts: { completed: 2 },
    metadata: { team: 'ml' },
    seq: 9,
    args: { digest: digest(), size: 3 },
    errors: [],
    ...over,
  };
}

export const failure = {
  node: 'train[3]',
  error: {
    code: 'TASK_THREW',
    name: 'TypeError',
    message: 'x is not a function',
    stack: [
      'TypeError: x is not a function',
      ...[1, 2, 3, 4, 5].map((n) => `    at f${n} (file:///a/train.ts:${n}:1)`),
    ].join('\n'),
  },
};

export const electron = (id: number, over: Partial<ElectronView> = {}): ElectronView => ({
  id,
  name: `train[${id}]`,
  status: 'completed',
  attempts: 1,
  agent: 'local.laptop',
  startedAt: NOW - 10_000,
  endedAt: NOW - 9_000,
  seq: id + 1,
  ...over,
});

/** Pages as the hub cuts them. */
export function snapshots(dispatch: DispatchDetail, electrons: readonly ElectronView[], page = 30): HubApi['snapshot'] {
  return async ({ from = 0, limit = 1_000, status }): Promise<SnapshotReply> => {
    const wanted = electrons.filter((one) => one.id >= from && (status === undefined || one.status === status));
    const shown = wanted.slice(0, Math.min(page, limit));
    const next = wanted[shown.length]?.id;
    return { dispatch, electrons: shown, ...(next === undefined ? {} : { next }) };
  };
}
