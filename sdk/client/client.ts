/**
 * The SDK's functions over hubs: the default ones (the bus that the environment names, or an option) and explicit clients.
 * Not here: what they do (dispatch.ts, wait.ts, watch.ts).
 */
import { PolaronError } from '../../model/errors.ts';
import { isDispatchId } from '../../model/ids.ts';
import { trusted } from '../../model/trusted.ts';
import type { Cancel, Client, ConnectOptions, DispatchEvent } from '../types.ts';
import { Connection, type Dial } from './connection.ts';
import { type DispatchEnvironment, startDispatch } from './dispatch.ts';
import { type Hub, hubOn } from './hub.ts';
import { lazyFacts } from './lattice-facts.ts';
import { startRedispatch, startRedispatchWith } from './redispatch.ts';
import type { Setting } from './settings.ts';
import { realSources, resolveTarget, type TargetSources } from './target.ts';
import { ownResult, resultFor, valueOf } from './wait.ts';
import { type WatchOptions, watchDispatch } from './watch.ts';

type Functions = Omit<Client, 'close'>;

/** What a process gives the SDK; replaced in tests. */
export interface ClientEnvironment extends DispatchEnvironment {
  readonly dial: Dial;
  readonly sources?: TargetSources;
  /** @default 100 */
  readonly idleMs?: number;
}

/** Ids whose hub was named by the option `bus`: later calls find it without. */
const MOST_REMEMBERED = 10_000;

export interface Sdk extends Functions {
  connect: (o?: ConnectOptions) => Promise<Client>;
  /** The hub of the default connection, or of `bus`. For the CLI. */
  hub(bus?: string): Hub;
  /** A redispatch with some arguments changed, by name. For the CLI. */
  redispatchWith(id: string, reuse: boolean, settings: readonly Setting[]): Promise<string>;
}

export function makeSdk(environment: ClientEnvironment): Sdk {
  const hubs = new Map<string, Hub>();
  const hubAt = (o: ConnectOptions): Hub =>
    hubOn(
      new Connection({
        target: () => resolveTarget(o, environment.sources ?? realSources),
        dial: environment.dial,
        ...(environment.idleMs === undefined ? {} : { idleMs: environment.idleMs }),
      }),
    );
  const hub = (bus = ''): Hub => {
    const known = hubs.get(bus);
    if (known !== undefined) return known;
    const made = hubAt(bus === '' ? {} : { bus });
    hubs.set(bus, made);
    return made;
  };
  return {
    ...functionsOver(environment, hub),
    hub,
    redispatchWith: (id, reuse, settings) => startRedispatchWith(hub(), environment, id, reuse, settings),
    connect: async (o = {}) => {
      const own = hubAt(o);
      const release = own.connection.hold();
      try {
        await own.connection.line();
      } finally {
        release();
      }
      const functions = functionsOver(environment, (bus) => (bus === undefined ? own : hub(bus)));
      return { ...functions, close: () => own.connection.close() };
    },
  };
}

function functionsOver(environment: DispatchEnvironment, hub: (bus?: string) => Hub): Functions {
  const elsewhere = new Map<string, string>();
  const hubOf = (id: string): Hub => hub(elsewhere.get(id));
  const remember = (id: string, bus: string | undefined): void => {
    if (bus === undefined) return;
    if (elsewhere.size >= MOST_REMEMBERED) elsewhere.clear();
    elsewhere.set(id, bus);
  };
  return {
    dispatch:
      (l, options = {}) =>
      async (...args) => {
        const { id } = await startDispatch(hub(options.bus), environment, l, options, args);
        remember(id, options.bus);
        return trusted(id);
      },
    dispatchSync:
      (l, options = {}) =>
      async (...args) => {
        const at = hub(options.bus);
        const { id, drawing } = await startDispatch(at, environment, l, options, args);
        remember(id, options.bus);
        return trusted(await ownResult(at, id, lazyFacts(drawing.lattice.source, drawing.graph)));
      },
    redispatch:
      (id, options = {}) =>
      async (...args) => {
        const at = options.bus === undefined ? hubOf(checked(id)) : hub(options.bus);
        const made = await startRedispatch(at, environment, checked(id), options, args);
        remember(made, options.bus ?? elsewhere.get(id));
        return trusted(made);
      },
    getResult: trusted((id: string, o: Parameters<typeof resultFor>[2] = {}) => resultFor(hubOf(checked(id)), id, o)),
    getValue: async (id, o = {}) => trusted(await valueOf(hubOf(checked(id)), id, o)),
    cancel: (id, o = {}) => cancelOn(hubOf(checked(id)), id, o),
    watch: (id, o = {}) => watchOn(hubOf(checked(id)), id, o),
  };
}

function cancelOn(hub: Hub, id: string, o: Parameters<Cancel>[1] & object): ReturnType<Cancel> {
  return hub.api.cancel({
    id,
    ...(o.electrons === undefined ? {} : { electrons: o.electrons }),
    ...(o.reason === undefined ? {} : { reason: o.reason }),
  });
}

/** What is no id can't be a part of a subject: the hub says what it thinks of it. */
async function* watchOn(hub: Hub, id: string, o: WatchOptions): AsyncGenerator<DispatchEvent, void> {
  if (!isDispatchId(id)) await hub.api.dispatchStatus(id);
  yield* watchDispatch(hub.api, id, o);
}

/** JavaScript callers may forget `await` before dispatch(). Raises USAGE. */
function checked(id: unknown): string {
  if (typeof id === 'string') return id;
  const got = id instanceof Promise ? 'a promise: await dispatch(...) first' : typeof id;
  throw new PolaronError('USAGE', `expected a dispatch id, got ${got}`, {
    help: 'Pass what `await dispatch(lattice)(…)` gave.',
  });
}
