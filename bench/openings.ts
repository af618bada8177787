/**
 * What is open (hubs, brokers, processes), and is closed in reverse order at the end, or when the bench is interrupted. Each interrupt closes all that any of these hold.
 * Not responsible for how something is opened or closed.
 */
export class Interrupted extends Error {}

const living = new Set<Openings>();
let interrupted = false;

export class Openings {
  readonly #closers: (() => Promise<void>)[] = [];

  constructor() {
    living.add(this);
  }

  /** Opens something. An interrupt meanwhile waits for it and closes it; after one, nothing more is opened. Raises Interrupted. */
  open<T>(open: () => Promise<T>, close: (one: T) => Promise<void>): Promise<T> {
    stopWhenInterrupted();
    const opening = open();
    this.#closers.push(() => opening.then(close, () => undefined));
    return opening;
  }

  /** What fails to close is said, and doesn't keep the rest from closing. */
  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      await close().catch((error: unknown) => void process.stderr.write(`${String(error)}\n`));
    }
    living.delete(this);
  }
}

/** Raises Interrupted after an interrupt: for what opens many things one after another. */
export function stopWhenInterrupted(): void {
  if (interrupted) throw new Interrupted();
}

/** From now on nothing is opened; closes everything, the youngest first. */
export async function closeEverything(): Promise<void> {
  interrupted = true;
  for (const openings of [...living].reverse()) await openings.close();
}
