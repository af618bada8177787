/**
 * The SDK of this process: real bus, real bundler, real environment. What is slow to load is imported when it is first used,
 * so that `import 'polaron'` stays quick.
 */
import type { Packages } from '../../bus/protocol/bundle-packages.ts';
import type { Log } from '../../model/log.ts';
import type { Dial } from './connection.ts';
import type { BundleOptions } from '../ship/shipped.ts';
import type { DispatchOptions } from '../types.ts';
import { makeSdk } from './client.ts';
import type { Shipping } from './preparation.ts';

const silent: Log = () => undefined;

/** Loads once: `import()` of what is loaded already still goes through the loader, for every dispatch. */
class Once<T> {
  loaded: T | undefined;
  readonly #load: () => Promise<T>;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  async get(): Promise<T> {
    this.loaded ??= await this.#load();
    return this.loaded;
  }
}
const bundler = new Once(() => import('../ship/bundle.ts'));
const capture = new Once(() => import('../../bus/capture.ts'));

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

const bundleOptions = ({ code, external }: DispatchOptions, packages: Packages | undefined): BundleOptions => ({
  cwd: process.cwd(),
  ...(code === undefined ? {} : { code }),
  ...(external === undefined ? {} : { external }),
  ...(packages === undefined ? {} : { packages }),
});

const shipping: Shipping = {
  bundle: (electrons, options, packages) =>
    bundler.loaded?.recentBundle(electrons, bundleOptions(options, packages)) ??
    bundler.get().then(({ bundleElectrons }) => bundleElectrons(electrons, bundleOptions(options, packages))),
  captures: (electrons) =>
    capture.loaded?.knownCaptures(electrons) ??
    capture.get().then(({ readCaptures }) => readCaptures(new Map(electrons.map(({ name, fn }) => [name, fn])))),
};

export const sdk = makeSdk({ dial, shipping, argv: () => process.argv.slice(2) });
