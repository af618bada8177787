/**
 * `dispatch`: prepares, uploads what the hub lacks, submits. Resolves once the hub has stored everything.
 *
 * D1. Everything that can be refused is refused before anything is sent.
 * D2. Graph and arguments travel inside the submit when they are small, else as values.
 * D3. The idempotency key is made once: however often the submit is repeated, one dispatch is started.
 * D4. A hub that is busy is asked again until it has room, and only so many at once: what is dispatched is never lost for that.
 * D5. When the hub misses what it was believed to have (another data folder, another hub), all is uploaded and submitted once more.
 */
import { randomUUID } from 'node:crypto';
import type { BytesOrValue, SubmitReply, SubmitRequest } from '../../bus/protocol/api.ts';
import { checkSubmit, fittingCodes, SOURCE_CHARACTERS } from '../../bus/protocol/submit-limits.ts';
import { valueInfoOf } from '../../bus/value/digest.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { LatticeInfo } from '../builder.ts';
import { settingsOf, sourceOf } from '../lattice-settings.ts';
import { executorsOf } from '../executor-option.ts';
import type { DispatchOptions } from '../types.ts';
import { payloadRoom } from './api.ts';
import type { Blobs } from './blobs.ts';
import type { Hub } from './hub.ts';
import { draw, type Drawing, ship, type Shipment, type Shipping } from './preparation.ts';

/** Graph and arguments together, inside the submit. */
const INLINE_BYTES = 200 * 1024;

export interface Started {
  readonly id: string;
  /** Of the trace made here: nothing has to be fetched for the lattice's source and graph. */
  readonly drawing: Drawing;
}

export interface DispatchEnvironment {
  readonly shipping: Shipping;
  /** `process.argv.slice(2)`. */
  readonly argv: () => readonly string[];
  readonly maxValueBytes?: number;
}

/** Raises the errors of tracing and code shipping, VALUE_TOO_LARGE, PAYLOAD_TOO_LARGE, NO_HUB, IDEMPOTENCY_MISMATCH, DISK_FULL. Waits for a busy hub. */
export async function startDispatch(
  hub: Hub,
  environment: DispatchEnvironment,
  l: unknown,
  options: DispatchOptions,
  args: readonly unknown[],
  again: Pick<SubmitRequest, 'origin' | 'replace'> = {},
): Promise<Started> {
  const drawing = draw(l, args, options, environment.maxValueBytes);
  const key = options.idempotencyKey ?? freshKey();
  const release = hub.connection.hold();
  try {
    const shipping = ship(environment.shipping, drawing.trace, options);
    // The bus is dialled while the bundler works; without a hub the user needn't wait for that.
    const [shipment] =
      shipping instanceof Promise || !hub.connection.contacted
        ? await Promise.all([shipping, hub.connection.contacted ? undefined : hub.connection.line()])
        : [shipping];
    if (shipment.bundle?.madeBefore === true) hub.blobs.believe(shipment.bundle.digest);
    return await hub.starts.run(async () => {
      try {
        const { id } = await send(hub, environment, drawing, shipment, options, key, again);
        return { id, drawing };
      } catch (error) {
        if (!(error instanceof PolaronError) || error.code !== 'VALUE_MISSING') throw error;
        hub.blobs.forget();
        const { id } = await send(hub, environment, drawing, shipment, options, key, again);
        return { id, drawing };
      }
    });
  } finally {
    release();
  }
}

/** Keys of one moment stand side by side in the store: a commit of many rewrites few pages. */
export const freshKey = (): string => `${Date.now().toString(36)}-${randomUUID()}`;

async function send(
  hub: Hub,
  environment: DispatchEnvironment,
  { lattice, trace, graph, args }: Drawing,
  { bundle, captures }: Shipment,
  options: DispatchOptions,
  key: string,
  again: Pick<SubmitRequest, 'origin' | 'replace'>,
): Promise<SubmitReply> {
  const argv = environment.argv();
  const { durability = 'pipelined', failFast = false, ...settings } = settingsOf(lattice);
  const executors = executorsOf(options);
  checkSubmit({ argv, captures, ...executors, metadata: settings.metadata });
  const uploads = new Uploads(hub.blobs);
  for (const [digest, bytes] of trace.values) uploads.add(digest, bytes);
  if (bundle !== undefined) uploads.add(bundle.digest, bundle.code);
  const inline = graph.length + args.length <= inlineRoom(hub, lattice);
  const carried = (bytes: Uint8Array): BytesOrValue => {
    if (inline) return { bytes };
    const value = valueInfoOf(bytes);
    uploads.add(value.digest, bytes);
    return { value };
  };
  const request: SubmitRequest = {
    key,
    lattice: { name: lattice.name, source: sourceOf(lattice) },
    graph: carried(graph),
    args: carried(args),
    ...(bundle === undefined ? {} : { bundle: { digest: bundle.digest, size: bundle.code.length } }),
    argv,
    captures,
    ...(bundle === undefined ? {} : { codes: fittingCodes(bundle.codes) }),
    ...again,
    ...executors,
    ...settings,
    durability,
    failFast,
    priority: options.priority ?? 0,
  };
  if (uploads.values !== undefined) await hub.blobs.ensure(uploads.values);
  return hub.api.submit(request);
}

/** What the hub isn't known to have: nothing, for nearly every dispatch but the first. */
class Uploads {
  values: Map<Digest, Uint8Array> | undefined;
  readonly #blobs: Blobs;

  constructor(blobs: Blobs) {
    this.#blobs = blobs;
  }

  add(digest: Digest, bytes: Uint8Array): void {
    if (this.#blobs.knows(digest)) return;
    this.values ??= new Map();
    this.values.set(digest, bytes);
  }
}

/** A bus may allow less than our own limit. */
function inlineRoom(hub: Hub, lattice: LatticeInfo): number {
  const line = hub.connection.live();
  if (line === undefined) return INLINE_BYTES;
  const sourceBytes = Math.min(lattice.source.length, SOURCE_CHARACTERS) * 3;
  return Math.min(INLINE_BYTES, payloadRoom(line.bus) / 2 - sourceBytes);
}
