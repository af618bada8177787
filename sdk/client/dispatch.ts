/**
 * `dispatch`: prepares, uploads what the hub lacks, submits. Resolves once the hub has stored everything.
 *
 * D1. Everything that can be refused is refused before anything is sent.
 * D2. Graph and arguments travel inside the submit when they are small, else as values.
 * D3. The idempotency key is made once: however often the submit is repeated, one dispatch is started.
 * D4. When the hub misses what it was believed to have (another data folder), all is uploaded and submitted once more.
 */
import { randomUUID } from 'node:crypto';
import type { BytesOrValue, SubmitRequest } from '../../bus/protocol/api.ts';
import { valueInfoOf } from '../../bus/value/digest.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { LatticeInfo } from '../builder.ts';
import { milliseconds } from '../durations.ts';
import type { DispatchOptions } from '../types.ts';
import { payloadRoom } from './api.ts';
import type { Hub } from './hub.ts';
import { lazyFacts } from './lattice-facts.ts';
import { draw, type Drawing, ship, type Shipment, type Shipping } from './preparation.ts';
import type { LatticeFacts } from './result.ts';

/** Graph and arguments together, inside the submit. */
const INLINE_BYTES = 200 * 1024;
/** Longer texts are cut: they are for people. */
const SOURCE_CHARACTERS = 64 * 1024;

export interface Started {
  readonly id: string;
  /** Of the trace made here: nothing has to be fetched for it. */
  readonly facts: LatticeFacts;
}

export interface DispatchEnvironment {
  readonly shipping: Shipping;
  /** `process.argv.slice(2)`. */
  readonly argv: () => readonly string[];
  readonly maxValueBytes?: number;
}

/** Raises the errors of tracing and code shipping, VALUE_TOO_LARGE, NO_HUB, IDEMPOTENCY_MISMATCH, HUB_BUSY, DISK_FULL. */
export async function startDispatch(
  hub: Hub,
  environment: DispatchEnvironment,
  l: unknown,
  options: DispatchOptions,
  args: readonly unknown[],
): Promise<Started> {
  const drawing = draw(l, args, options, environment.maxValueBytes);
  const key = options.idempotencyKey ?? randomUUID();
  const release = hub.connection.hold();
  try {
    // The bus is dialled while the bundler works; without a hub the user needn't wait for that.
    const [shipment] = await Promise.all([
      ship(environment.shipping, drawing.trace, options),
      hub.connection.contacted ? undefined : hub.connection.line(),
    ]);
    const again = (): Promise<string> => send(hub, environment, drawing, shipment, options, key);
    const id = await again().catch((error: unknown) => {
      if (!(error instanceof PolaronError) || error.code !== 'VALUE_MISSING') throw error;
      hub.blobs.forget();
      return again();
    });
    return { id, facts: lazyFacts(drawing.lattice.source, drawing.graph) };
  } finally {
    release();
  }
}

async function send(
  hub: Hub,
  environment: DispatchEnvironment,
  drawing: Drawing,
  shipment: Shipment,
  options: DispatchOptions,
  key: string,
): Promise<string> {
  const { lattice, trace } = drawing;
  const { bundle, captures } = shipment;
  const uploads = new Map<Digest, Uint8Array>(trace.values);
  if (bundle !== undefined) uploads.set(bundle.digest, bundle.code);
  const inline = drawing.graph.length + drawing.args.length <= inlineRoom(hub, lattice);
  const carried = (bytes: Uint8Array): BytesOrValue => {
    if (inline) return { bytes };
    const value = valueInfoOf(bytes);
    uploads.set(value.digest, bytes);
    return { value };
  };
  const request: SubmitRequest = {
    key,
    lattice: { name: lattice.name, source: shortened(lattice.source) },
    graph: carried(drawing.graph),
    args: carried(drawing.args),
    ...(bundle === undefined ? {} : { bundle: { digest: bundle.digest, size: bundle.code.length } }),
    argv: environment.argv(),
    captures,
    ...optionsOf(lattice),
    priority: options.priority ?? 0,
  };
  if (uploads.size > 0) await hub.blobs.ensure(uploads);
  return (await hub.api.submit(request)).id;
}

/** What the lattice's options ask of the hub. Raises USAGE. */
function optionsOf({
  name,
  options,
}: LatticeInfo): Pick<SubmitRequest, 'metadata' | 'durability' | 'failFast' | 'timeoutMs'> {
  return {
    metadata: options.metadata ?? {},
    durability: options.durability ?? 'pipelined',
    failFast: options.failFast ?? false,
    timeoutMs: options.timeout === undefined ? 0 : milliseconds(options.timeout, `lattice "${name}": timeout`),
  };
}

/** A bus may allow less than our own limit. */
function inlineRoom(hub: Hub, lattice: LatticeInfo): number {
  const line = hub.connection.live();
  if (line === undefined) return INLINE_BYTES;
  const sourceBytes = Math.min(lattice.source.length, SOURCE_CHARACTERS) * 3;
  return Math.min(INLINE_BYTES, payloadRoom(line.bus) / 2 - sourceBytes);
}

const shortened = (source: string): string =>
  source.length <= SOURCE_CHARACTERS ? source : `${source.slice(0, SOURCE_CHARACTERS)}\n// … (cut)`;
