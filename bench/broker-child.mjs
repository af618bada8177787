/**
 * The embedded broker in a process of its own, open to anyone on loopback: the ceiling's bus where there is no nats-server. Forked by broker-process.ts.
 * It takes the broker from the build, since the package offers it to nobody without credentials.
 */
import { startBroker } from '../dist/bus/broker/broker.js';

const broker = await startBroker({
  auth: 'none',
  log: (level, message, fields) => {
    if (level !== 'debug') process.stderr.write(`broker: ${message} ${JSON.stringify(fields ?? {})}\n`);
  },
  clock: {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: (delayMs, callback) => {
      const timer = setTimeout(() => callback(), delayMs).unref();
      return { cancel: () => clearTimeout(timer) };
    },
  },
});
process.on('disconnect', () => void broker.close().then(() => process.exit(0)));
process.send?.({ url: broker.url });
