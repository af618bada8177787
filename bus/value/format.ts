/**
 * The format of encoded values: a tag byte, then the payload.
 *
 * PLAIN     MessagePack, self-contained. Plain data is standard, readable by any MessagePack library; what only JavaScript has are extensions below.
 * LIST      an array whose elements can be cut out without decoding (list.ts)
 * POINTER   stands for another stored value (list.ts)
 * TEMPLATE  like PLAIN, with placeholders for inputs (template.ts)
 * SETTLED   how an item of a map ended, around its value or the reason (settled.ts)
 *
 * Every object, array and extension object but REFERENCE and PLACEHOLDER has a number, counted from 0 in the order in which they begin; REFERENCE names one.
 */
export const Tag = { PLAIN: 1, LIST: 2, POINTER: 3, TEMPLATE: 4, SETTLED: 5 } as const;

export const Ext = {
  UNDEFINED: 0,
  /** float64 of ms; NaN: an invalid date. */
  DATE: 1,
  /** An array of keys and values in turn. */
  MAP: 2,
  /** An array. */
  SET: 3,
  /** Source and flags, two texts. */
  REGEXP: 4,
  /** Class name, then an array of own keys and values in turn. */
  ERROR: 5,
  /** Text: hex digits with sign, when it doesn't fit int64. */
  BIGINT: 6,
  /** Text. */
  URL: 7,
  /** A byte (index into `typedArrays`), then the elements' bytes, little-endian. */
  TYPED_ARRAY: 8,
  ARRAY_BUFFER: 9,
  DATA_VIEW: 10,
  BUFFER: 11,
  /** u32: number of an object that began before. */
  REFERENCE: 12,
  /** Name of the codec, then what it made. */
  CODEC: 13,
  /** Templates only: an array of the input's index and the path into it. */
  PLACEHOLDER: 14,
} as const;

/** Order is part of the format: only append. Uint8Array is plain MessagePack bytes. */
export const typedArrays = {
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const;
export const typedArrayNames = Object.keys(typedArrays);

/** Error classes that come back as themselves. */
export const errorClasses = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  AggregateError,
} as const;

/** Objects within objects; deeper ones would overflow the stack where they are decoded. */
export const DEEPEST = 1_000;
