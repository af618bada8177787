/**
 * What must and must not compile (checked by `tsc`, see types.test.ts). Nothing here runs.
 */
/* oxlint-disable no-unused-expressions, typescript/no-explicit-any, typescript/no-non-null-assertion, typescript/await-thenable, typescript/no-floating-promises -- misuse is the point here */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { expectTypeOf } from 'vitest';
import { after } from '../../sdk/after.ts';
import { registerCodec } from '../../sdk/codec.ts';
import { electron } from '../../sdk/electron.ts';
import { lattice } from '../../sdk/lattice.ts';
import type {
  Arg,
  Completed,
  Dispatch,
  DispatchId,
  Electron,
  Failed,
  Cancelled,
  GetResult,
  GetValue,
  Lattice,
  Out,
  Ref,
  Resolved,
  Result,
} from '../../sdk/types.ts';

declare const dispatch: Dispatch;
declare const getResult: GetResult;
declare const getValue: GetValue;

interface Data {
  rows: { x: number; label?: string }[];
  pair: [number, string];
  when: Date;
  bytes: Uint8Array;
  maybe: { deep: { n: number } } | null;
  tags: Map<string, number>;
  toText(): string;
}
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

declare const load: Electron<[path: string], Promise<Data>>;
const add = electron(async (a: number, b: number) => a + b);
const list = electron(() => [1, 2, 3]);
const one = electron({ name: 'one' }, (n: number) => ({ n }));
const two = electron({ name: 'two' }, (n: number, factor?: number) => n * (factor ?? 1));
const json = electron((x: Json) => x);
const anything = electron((x: unknown) => x);
declare const loosely: Electron<any[], any>;
const rows = electron((xs: { x: number }[]) => xs.length);

// ---- electrons
expectTypeOf(add).toEqualTypeOf<Electron<[a: number, b: number], Promise<number>>>();
expectTypeOf(add.local(1, 2)).toEqualTypeOf<Promise<number>>();
expectTypeOf(add.with({ retries: 2 })).toEqualTypeOf<typeof add>();
expectTypeOf(add(1, 2)).toEqualTypeOf<Ref<number>>();
expectTypeOf(one(1).n).toEqualTypeOf<Ref<number>>();
expectTypeOf<Out<Promise<string>>>().toEqualTypeOf<string>();
expectTypeOf<Out<Ref<number>>>().toEqualTypeOf<number>();
electron
  .defaults({ executor: 'gpu', retries: 2, timeout: '5s' })((n: number) => n)
  .local(1);
two(1);
two(add(1, 2), 3);

// ---- Refs
const data = load('x');
expectTypeOf(data.rows).toEqualTypeOf<Ref<{ x: number; label?: string }[]>>();
expectTypeOf(data.rows[0]!.x).toEqualTypeOf<Ref<number>>();
expectTypeOf(data.rows.length).toEqualTypeOf<Ref<number>>();
expectTypeOf(data.rows[0]!.label).toEqualTypeOf<Ref<string | undefined>>();
expectTypeOf(data.maybe.deep.n).toEqualTypeOf<Ref<number | undefined>>();
expectTypeOf(data.when).toEqualTypeOf<Ref<Date>>();
const [n, text] = data.pair;
expectTypeOf(n).toEqualTypeOf<Ref<number>>();
expectTypeOf(text).toEqualTypeOf<Ref<string>>();
expectTypeOf(loosely(1).whatever.goes).toBeAny();
expectTypeOf(anything(1)).toEqualTypeOf<Ref<unknown>>();
rows(data.rows);
rows([{ x: add(1, 2) }, { x: 3 }]);
json({ deep: [add(1, 2), { text }] });
anything([data, { n }]);

// @ts-expect-error TS1320: nothing to await
async () => await add(1, 2);
// @ts-expect-error a Ref can't be returned from an async function
async (): Promise<unknown> => add(1, 2);
// @ts-expect-error TS2774: the condition is always true
if (data) void 0;
// @ts-expect-error TS2774
const chosen = data.rows ? 1 : 2;
// @ts-expect-error no arithmetic
add(1, 2) + 1;
// @ts-expect-error no arithmetic
add(1, 2) * 2;
// @ts-expect-error no comparison
add(1, 2) > 1;
// @ts-expect-error no equality with a value
add(1, 2) === 3;
// @ts-expect-error not iterable
for (const x of list()) void x;
// @ts-expect-error not iterable
[...list()];
// @ts-expect-error not iterable: its length is not known
const [first] = list();
// @ts-expect-error the tuple has two elements: the third can't be used as one
add(data.pair[2], 1);
// @ts-expect-error not callable
data(1);
// @ts-expect-error methods aren't lifted
data.toText();
// @ts-expect-error members of a Date aren't lifted
data.when.getTime();
// @ts-expect-error members of a Map aren't lifted
data.tags.get('x');
// @ts-expect-error members of a typed array aren't lifted
data.bytes[0];
// @ts-expect-error no such property
data.missing;
// @ts-expect-error read-only
data.rows = [];
// @ts-expect-error another type
add(text, 1);
// @ts-expect-error another type, nested
rows([{ x: text }]);
// @ts-expect-error too few arguments
add(1);
// @ts-expect-error too many arguments
add(1, 2, 3);
// @ts-expect-error a Ref of undefined | number is no number
add(data.maybe.deep.n, 1);
// @ts-expect-error .local takes values
add.local(add(1, 2), 1);

