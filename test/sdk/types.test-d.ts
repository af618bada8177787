/**
 * What must and must not compile, for users: everything comes from the built package (checked by `tsc`, see types.test.ts). Nothing here runs.
 * Each expected error names the compiler's code, and types.test.ts compares: a misuse is to fail for its own reason.
 */
/* oxlint-disable no-unused-expressions, typescript/no-explicit-any, typescript/no-non-null-assertion, typescript/await-thenable, typescript/no-floating-promises -- misuse is the point here */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import {
  after,
  context,
  dispatch,
  dispatchSync,
  electron,
  getResult,
  getValue,
  lattice,
  lepton,
  redispatch,
  registerCodec,
  type Arg,
  type Cancelled,
  type Completed,
  type DispatchId,
  type Electron,
  type Failed,
  type Lattice,
  type Out,
  type Ref,
  type Resolved,
  type Result,
  type SettledItem,
} from 'polaron';
import { expectTypeOf } from 'vitest';

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
type Shape = { kind: 'circle'; radius: number } | { kind: 'box'; width: number; height: number };

declare const load: Electron<[path: string], Promise<Data>>;
const add = electron(async (a: number, b: number) => a + b);
const list = electron(() => [1, 2, 3]);
const one = electron({ name: 'one' }, (n: number) => ({ n }));
const two = electron({ name: 'two' }, (n: number, factor?: number) => n * (factor ?? 1));
const json = electron((x: Json) => x);
const anything = electron((x: unknown) => x);
declare const loosely: Electron<any[], any>;
declare const shape: Electron<[], Shape>;
declare const readonlyPair: Electron<[], readonly [number, string]>;
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
expectTypeOf(shape().kind).toEqualTypeOf<Ref<'circle' | 'box'>>();
expectTypeOf(shape().radius).toEqualTypeOf<Ref<number | undefined>>();
expectTypeOf(readonlyPair()[1]).toEqualTypeOf<Ref<string>>();
expectTypeOf(data.tags).toEqualTypeOf<Ref<Map<string, number>>>();
expectTypeOf(data.bytes).toEqualTypeOf<Ref<Uint8Array>>();
add(data.rows.length, data.rows[0]!.x);
json(json(null));

