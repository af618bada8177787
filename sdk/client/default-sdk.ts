/**
 * The SDK of this process: real bus, real bundler, real environment. What is slow to load is imported when it is first used,
 * so that `import 'polaron'` stays quick.
 */
import type { Log } from '../../model/log.ts';
import type { Dial } from './connection.ts';
import { makeSdk } from './client.ts';
import type { Shipping } from './preparation.ts';

const silent: Log = () => undefined;

/** Loads once: `import()` of what is loaded already still goes through the loader, for every dispatch. */
function once<T>(load: () => Promise<T>): () => T | Promise<T> {
  let loaded: T | undefined;
  return () =>
    loaded ??
    load().then((made) => {
      loaded = made;
      return made;
    });
}
const bundler = once(() => import('../ship/bundle.ts'));
const captures = once(() => import('../../bus/capture.ts'));

const dial: Dial = async (target) => {
  const { connectNats } = await import('../../bus/nats-bus.ts');
  return connectNats({
    servers: target.servers,
    name: 'polaron sdk',
    identity: target.identity,
    log: silent,
    waitOnFirstConnect: false,
    keepAlive: false,
    ...(target.ownTls === true ? { tls: { insecureSkipVerify: true } } : {}),
    ...(target.login === undefined ? {} : target.login),
  });
};

const shipping: Shipping = {
  bundle: async (electrons, options) => {
    const { bundleElectrons } = await bundler();
    return bundleElectrons(electrons, {
      cwd: process.cwd(),
      ...(options.code === undefined ? {} : { code: options.code }),
      ...(options.external === undefined ? {} : { external: options.external }),
    });
  },
  captures: async (electrons) => {
    const { readCaptures } = await captures();
    return readCaptures(new Map(electrons.map(({ name, fn }) => [name, fn])));
  },
};

export const sdk = makeSdk({ dial, shipping, argv: () => process.argv.slice(2) });
