/**
 * The taking side of the raw pull: asks for chunks, a window of them under way, and lets go of what comes. Started by raw-pull.ts, which tells it what to pull
 * and is told how long that took; ends when its parent is gone.
 */
import { connect } from '@nats-io/transport-node';

process.once('disconnect', () => process.exit(0));

export interface RawPull {
  readonly bytes: number;
  readonly chunk: number;
  readonly window: number;
  /** How often in turn. */
  readonly times: number;
}

const connection = await connect({ servers: process.argv[2] ?? '', noAsyncTraces: true });
const inbox = 'chunk.got';
let arrived: (bytes: number) => void = () => undefined;
connection.subscribe(inbox, { callback: (_error, message) => arrived(message.data.length) });
await connection.flush();

/** One pull after the other; ms of all. */
async function pull({ bytes, chunk, window, times }: RawPull): Promise<number> {
  const began = performance.now();
  for (let left = times; left > 0; left--) {
    await new Promise<void>((resolve) => {
      let asked = 0;
      let got = 0;
      const ask = (): void => {
        if (asked >= bytes) return;
        const length = Math.min(chunk, bytes - asked);
        asked += length;
        connection.publish('chunk.get', String(length), { reply: inbox });
      };
      arrived = (length) => {
        got += length;
        if (got >= bytes) resolve();
        else ask();
      };
      for (let n = 0; n < window; n++) ask();
    });
  }
  return performance.now() - began;
}

const isPull = (x: unknown): x is RawPull => typeof x === 'object' && x !== null && 'window' in x && 'bytes' in x;

process.on('message', (message) => {
  if (isPull(message)) void pull(message).then((ms) => process.send?.({ ms }));
});
process.send?.('ready');