// @ts-expect-error TS1320: nothing to await
async () => await add(1, 2);
// @ts-expect-error TS1058: a Ref can't be returned from an async function
async (): Promise<unknown> => add(1, 2);
// @ts-expect-error TS2774: the condition is always true
if (data) void 0;
// @ts-expect-error TS2774
const chosen = data.rows ? 1 : 2;
// @ts-expect-error TS2774
const both = data.rows && 1;
// @ts-expect-error TS2774
if (data.rows || n) void 0;
// @ts-expect-error TS2365: no arithmetic
add(1, 2) + 1;
// @ts-expect-error TS2362: no arithmetic
add(1, 2) * 2;
// @ts-expect-error TS2365: no comparison
add(1, 2) > 1;
// @ts-expect-error TS2362: no arithmetic
add(1, 2) - add(1, 2);
// @ts-expect-error TS2363: no arithmetic
2 ** add(1, 2);
// @ts-expect-error TS2367: no equality with a value
text !== 'x';
switch (text) {
  // @ts-expect-error TS2678: no switch over a placeholder
  case 'x':
    break;
}
// @ts-expect-error TS2367: no equality with a value
add(1, 2) === 3;
// @ts-expect-error TS2488: not iterable
for (const x of list()) void x;
// @ts-expect-error TS2488: not iterable
[...list()];
// @ts-expect-error TS2488: not iterable: its length is not known
const [first] = list();
// @ts-expect-error TS2488: not iterable: not spread into arguments
Math.max(...list());
// @ts-expect-error TS2769: not iterable
Array.from(list());
// @ts-expect-error TS2339: no methods of arrays but map
list().filter((x: unknown) => x);
// @ts-expect-error TS2339: no methods of arrays but map
list().reduce((a: number) => a, 0);
// @ts-expect-error TS2339: no methods of arrays but map
list().forEach((x: unknown) => x);
// @ts-expect-error TS2349: a tuple has no methods of arrays but map
data.pair.filter((x: unknown) => x);
// @ts-expect-error TS2322: the tuple has two elements
const [, , third]: [unknown, unknown, Ref<number>] = data.pair;
// @ts-expect-error TS2345: the tuple has two elements: the third can't be used as one
add(data.pair[2], 1);
// @ts-expect-error TS2345: not callable
data(1);
// @ts-expect-error TS2554: no constructor
const made = new data();
// @ts-expect-error TS2345: not a promise
add(1, 2).then((sum: number) => sum);
// @ts-expect-error TS2339: not a promise
void add(1, 2).catch(() => 0);
// @ts-expect-error TS2339: members of a number aren't lifted
add(1, 2).toFixed(2);
// @ts-expect-error TS2339: members of a string aren't lifted
text.trim();
// @ts-expect-error TS2345: nor is its length, though functions have one
add(text.length, 1);
// @ts-expect-error TS2345: no such property, though functions have one
load(one(1).name);
// @ts-expect-error TS2349: no text of a placeholder
text.toString();
// @ts-expect-error TS2339: nothing is known of its members
anything(1).whatever;
// @ts-expect-error TS2339: members of a union with primitives aren't lifted
json(1).key;
// @ts-expect-error TS2339: methods aren't lifted
data.toText();
// @ts-expect-error TS2339: members of a Date aren't lifted
data.when.getTime();
// @ts-expect-error TS2339: members of a Map aren't lifted
data.tags.get('x');
// @ts-expect-error TS7053: members of a typed array aren't lifted
data.bytes[0];
// @ts-expect-error TS2339: no such property
data.missing;
// @ts-expect-error TS2540: read-only
data.rows = [];
// @ts-expect-error TS2542: read-only
data.rows[0] = { x: 1 };
// @ts-expect-error TS2704: read-only
delete data.rows;
// @ts-expect-error TS2540: nothing to increment
data.rows[0]!.x++;
// @ts-expect-error TS2322: a value is no Ref
const pretended: Ref<number> = 5;
// @ts-expect-error TS2322: a Ref is no value
const taken: number = add(1, 2);
// @ts-expect-error TS2345: a Ref is no value
Math.sqrt(add(1, 2));
// @ts-expect-error TS2345: a promise is awaited before dispatch, or in an electron
add(Promise.resolve(1), 2);
// @ts-expect-error TS2345: an electron is no value
add(add, 1);
// @ts-expect-error TS2345: another type
add(text, 1);
// @ts-expect-error TS2322: another type, nested
rows([{ x: text }]);
// @ts-expect-error TS2554: too few arguments
add(1);
// @ts-expect-error TS2554: too many arguments
add(1, 2, 3);
// @ts-expect-error TS2345: a Ref of undefined | number is no number
add(data.maybe.deep.n, 1);
// @ts-expect-error TS2345: .local takes values
add.local(add(1, 2), 1);
// @ts-expect-error TS2322: .local gives what the function gives: a promise
const direct: number = add.local(1, 2);
// @ts-expect-error TS2345: an electron is made of a function
electron(5);
// @ts-expect-error TS2353: an electron is made of a function
electron({ name: 'x' });
// @ts-expect-error TS2540: its options can't be changed
add.options.retries = 3;

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
// nested, with a Ref from outside
expectTypeOf(data.rows.map((row) => list().map((x, i) => ({ sum: add(add(row.x, x), add(i, n)) })))).toEqualTypeOf<
  Ref<{ sum: number }[][]>
>();
// with 'collect', each item is its value or its error
expectTypeOf(list().map(one, { onItemError: 'collect' })).toEqualTypeOf<Ref<SettledItem<{ n: number }>[]>>();
expectTypeOf(list().map((item) => ({ item }), { onItemError: 'collect', concurrency: 2 })).toEqualTypeOf<
  Ref<SettledItem<{ item: number }>[]>
