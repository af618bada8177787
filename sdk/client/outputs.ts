/**
 * Values as they come from the hub (bytes, or what to pull) → what the user gets. Pointers in lists are fetched before anything is decoded.
 * What came whole, as nearly all does, is decoded at once, without a promise.
 * Not here: the format (bus/value/), the transport of large ones (blobs.ts).
 */
import type { OutputView, ValueReply } from '../../bus/protocol/api.ts';
import { showPath, type PathPart } from '../../bus/value/check.ts';
import { isPointer, listElement, listLength, pointerOf } from '../../bus/value/list.ts';
import { pathOfInput } from '../../bus/value/place.ts';
import { mayPoint, partsOf } from '../../bus/value/settled.ts';
import { decodeTemplate, followPath } from '../../bus/value/template.ts';
import type { Whose } from '../../bus/value/unread.ts';
import { decodeValue } from '../../bus/value/value.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { inParallel } from './blobs.ts';
import type { Hub } from './hub.ts';

export { readStrangers } from '../../bus/value/value-reader.ts';

const FETCHES_AT_ONCE = 8;
/** Pointers to lists of pointers to …: deeper ones are no values of ours. */
const DEEPEST = 32;
/** Holds the place of an input that is being pulled. */
const PULLED = new Uint8Array();
/** Holds the place of an input that is not decoded. */
const NOT_YET = Symbol('not decoded');
/** In errors. */
const OUTPUT = "the lattice's output";
const NOTHING_STORED: ReadonlyMap<Digest, Uint8Array> = new Map();

/** The answer to `value`, decoded; `whose` names it in errors. Raises VALUE_MISSING, CODEC_MISSING, CODEC_FAILED. */
export async function decodeReply(hub: Hub, reply: ValueReply, whose: string): Promise<unknown> {
  return decodeWhole(hub, reply.bytes ?? reply.value, whose);
}

/**
 * The output template, filled in; a promise of it when something has to be pulled.
 * Raises (or rejects with) VALUE_MISSING, REF_PATH, CODEC_MISSING, CODEC_FAILED.
 */
export function decodeOutput(hub: Hub, output: OutputView): unknown {
  const { template, inputs } = output;
  if (template instanceof Uint8Array && isMany(inputs) && inputs.every(isWhole)) {
    return filledIn(template, inputs, NOTHING_STORED);
  }
  return pullOutput(hub, output);
}

/** Are these a value's bytes, with no pointer in them? Of a list that isn't known without looking. */
const isWhole = (input: Uint8Array | ValueInfo): input is Uint8Array => input instanceof Uint8Array && !mayPoint(input);

async function pullOutput(hub: Hub, output: OutputView): Promise<unknown> {
  const [template, inputs] = await Promise.all([
    output.template instanceof Uint8Array ? output.template : hub.blobs.fetch(output.template),
    inputsOf(hub, output),
  ]);
  const stored = new Map<Digest, Uint8Array>();
  await inParallel(inputs, FETCHES_AT_ONCE, (bytes) => fetchPointers(hub, bytes, stored, 0));
  return filledIn(template, inputs, stored);
}

function filledIn(
  template: Uint8Array,
  inputs: readonly Uint8Array[],
  stored: ReadonlyMap<Digest, Uint8Array>,
): unknown {
  const decoded: unknown[] = inputs.map(() => NOT_YET);
  return decodeTemplate(
    template,
    (input, path) => {
      if (decoded[input] === NOT_YET || input >= decoded.length) {
        const bytes = inputs[input];
        if (bytes === undefined)
          throw new PolaronError('BAD_MESSAGE', `output: input ${input} of ${inputs.length} is missing`);
        decoded[input] = decodeStored(bytes, stored, () => `${OUTPUT}${placeOf(pathOfInput(template, input))}`);
      }
      return followPath(decoded[input], path, OUTPUT);
    },
    OUTPUT,
  );
}

/** Where in the output, if it isn't all of it. */
const placeOf = (path: readonly PathPart[]): string => (path.length === 0 ? '' : `: the value at ${showPath(path)}`);

/** Every input's bytes, in order. */
async function inputsOf(hub: Hub, { inputs }: OutputView): Promise<readonly Uint8Array[]> {
  if (!isMany(inputs)) {
    const list = await hub.blobs.fetch(inputs);
    return Array.from({ length: listLength(list) }, (_, i) => listElement(list, i));
  }
  const all = inputs.map((input) => (input instanceof Uint8Array ? input : PULLED));
  const pulled = [...inputs.entries()].flatMap(([i, input]) =>
    input instanceof Uint8Array ? [] : [[i, input] as const],
  );
  await inParallel(pulled, FETCHES_AT_ONCE, async ([i, info]) => {
    all[i] = await hub.blobs.fetch(info);
  });
  return all;
}

const isMany = (inputs: OutputView['inputs']): inputs is readonly (Uint8Array | ValueInfo)[] => Array.isArray(inputs);

async function decodeWhole(hub: Hub, value: Uint8Array | ValueInfo, whose: string): Promise<unknown> {
  const bytes = value instanceof Uint8Array ? value : await hub.blobs.fetch(value);
  const stored = new Map<Digest, Uint8Array>();
  await fetchPointers(hub, bytes, stored, 0);
  return decodeStored(bytes, stored, whose);
}

function decodeStored(bytes: Uint8Array, stored: ReadonlyMap<Digest, Uint8Array>, whose: Whose): unknown {
  const resolve = (digest: Digest): Uint8Array => {
    const found = stored.get(digest);
    if (found === undefined) throw new PolaronError('VALUE_MISSING', `value ${digest} was not fetched`);
    return found;
  };
  return decodeValue(bytes, resolve, whose);
}

/** Fetches all that `bytes` points to, however deep. */
async function fetchPointers(
  hub: Hub,
  bytes: Uint8Array,
  stored: Map<Digest, Uint8Array>,
  depth: number,
): Promise<void> {
  if (depth > DEEPEST) throw new PolaronError('BAD_MESSAGE', `value: pointers nested deeper than ${DEEPEST}`);
  const wanted = pointersIn(bytes).filter(({ digest }) => !stored.has(digest));
  await inParallel(wanted, FETCHES_AT_ONCE, async (info) => {
    if (stored.has(info.digest)) return;
    const fetched = await hub.blobs.fetch(info);
    stored.set(info.digest, fetched);
    await fetchPointers(hub, fetched, stored, depth + 1);
  });
}

function pointersIn(bytes: Uint8Array): ValueInfo[] {
  const pointers: ValueInfo[] = [];
  const open = [bytes];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (isPointer(next)) pointers.push(pointerOf(next));
    else for (const part of partsOf(next)) open.push(part);
  }
  return pointers;
}
