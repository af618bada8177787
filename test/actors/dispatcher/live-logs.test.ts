/** `logs` of what runs: asked of its agent, and what is told when that has moved on. */
import { describe, expect, it } from 'vitest';
import { withLiveLogs } from '../../../actors/dispatcher/live-logs.ts';
import type { LiveLogs } from '../../../bus/protocol/agent.ts';
import type { ElectronView, LogsReply } from '../../../bus/protocol/api.ts';
import { makeDispatchId } from '../../../model/ids.ts';

const dispatchId = makeDispatchId(0, new Uint8Array(10), 'n1');

const running: ElectronView = { id: 3, name: 'train', status: 'running', attempts: 2, seq: 0, agent: 'local.a' };
const stored: LogsReply = { electron: running, attempt: 1, stdout: 'old', stderr: '' };

function ask(view: Partial<ElectronView>, live: LiveLogs | Error, attempt?: number) {
  const asked: string[] = [];
  let reads = 0;
  const reply = withLiveLogs(
    dispatchId,
    { id: dispatchId, electron: 3, ...(attempt === undefined ? {} : { attempt }) },
    () => Promise.resolve({ ...stored, electron: { ...running, ...view }, stdout: `read ${++reads}` }),
    (agent, task) => {
      asked.push(`${agent} ${task}`);
      return live instanceof Error ? Promise.reject(live) : Promise.resolve(live);
    },
  );
  return { reply, asked };
}

describe('what is written', () => {
  const logs = { stdout: 'so far', stderr: '', log: '{}' };

  it('so far comes from the agent, with the number of its attempt', async () => {
    const { reply, asked } = ask({}, { token: [9, 2], logs });
    expect(await reply).toEqual({ electron: running, attempt: 2, live: true, ...logs });
    expect(asked).toEqual([`local.a ${dispatchId}_3`]);
  });

  it('by an attempt that has ended, or before, is read from disk', async () => {
    expect((await ask({ status: 'completed' }, { token: [9, 2], logs }).reply).stdout).toBe('read 1');
    expect((await ask({}, { token: [9, 2], logs }, 1).reply).stdout).toBe('read 1');
    expect((await ask({}, { token: [9, 2] }).reply).stdout).toBe('read 1');
  });

  it('by one that ended while its agent was asked is read again', async () => {
    expect((await ask({}, {}).reply).stdout).toBe('read 2');
  });

  it('is told as far as it is known when the agent is away', async () => {
    expect(await ask({}, new Error('nobody answers')).reply).toMatchObject({ stdout: 'read 1', live: false });
  });
});
