/**
 * Runners of the pool that live in containers: each in one of its own, so that the limits of an electron are its alone, and nothing is left of it when it is killed.
 * Not here: the container (container.ts), the runner in it (remote/remote-runner.ts).
 */
import type { Timer } from '../../model/clock.ts';
import type { RunnerExit, StartRunner } from '../process/runner-process.ts';
import { remoteRunners } from '../remote/remote-runner.ts';
import { checkContainerOptions, type ContainerOptions } from './container-options.ts';
import { Container, type ContainerHome } from './container.ts';
import { readJson } from './engine-json.ts';

/** What a bridge was asked to kill and hasn't after this is killed with its container. */
const KILL_MS = 2_000;

/** The name of a place: equal options, equal text. */
export const placeOf = (options: ContainerOptions): string =>
  JSON.stringify(options, (_key, value: unknown) =>
    typeof value !== 'object' || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );

export class ContainerRunners {
  readonly #home: ContainerHome;
  readonly #containers = new Set<Container>();

  constructor(home: ContainerHome) {
    this.#home = home;
  }

  /** Resolves when no container is left. */
  async close(): Promise<void> {
    await Promise.all([...this.#containers].map((container) => container.close()));
  }

  readonly start: StartRunner = (start, listener) => {
    const options = checkContainerOptions(Object(readJson(start.place)));
    const container = new Container(this.#home, options, start.memoryMb);
    this.#containers.add(container);
    let late: Timer | undefined;
    const runner = remoteRunners({ link: () => container.link, env: () => options.env ?? {} })(start, {
      message: (message) => listener.message(message),
      batch: () => listener.batch(),
      output: (stream, text) => listener.output(stream, text),
      garbled: (error) => listener.garbled(error),
      leaving: () => listener.leaving(),
      exit: (exit) => {
        late?.cancel();
        void container.close().then(() => this.#containers.delete(container));
        listener.exit(told(exit, options));
      },
    });
    return {
      pid: 0,
      send: (message) => runner.send(message),
      readOutbox: (done) => runner.readOutbox(done),
      residentBytes: () => 0,
      kill: (signal) => {
        runner.kill(signal);
        if (signal === 'SIGKILL') late ??= this.#home.clock.after(KILL_MS, () => container.kill());
      },
    };
  };
}

/** With the container's own limit in the message. */
function told(exit: RunnerExit, { memory }: ContainerOptions): RunnerExit {
  if (exit.overMemory !== true || memory === undefined) return exit;
  const message = `it went over the memory of its container, ${memory}, or its memoryMb, and was killed; raise them, or use less`;
  return { ...exit, error: { code: 'MEMORY_LIMIT', message } };
}
