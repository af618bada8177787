/** A flush that outlives its connection. */
import type { Bus } from '../bus/bus.ts';
import { PolaronError } from '../model/errors.ts';

/** Resolves once a server has seen every subscription, however often the connection is lost meanwhile. Rejects with BUS_CLOSED. */
export async function flushThrough(bus: Bus): Promise<void> {
  for (;;) {
    try {
      return await bus.flush();
    } catch (error) {
      if (!(error instanceof PolaronError) || error.code !== 'BUS_DISCONNECTED') throw error;
      await connection(bus);
    }
  }
}

/** Resolves when there is one, or will never be one again. */
function connection(bus: Bus): Promise<void> {
  if (bus.connected) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = bus.onStatus(({ type }) => {
      if (type !== 'connected' && type !== 'closed') return;
      stop();
      resolve();
    });
  });
}
