/** Runs a program of the bench to its end or to an interrupt, closes what it opened, and sets the exit code. Not responsible for what the program does. */
import { closeEverything, Interrupted } from './openings.ts';

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** `program` resolves to its exit code; what it raises is shown, code 1. */
export async function runToEnd(program: () => Promise<number>): Promise<void> {
  let interruptedBy: keyof typeof exitCodes | undefined;
  // A reader that went away (`| head`) is no reason to leave a hub behind.
  process.stderr.on('error', () => undefined);
  const interruption = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        interruptedBy = signal;
        reject(new Interrupted());
      });
    }
  });
  try {
    process.exitCode = await Promise.race([program(), interruption]);
  } catch (error) {
    if (!(error instanceof Interrupted))
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  }
  await closeEverything();
  // What an interrupted run still waits for would keep the process alive.
  if (interruptedBy !== undefined) process.exit(exitCodes[interruptedBy]);
}
