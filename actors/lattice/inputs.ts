/** What a node's inputs are, once its parents are done, and the digest that guards what comes back for them (protocol.md, H1). Pure. */
import { encodeValue } from '../../bus/value/value.ts';
import { digestOf } from '../../bus/value/digest.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Input } from '../../model/graph.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import type { Place } from '../../model/plan.ts';
import { isLarge, largest } from '../materials.ts';
import type { LatticeState } from './state.ts';

export interface ResolvedInputs {
  readonly infos: readonly ValueInfo[];
  /** Over the electron's name, the template and every input's digest. */
  readonly digest: Digest;
}

/** `made` is told of values that the hub makes itself: positions in a map. */
export function resolveInputs(
  state: LatticeState,
  name: string,
  place: Place,
  inputs: readonly Input[],
  template: Uint8Array,
  literals: ReadonlyMap<string, ValueInfo>,
  made: (value: ValueInfo, bytes: Uint8Array) => void,
): ResolvedInputs {
  const infos = inputs.map((input) => resolve(state, place, input, literals, made));
  return { infos, digest: inputsDigestOf(name, template, infos) };
}

/** Those of a ready node's inputs that its agent fetches, if it hasn't got them. Undefined: none. */
export function largeInputs(
  state: LatticeState,
  place: Place,
  inputs: readonly Input[],
  literals: ReadonlyMap<string, ValueInfo>,
): readonly ValueInfo[] | undefined {
  let large: ValueInfo[] | undefined;
  for (const input of inputs) {
    const source = state.plan.source(place, input);
    const info =
      'node' in source
        ? state.value(source.node)
        : 'map' in source
          ? state.item(source.map, source.item)
          : 'digest' in source
            ? literals.get(source.digest)
            : undefined;
    if (info !== undefined && isLarge(info)) large = large === undefined ? [info] : [...large, info];
  }
  return large === undefined ? undefined : largest(large);
}

/** The name, too: after a restart maps may be expanded in another order, and a node's number then means another electron. */
function inputsDigestOf(name: string, template: Uint8Array, infos: readonly ValueInfo[]): Digest {
  const most = name.length * 3 + 1 + template.length + infos.length * DIGEST_LENGTH;
  const bytes = most <= scratch.length ? scratch : Buffer.allocUnsafe(most);
  let at = bytes.write(`${name}\0`);
  bytes.set(template, at);
  at += template.length;
  for (const { digest } of infos) at += bytes.write(digest, at, 'latin1');
  return digestOf(bytes.subarray(0, at));
}

const DIGEST_LENGTH = 64;
/** What is hashed is put together here: it is done for every electron. */
const scratch = Buffer.allocUnsafe(16 * 1024);

function resolve(
  state: LatticeState,
  place: Place,
  input: Input,
  literals: ReadonlyMap<string, ValueInfo>,
  made: (value: ValueInfo, bytes: Uint8Array) => void,
): ValueInfo {
  const source = state.plan.source(place, input);
  if ('digest' in source) {
    const literal = literals.get(source.digest);
    if (literal === undefined)
      throw new PolaronError('VALUE_MISSING', `value ${source.digest} was not there when the dispatch was accepted`);
    return literal;
  }
  if ('index' in source) {
    const bytes = encodeValue(source.index, 'index');
    const info = { digest: digestOf(bytes), size: bytes.byteLength };
    made(info, bytes);
    return info;
  }
  const info = 'node' in source ? state.value(source.node) : state.item(source.map, source.item);
  if (info === undefined)
    throw new PolaronError(
      'VALUE_MISSING',
      `${state.plan.nameOf('node' in source ? source.node : source.map)} has no value though its dependents are ready`,
    );
  return info;
}