>();
expectTypeOf(data.pair.map((x) => x, { onItemError: 'collect' })).toEqualTypeOf<Ref<SettledItem<string | number>[]>>();
expectTypeOf(list().map(one, { onItemError: 'fail' })).toEqualTypeOf<Ref<{ n: number }[]>>();
declare const either: 'fail' | 'collect';
expectTypeOf(list().map(one, { onItemError: either })).toEqualTypeOf<
  Ref<({ n: number } | SettledItem<{ n: number }>)[]>
>();
const settled = list().map(one, { onItemError: 'collect' });
expectTypeOf(settled[0]!.status).toEqualTypeOf<Ref<'fulfilled' | 'rejected'>>();
const allSettled = electron((items: PromiseSettledResult<{ n: number }>[]) => items.length);
expectTypeOf(allSettled(settled)).toEqualTypeOf<Ref<number>>();
const reasons = electron((items: SettledItem<{ n: number }>[]) =>
  items.flatMap((item) => (item.status === 'rejected' ? [item.reason.code, item.reason.node] : [`${item.value.n}`])),
);
expectTypeOf(reasons(settled)).toEqualTypeOf<Ref<string[]>>();
const sums = electron((items: { n: number }[]) => items.length);
// @ts-expect-error TS2345: its items may be errors
sums(settled);
// @ts-expect-error TS2345: a failed item has no value
settled.map((item) => add(item.value.n, 1));
// @ts-expect-error TS2339: what an item gave is its `value`
void settled[0]!.n;
const unsure = electron((items: SettledItem<number>[]) =>
  // @ts-expect-error TS2339: only a fulfilled item has a value
  items.map((item) => item.value),
);
void unsure;
// @ts-expect-error TS2769: the electron takes another item
data.rows.map(one);
// @ts-expect-error TS2769: an electron gets the item only: no index sneaks in
data.pair.map(add);
// @ts-expect-error TS2769: no function
list().map(5);
// @ts-expect-error TS2769: no such policy
list().map(one, { onItemError: 'ignore' });
// @ts-expect-error TS2769: no such option
list().map(one, { limit: 3 });
// @ts-expect-error TS2339: not an array
data.map(one);
// @ts-expect-error TS2339: not an array
add(1, 2).map(one);
// @ts-expect-error TS2365: an item is a Ref
list().map((item) => item + 1);
// @ts-expect-error TS2774: an item is a Ref
list().map((item) => (item ? 1 : 2));
// @ts-expect-error TS1320: the callback is traced: nothing to await
list().map(async (item) => await add(item, 1));

// @ts-expect-error TS2769: the callback is traced: it isn't async
list().map(async () => 1);

// ---- after
expectTypeOf(after(data, () => add(1, 2))).toEqualTypeOf<Ref<number>>();
expectTypeOf(after([data, n], () => 1)).toEqualTypeOf<number>();
// @ts-expect-error TS2345: no Ref
after(5, () => 1);
// @ts-expect-error TS2322: no Ref among them
after([data, 5], () => 1);
// @ts-expect-error TS2345: no body
after(data, add(1, 2));

// ---- generics
const ident = electron.generic(<T>(x: T) => x, { name: 'ident' });
expectTypeOf(ident(data)).toExtend<Ref<Data>>();
expectTypeOf(ident(String(1))).toEqualTypeOf<Ref<string>>();
// @ts-expect-error TS2339: a generic one keeps its type parameters and has no members
ident.local(1);

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
// @ts-expect-error TS2345: callers give what the schema takes in
checked(1, new Date());
// @ts-expect-error TS2345: callers give what the schema takes in, as a Ref too
checked(1, load('x').when);
// @ts-expect-error TS2769: the function takes what the schemas give
electron({ name: 'unfit', input: [num] }, (a: string) => a);
// @ts-expect-error TS2769: a schema per parameter
electron({ name: 'unfit', input: num }, (a: number) => a);

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
expectTypeOf(pipeline(text)).toExtend<Ref<Value>>();
expectTypeOf(pipeline('x').pair[0]).toEqualTypeOf<Ref<Date>>();
// @ts-expect-error TS2345: a lattice is traced synchronously
lattice(async (k: number) => k);
// @ts-expect-error TS2322: an async lattice with options
lattice({ name: 'x' }, async () => 1);
// @ts-expect-error TS2339: the parameters of a lattice are plain values
lattice((k: number) => k.rows);
// @ts-expect-error TS2353: no such option
lattice({ name: 'x', retries: 3 }, () => 1);
// @ts-expect-error TS2322: no such durability
lattice({ name: 'x', durability: 'none' }, () => 1);
// @ts-expect-error TS2353: the name is the electron's own
lattice({ name: 'x', electrons: { name: 'y' } }, () => 1);
// @ts-expect-error TS2345: a lattice inside one takes what it takes elsewhere
pipeline(add(1, 2));
// @ts-expect-error TS2345: .local takes values
pipeline.local(text);
// @ts-expect-error TS2345: wrong argument
pipeline.local(5);
// @ts-expect-error TS2345: no such format
pipeline.draw('png', 'x');

