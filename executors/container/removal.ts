/** Removes a container whatever it does: one that has just ended, or that its engine is about to remove itself, is refused at first, by each engine in its own words. */
import type { Clock } from '../../model/clock.ts';
import type { Engine } from './engine.ts';

const AGAIN_MS = 50;
const MOST_MS = 10_000;

/** Resolves when it is gone, with undefined, or with why it can't be removed. Rejects with EXECUTOR_FAILED when the engine is. */
export async function removeContainer(engine: Engine, clock: Clock, id: string): Promise<string | undefined> {
  const end = clock.monotonic() + MOST_MS;
  for (;;) {
    const { status, body } = await engine.ask('DELETE', `/containers/${id}?force=1&v=1`);
    if (status < 400 || status === 404) return undefined;
    const known = await engine.ask('GET', `/containers/${id}/json`);
    if (known.status === 404) return undefined;
    if (clock.monotonic() > end) return body.trim();
    await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve));
  }
}
