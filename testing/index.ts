/**
 * `polaron/testing`: two kinds of hub for tests, and assertions on graphs. `createTestHub`: hub, bus and agents inside the test, on a clock that the test moves.
 * `startTestHub`: the real thing, with processes and a disk. What they need is loaded when one is made.
 */
import type { CreateTestHubOptions, InProcessHub } from './test-hub.ts';

export { Crash } from './crash.ts';
export type { CrashKind } from './crash.ts';
export { graphOf } from './graph.ts';
export type { TestGraph, TestNode } from './graph.ts';
export { startTestHub } from './real-hub.ts';
export type { TestHub, TestHubOptions } from './real-hub.ts';
export type {
  CreateTestHubOptions,
  InProcessHub,
  Mock,
  MockCall,
  TestAgent,
  TestAgentOptions,
  TestClock,
  TestTask,
} from './test-hub.ts';

/**
 * A hub with its agents in this process, ready when it resolves. Electrons are called as functions of the test, so that its spies and variables are seen; values go through
 * the codec, and all else (retries, timeouts, cancels, lost agents) is done by the hub's own actors, on a clock that stands still until the test moves it. Raises USAGE.
 */
export async function createTestHub(options: CreateTestHubOptions = {}): Promise<InProcessHub> {
  const { createTestHub: create } = await import('./create-test-hub.ts');
  return create(options);
}
