/** Verifies in a process of its own, which may be ended by what it finds: then that is what was found. Not here: verifying (verify.ts). */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Acknowledged } from './recording.ts';

const CHILD = fileURLToPath(new URL('verify-child.ts', import.meta.url));

export interface Verifier {
  /** One line for each promise that is broken. */
  verify(target: string, promised: Acknowledged): Promise<readonly string[]>;
  stop(): void;
}

/** Begins a process when it is first asked, and another after one has ended. */
export function startVerifier(): Verifier {
  let running: ReturnType<typeof begin> | undefined;
  return {
    verify: async (target, promised) => {
      const { child, ended } = (running ??= begin());
      const answered = once(child, 'message').then(([found]: unknown[]) =>
        Array.isArray(found) ? found.map(String) : [],
      );
      child.send({ target, promised });
      const found = await Promise.race([answered, ended]);
      if (child.exitCode !== null || child.signalCode !== null) running = undefined;
      return found;
    },
    stop: () => void running?.child.kill(),
  };
}

function begin() {
  const child = fork(CHILD, {
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close').then(() => [
    `who opened it ended with ${child.signalCode ?? child.exitCode}: ${said.trim()}`,
  ]);
  return { child, ended };
}
