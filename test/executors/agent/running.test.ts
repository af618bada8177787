/** Electrons run on an agent with real runner processes: values, failures, isolation. The hub is fake, the processes are not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { input } from '../../support/fake-hub.ts';
import { errorOf, startHarness, valueOf, type Harness } from '../../support/agent-harness.ts';

let harness: Harness;
let next = 0;
beforeAll(async () => {
  harness = await startHarness();
  await harness.agent.joined;
}, 30_000);
afterAll(() => harness.close());

/** Assigns one task and waits for its end. */
async function run(electron: string, ...args: unknown[]) {
  const id = ++next;
  await harness.hub.assign({ [id]: { electron, args } });
  return harness.hub.outcome(id);
}

describe('an electron', () => {
  it('gets its arguments and gives its value', { timeout: 30_000 }, async () => {
    expect(valueOf(await run('add', 2, 3))).toBe(5);
    const id = ++next;
    await harness.hub.assign({ [id]: { electron: 'add', inputs: [input(20), input(22)] } });
    expect(valueOf(await harness.hub.outcome(id))).toBe(42);
  });
});
describe('failures', () => {
  it('tell name, code, stack and cause of what was thrown', { timeout: 30_000 }, async () => {
    const outcome = await run('throws');
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'TASK_THREW', name: 'TypeError', message: 'no such column', userCode: 'E_COLUMN', cause: { message: 'the file is empty' } },
    });
    expect(errorOf(outcome).stack).toContain('TypeError: no such column');
  });
});
