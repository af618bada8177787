/** Runs one command in this process: real terminal, clock, signals; then ends the process with the command's exit code. */
import type { Context } from './context.ts';
import type { DetachedProcess } from '../host/detach.ts';
import { takeDetachedChannel } from '../host/detached.ts';
import { selfOf } from './early-hub.ts';
import { showFailure } from './failure.ts';
import { drained, processTerminal } from './terminal.ts';

/** Where hub and host come from. Tests give fakes. */
export type Ports = Pick<Context, 'connect' | 'host'>;

const realPorts: Ports = {
  connect: async () => (await import('./bindings.ts')).connectHub(),
  host: async () => (await import('./host-bindings.ts')).loadHost(),
};

/** Never resolves before the process ends. */
export async function run(process: NodeJS.Process, ports: Ports = realPorts, begun?: DetachedProcess): Promise<void> {
  // The reader of our output has seen enough: nothing is wrong.
  const terminal = processTerminal(process, () => process.exit(process.exitCode ?? 0));
  const argv = process.argv.slice(2);
  const context: Context = {
    terminal,
    json: argv.includes('--json'),
    env: process.env,
    cwd: process.cwd(),
    self: selfOf(process),
    ...(begun === undefined ? {} : { begun }),
    now: () => Date.now(),
    ...ports,
    interrupted: () => interruption(process),
  };
  // An SDK connection doesn't keep a process alive, and a command that is awaited must end with its own exit code.
  const awake = setInterval(() => undefined, 60_000);
  try {
    const channel = takeDetachedChannel(process.env);
    process.exitCode =
      channel === undefined
        ? await (await import('./program.ts')).runProgram(context, argv)
        : await (await import('./detached-hub.ts')).detachedHub(context, channel);
  } catch (error) {
    process.exitCode = showFailure(context, error);
  }
  clearInterval(awake);
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  process.exit();
}

/** Aborts at the first SIGINT, SIGTERM or SIGHUP; the second ends the process as it would by itself. */
function interruption(process: NodeJS.Process): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => controller.abort(new Error(name)));
  }
  return controller.signal;
}
