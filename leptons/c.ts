/**
 * C leptons: a function of a shared library, called in this process by the foreign-function package koffi. What is passed is checked here, as C can't;
 * what a library does wrong all the same (a crash, a loop) ends the runner process, as native code in an electron would.
 * Not here: the types' texts (model/c-type.ts).
 */
import koffi, { type LibraryHandle } from 'koffi';
import { cTypeOf, type CScalar, type CType } from '../model/c-type.ts';
import { PolaronError } from '../model/errors.ts';
import { shownLepton, type CSpec } from '../model/lepton.ts';

const numbers = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
type NumberScalar = keyof typeof numbers;

const isNumber = (scalar: CScalar): scalar is NumberScalar => Object.hasOwn(numbers, scalar);

/** Elements of one `out` buffer: 1 GiB of doubles. */
const MOST_ELEMENTS = 2 ** 27;

type Native = (...args: readonly unknown[]) => unknown;

interface Loaded {
  readonly call: Native;
  readonly types: readonly CType[];
  readonly returns: CType;
}

/** By the data of a lepton, which stays. */
const loaded = new WeakMap<CSpec, Loaded>();

/**
 * What the function returned; with `inout` and `out` arguments a list of that, unless it is void, and of their buffers, in order.
 * Raises LEPTON_MISSING, LEPTON_ARGUMENT.
 */
export function runC(spec: CSpec, args: readonly unknown[]): unknown {
  const where = shownLepton(spec);
  const { call, types, returns } = loaded.get(spec) ?? load(spec, where);
  if (args.length !== types.length) {
    throw new PolaronError(
      'LEPTON_ARGUMENT',
      `${where} got ${args.length} arguments; ${spec.function} takes ${types.length}`,
    );
  }
  const passed = types.map((type, i) => passedAs(type, args[i], `${where}, argument ${i + 1}`));
  const returned = resultOf(returns, call(...passed));
  flush();
  const given = passed.filter((_, i) => types[i]?.way !== 'in');
  if (given.length === 0) return returned;
  return returns.scalar === 'void' ? given : [returned, ...given];
}

function load(spec: CSpec, where: string): Loaded {
  const types = spec.arguments.map((text) => typeOf(text, where));
  const returns = typeOf(spec.returns, where);
  const missing = (what: string, cause: unknown): PolaronError =>
    new PolaronError(
      'LEPTON_MISSING',
      `${where}: ${what} (${cause instanceof Error ? cause.message : String(cause)})`,
      {
        cause,
        details: { library: spec.library, function: spec.function },
      },
    );
  let library: LibraryHandle;
  try {
    library = koffi.load(spec.library);
  } catch (cause) {
    throw missing(`the library ${JSON.stringify(spec.library)} can't be loaded here`, cause);
  }
  let call: Native;
  try {
    call = library.func(spec.function, koffiType(returns), types.map(koffiType));
  } catch (cause) {
    throw missing(
      `the library ${JSON.stringify(spec.library)} has no function ${JSON.stringify(spec.function)}`,
      cause,
    );
  }
  const made = { call, types, returns };
  loaded.set(spec, made);
  return made;
}

/** Checked where the lepton was defined; its data may come from another version. */
function typeOf(text: string, where: string): CType {
  const type = cTypeOf(text);
  if (type === undefined) throw new PolaronError('USAGE', `${where}: ${JSON.stringify(text)} is no type`);
  return type;
}

const koffiType = ({ scalar, array }: CType): string => (array ? 'void *' : scalar === 'string' ? 'str' : scalar);

function passedAs({ scalar, array, way }: CType, value: unknown, at: string): unknown {
  if (isNumber(scalar)) return array ? bufferOf(scalar, way, value, at) : numberOf(scalar, value, at);
  if (scalar === 'bool') {
    if (typeof value === 'boolean') return value;
    throw refused(at, value, 'true or false');
  }
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' && !value.includes('\0')) return value;
  throw refused(at, value, 'a text without zero bytes, or null');
}

/** Writing it into an array of the type shows whether it fits. */
function numberOf(scalar: NumberScalar, value: unknown, at: string): number | bigint {
  if (scalar === 'int64' || scalar === 'uint64') {
    const whole = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
    if (typeof whole === 'bigint' && BigInt[scalar === 'int64' ? 'asIntN' : 'asUintN'](64, whole) === whole)
      return whole;
    throw refused(at, value, `a bigint or whole number for ${scalar}`);
  }
  if (typeof value === 'number') {
    if (scalar === 'float32' || scalar === 'float64') return value;
    if (new numbers[scalar]([value])[0] === value) return value;
  }
  throw refused(at, value, `a number for ${scalar}`);
}

/** A buffer that the function may write to when it is given back: a copy. */
function bufferOf(scalar: NumberScalar, way: CType['way'], value: unknown, at: string): NodeJS.TypedArray {
  const Class = numbers[scalar];
  if (way === 'out') {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_ELEMENTS)
      return new Class(value);
    throw refused(at, value, `how many elements of ${scalar} to make, at most ${MOST_ELEMENTS}`);
  }
  if (!(value instanceof Class)) throw refused(at, value, `a ${Class.name}`);
  if (way === 'in') return value;
  return new Class(new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice().buffer);
}

function refused(at: string, value: unknown, expected: string): PolaronError {
  const what =
    typeof value === 'object' && value !== null
      ? `a ${value.constructor.name}`
      : typeof value === 'string'
        ? JSON.stringify(value.slice(0, 60))
        : String(value);
  return new PolaronError('LEPTON_ARGUMENT', `${at} is ${what}; expected ${expected}`);
}

/** 64 bits are always a bigint: a type that depends on the value would be a trap. */
function resultOf({ scalar }: CType, value: unknown): unknown {
  if (scalar === 'void') return undefined;
  return typeof value === 'number' && (scalar === 'int64' || scalar === 'uint64') ? BigInt(value) : value;
}

let fflush: Native | undefined;

/** What the function printed: C keeps it back when it doesn't go to a terminal. */
function flush(): void {
  try {
    fflush ??= koffi.load(null).func('fflush', 'int', ['void *']);
    fflush(null);
  } catch {
    fflush = () => undefined; // a system that shows no such function
  }
}