// ---- map
expectTypeOf(list().map(one)).toEqualTypeOf<Ref<{ n: number }[]>>();
expectTypeOf(list().map((item, index) => ({ sum: add(item, index), item }))).toEqualTypeOf<
  Ref<{ sum: number; item: number }[]>
>();
expectTypeOf(
  list()
    .map(one)
    .map((o) => add(o.n, 1)),
).toEqualTypeOf<Ref<number[]>>();
expectTypeOf(data.rows.map((row) => row.x, { concurrency: 3 })).toEqualTypeOf<Ref<number[]>>();
expectTypeOf(data.pair.map((_x, i) => add(i, 1))).toEqualTypeOf<Ref<number[]>>();
expectTypeOf(data.pair.map(anything)).toEqualTypeOf<Ref<unknown[]>>();
expectTypeOf(data.pair.map((x) => ({ x }))).toEqualTypeOf<Ref<{ x: string | number }[]>>();
// @ts-expect-error the electron takes another item
data.rows.map(one);
// @ts-expect-error an electron gets the item only: no index sneaks in
data.pair.map(add);
// @ts-expect-error no function
list().map(5);
// @ts-expect-error no such policy
list().map(one, { onItemError: 'ignore' });

// ---- after
expectTypeOf(after(data, () => add(1, 2))).toEqualTypeOf<Ref<number>>();
expectTypeOf(after([data, n], () => 1)).toEqualTypeOf<number>();
// @ts-expect-error no Ref
after(5, () => 1);

// ---- generics
const ident = electron.generic(<T>(x: T) => x, { name: 'ident' });
expectTypeOf(ident(data)).toExtend<Ref<Data>>();
expectTypeOf(ident(String(1))).toEqualTypeOf<Ref<string>>();

// ---- schemas
declare const num: StandardSchemaV1<number, number>;
declare const parsed: StandardSchemaV1<string, Date>;
declare const optional: StandardSchemaV1<number | undefined, number>;
const checked = electron({ name: 'checked', input: [num, parsed, optional] }, (a, b, c) => {
  expectTypeOf(a).toEqualTypeOf<number>();
  expectTypeOf(b).toEqualTypeOf<Date>();
  expectTypeOf(c).toEqualTypeOf<number>();
  return b;
});
expectTypeOf(checked(add(1, 2), 'x')).toEqualTypeOf<Ref<Date>>();
// @ts-expect-error callers give what the schema takes in
checked(1, new Date());

// ---- lattices
const pipeline = lattice({ name: 'pipeline', durability: 'strict' }, (path: string) => {
  const d = load(path);
  return { total: add(1, 2), rows: d.rows, fixed: 'x' as const, pair: [d.when, 1] as const };
});
interface Value {
  total: number;
  rows: { x: number; label?: string }[];
  fixed: 'x';
  pair: [Date, 1];
}
expectTypeOf(pipeline.local('x')).resolves.toExtend<Value>();
expectTypeOf(pipeline).toExtend<Lattice<[path: string], unknown>>();
expectTypeOf(pipeline('x')).toExtend<Ref<Value>>();
expectTypeOf(lattice((k: number) => add(k, k)).local(1)).toEqualTypeOf<Promise<number>>();
expectTypeOf(list().map(lattice((item: number) => add(item, 1)))).toEqualTypeOf<Ref<number[]>>();
// @ts-expect-error a lattice is traced synchronously
lattice(async (k: number) => k);
// @ts-expect-error an async lattice with options
lattice({ name: 'x' }, async () => 1);
// @ts-expect-error wrong argument
pipeline.local(5);
// @ts-expect-error no such format
pipeline.draw('png', 'x');

// ---- dispatch and results
const id = dispatch(pipeline)('x');
expectTypeOf(id).resolves.toExtend<DispatchId<Value>>();
// @ts-expect-error wrong argument
void dispatch(pipeline)(5);
declare const known: DispatchId<number>;
expectTypeOf(getResult(known, { wait: true })).resolves.toEqualTypeOf<Completed<number> | Failed | Cancelled>();
expectTypeOf(getResult(known)).resolves.toEqualTypeOf<Result<number>>();
expectTypeOf(getResult('plain')).resolves.toEqualTypeOf<Result<unknown>>();
expectTypeOf(getValue(known)).resolves.toEqualTypeOf<number>();

// ---- options
electron(
  { name: 'o', retries: { max: 3, delay: '1s', retryOn: ['TIMEOUT'] }, timeout: { queue: '1m', attempt: 500 } },
  () => 1,
);
// @ts-expect-error no such unit
electron({ name: 'o', timeout: '5 weeks' }, () => 1);
// @ts-expect-error no such option
electron({ name: 'o', retry: 3 }, () => 1);
// @ts-expect-error the name is the electron's own
electron.defaults({ name: 'x' });

// ---- helpers
expectTypeOf<Arg<number>>().toExtend<unknown>();
expectTypeOf<Resolved<{ a: Ref<number>; b: [Ref<string>, 1] }>>().toEqualTypeOf<{ a: number; b: [string, 1] }>();
expectTypeOf<Resolved<Date>>().toEqualTypeOf<Date>();
class Matrix {
  readonly cells: number[] = [];
}
registerCodec(Matrix, { name: 'Matrix', encode: (m) => m.cells, decode: () => new Matrix() });
// @ts-expect-error decode must give the class
registerCodec(Matrix, { name: 'Matrix', encode: (m) => m.cells, decode: () => 5 });
export { chosen, first };
