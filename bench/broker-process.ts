/** Starts and stops the embedded broker's own process for the bench. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface BrokerProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Raises Error when the process ends before it has said its address. */
export async function startBrokerProcess(): Promise<BrokerProcess> {
  // In a group of its own: a Ctrl-C leaves it alone until its parent ends it.
  const child = fork(fileURLToPath(new URL('./broker-child.mjs', import.meta.url)), { detached: true });
  const exited = once(child, 'exit');
  const first = await Promise.race([once(child, 'message'), exited.then(() => [])]);
  const message: unknown = first[0];
  if (typeof message !== 'object' || message === null || !('url' in message) || typeof message.url !== 'string') {
    throw new Error('the embedded broker did not start');
  }
  return {
    url: message.url,
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
