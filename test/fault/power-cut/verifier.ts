/** Verifies in a process of its own, which may be ended by what it finds: then that is what was found. Not here: verifying (verify.ts). */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { packProgram } from '../../support/packed-program.ts';
import type { Acknowledged } from './recording.ts';

const CHILD = fileURLToPath(new URL('verify-child.ts', import.meta.url));

export interface Verifier {
  /** One line for each promise that is broken. */
  verify(target: string, promised: Acknowledged): Promise<readonly string[]>;
  stop(): void;
}

/** Begins a process when it is first asked, and another after one has ended. */
export async function startVerifier(): Promise<Verifier> {
  const program = await packProgram(CHILD);
  let running: ReturnType<typeof begin> | undefined;
  return {
    verify: async (target, promised) => {
      const { child, ended } = (running ??= begin(program.file));
      const answered = once(child, 'message').then(([found]: unknown[]) =>
        Array.isArray(found) ? found.map(String) : [],
      );
      child.send({ target, promised });
      const found = await Promise.race([answered, ended]);
      if (child.exitCode !== null || child.signalCode !== null) running = undefined;
      return found;
    },
    stop: () => {
      running?.child.kill();
      program.remove();
    },
  };
}

function begin(file: string) {
  const child = fork(file, {
    execArgv: [],
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