// ---- dispatch and results
const id = dispatch(pipeline)('x');
expectTypeOf(id).resolves.toExtend<DispatchId<Value>>();
// @ts-expect-error TS2345: wrong argument
void dispatch(pipeline)(5);
// @ts-expect-error TS2554: too few arguments
void dispatch(pipeline)();
// @ts-expect-error TS2739: an electron is no lattice
dispatch(add);
// @ts-expect-error TS2559: called twice: dispatch(lattice)(arguments)
await dispatch(pipeline, 'x');
// @ts-expect-error TS2353: no such option
dispatch(pipeline, { retries: 3 });
// @ts-expect-error TS2345: a placeholder isn't there yet
void dispatch(pipeline)(text);
expectTypeOf(dispatchSync(pipeline)('x')).resolves.toExtend<Completed<Value> | Failed | Cancelled>();
declare const known: DispatchId<number>;
expectTypeOf(getResult(known, { wait: true })).resolves.toEqualTypeOf<Completed<number> | Failed | Cancelled>();
expectTypeOf(getResult(known)).resolves.toEqualTypeOf<Result<number>>();
expectTypeOf(getResult('plain')).resolves.toEqualTypeOf<Result<unknown>>();
expectTypeOf(getValue(known)).resolves.toEqualTypeOf<number>();
declare const result: Result<number>;
// @ts-expect-error TS2339: only a completed one has a value
result.value;
// @ts-expect-error TS2339: only a failed one has an error
result.error;
if (result.status === 'completed') expectTypeOf(result.value).toEqualTypeOf<number>();
if (result.status === 'failed') expectTypeOf(result.error.message).toEqualTypeOf<string>();
// @ts-expect-error TS2345: the type of a plain id's value isn't known: getResult('…') gives unknown
void getValue('plain');
// @ts-expect-error TS2367: no such status
if (result.status === 'done') void 0;
// @ts-expect-error TS2345: a fraction
context().progress('half');

// ---- redispatch
declare const ofValue: DispatchId<Value>;
expectTypeOf(redispatch(ofValue)()).resolves.toExtend<DispatchId<Value>>();
expectTypeOf(redispatch('plain')()).resolves.toEqualTypeOf<DispatchId>();
expectTypeOf(redispatch('plain', { lattice: pipeline })('x')).resolves.toExtend<DispatchId<Value>>();
expectTypeOf(redispatch(known, { lattice: pipeline, replaceElectrons: { add } })()).resolves.toExtend<
  DispatchId<Value>
>();
// @ts-expect-error TS2345: the lattice takes another
void redispatch(ofValue, { lattice: pipeline })(5);
// @ts-expect-error TS2353: no such option
void redispatch(ofValue, { reuse: true })();
// @ts-expect-error TS2739: an electron is made by electron()
void redispatch(ofValue, { replaceElectrons: { add: (a: number) => a } })();

