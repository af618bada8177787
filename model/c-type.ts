/** The types of C leptons, as texts: `double`, `int32`, `string`, `double[]`, `out double[]`. Pure: the values are checked where they are passed (leptons/c.ts). */

/** Names of C for the same things; `long` is not among them, since its size differs between systems. */
const ALIASES: Readonly<Record<string, string>> = {
  float: 'float32',
  double: 'float64',
  int: 'int32',
  uint: 'uint32',
  size_t: 'uint64',
};

export const C_SCALARS = [
  'void',
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float32',
  'float64',
  'string',
] as const;
export type CScalar = (typeof C_SCALARS)[number];

export interface CType {
  readonly scalar: CScalar;
  /** A buffer of such elements. */
  readonly array: boolean;
  /** `in`: the function reads it. `out`: it is made here, of a given length, and given back. `inout`: a copy is passed and given back. */
  readonly way: 'in' | 'out' | 'inout';
}

const isScalar = (x: string): x is CScalar => C_SCALARS.some((scalar) => scalar === x);

/** Undefined when the text is no type. */
export function cTypeOf(text: string): CType | undefined {
  const [, way, name, brackets] = /^(?:(in|out|inout) )?(\w+)(\[\])?$/.exec(text.trim()) ?? [];
  if (name === undefined) return undefined;
  const scalar = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  if (!isScalar(scalar)) return undefined;
  const array = brackets !== undefined;
  if (array && ['void', 'bool', 'string'].includes(scalar)) return undefined;
  if (!array && way !== undefined && way !== 'in') return undefined;
  return { scalar, array, way: way === 'out' || way === 'inout' ? way : 'in' };
}