// ---- options
electron(
  { name: 'o', retries: { max: 3, delay: '1s', retryOn: ['TIMEOUT'] }, timeout: { queue: '1m', attempt: 500 } },
  () => 1,
);
// @ts-expect-error TS2769: no such unit
electron({ name: 'o', timeout: '5 weeks' }, () => 1);
// @ts-expect-error TS2769: no such option
electron({ name: 'o', retry: 3 }, () => 1);
// @ts-expect-error TS2353: the name is the electron's own
electron.defaults({ name: 'x' });
// @ts-expect-error TS2769: no such option of retries
electron({ name: 'o', retries: { times: 3 } }, () => 1);
// @ts-expect-error TS2769: no such timeout
electron({ name: 'o', timeout: { run: '1s' } }, () => 1);
// @ts-expect-error TS2769: needs are texts
electron({ name: 'o', needs: { gpu: 1 } }, () => 1);
// @ts-expect-error TS2769: env is texts
electron({ name: 'o', env: { N: 1 } }, () => 1);
// @ts-expect-error TS2769: a key needs its limit
electron({ name: 'o', concurrency: { key: 'x' } }, () => 1);
// @ts-expect-error TS2769: no such option of cache
electron({ name: 'o', cache: { tll: '1d' } }, () => 1);
// @ts-expect-error TS2769: a ttl is a duration
electron({ name: 'o', cache: { ttl: 'soon' } }, () => 1);
electron({ name: 'o', cache: { key: 'v2', ttl: '1d' } }, () => 1);
// @ts-expect-error TS2353: no such option, in other defaults
add.with({ retry: 2 });

// ---- helpers
expectTypeOf<Arg<number>>().toExtend<unknown>();
expectTypeOf<Resolved<{ a: Ref<number>; b: [Ref<string>, 1] }>>().toEqualTypeOf<{ a: number; b: [string, 1] }>();
expectTypeOf<Resolved<Date>>().toEqualTypeOf<Date>();
class Matrix {
  readonly cells: number[] = [];
}
registerCodec(Matrix, { name: 'Matrix', encode: (m) => m.cells, decode: () => new Matrix() });
// @ts-expect-error TS2322: decode must give the class
registerCodec(Matrix, { name: 'Matrix', encode: (m) => m.cells, decode: () => 5 });
// ---- leptons: the types are those that the user says ----
{
  const score = lepton<[rows: number[], name?: string], { mean: number }>({
    name: 'score',
    language: 'python',
    source: './score.py',
    function: 'score',
    pip: ['numpy'],
    retries: 2,
  });
  expectTypeOf(score).toExtend<Electron<[rows: number[], name?: string], Promise<{ mean: number }>>>();
  expectTypeOf(score.local([1])).toEqualTypeOf<Promise<{ mean: number }>>();
  const shell = lepton<[string], string>({ name: 'sh', language: 'shell', command: 'echo "$1"', output: 'stdout' });
  lepton<[Float64Array], Promise<number>>({
    name: 'sum',
    language: 'c',
    library: 'libm.so.6',
    function: 'sum',
    arguments: ['double[]'],
    returns: 'double',
  }).local(new Float64Array(1)) satisfies Promise<number>;
  lattice(function leptons(rows: number[]) {
    const scored = score(rows);
    expectTypeOf(scored).toExtend<Ref<{ mean: number }>>();
    expectTypeOf(scored.mean).toExtend<Ref<number>>();
    // @ts-expect-error TS2345: a lepton's arguments are typed
    score('rows');
    // @ts-expect-error TS2554: and counted
    score();
    // @ts-expect-error TS2345: a Ref of another type
    shell(scored.mean);
    return score(rows, shell('x'));
  });
  // @ts-expect-error TS2345: the name is needed: there is no function to take it from
  lepton({ language: 'shell', command: 'true' });
  // @ts-expect-error TS2322: no such language
  lepton({ name: 'r', language: 'ruby', source: 'x.rb' });
  // @ts-expect-error TS2345: Python needs a function
  lepton({ name: 'r', language: 'python', source: 'x.py' });
  // @ts-expect-error TS2322: no such output
  lepton({ name: 'r', language: 'shell', command: 'true', output: 'lines' });
  // @ts-expect-error TS2322: a library's types are texts
  lepton({ name: 'r', language: 'c', library: 'm', function: 'cos', arguments: [Number], returns: 'double' });
}
export { both, chosen, direct, first, made, pretended, taken, third };
