/**
 * The type machinery of placeholders: what a Ref looks like to the compiler, what a call inside a lattice accepts, what it gives back.
 * Types only; the proxies behind them are in refs.ts, and test/sdk/types.test-d.ts says what must and must not compile.
 * `any` stands here on purpose: it is what conditional types match against.
 */
/* oxlint-disable typescript/no-explicit-any */
import type { Mapped, MapOptions, OnItemError } from './map-types.ts';

declare const REF: unique symbol;

type Primitive = string | number | bigint | boolean | symbol | null | undefined;
/** Values that travel whole: their members are not lifted and Refs cannot be nested inside them. */
export type Opaque =
  | Primitive
  | Date
  | RegExp
  | Error
  | URL
  | Map<any, any>
  | Set<any>
  | ReadonlyMap<any, any>
  | ReadonlySet<any>
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | Promise<any>
  | ((...a: any) => any);

type IsAny<T> = 0 extends 1 & T ? true : false;
type IsUnknown<T> = IsAny<T> extends true ? false : unknown extends T ? true : false;
type IsTuple<T extends readonly unknown[]> = number extends T['length'] ? false : true;
type Nullish<T> = Extract<T, null | undefined> extends never ? never : undefined;
type DataKeys<T> = T extends unknown
  ? { [K in keyof T]-?: NonNullable<T[K]> extends (...a: any) => any ? never : K }[keyof T]
  : never;
type Get<T, K extends PropertyKey> = T extends unknown ? (K extends keyof T ? T[K] : undefined) : never;

/** What every Ref has. `then` turns `await ref` into TS1320; the call signature turns `if (ref)` into TS2774. */
export interface RefBase<out T> {
  /** For the compiler only: what the Ref stands for. */
  readonly [REF]: T;
  /** Refs stand for values that do not exist yet; they cannot be called. Call methods inside an electron. */
  (refsCannotBeCalled: never): never;
  /** Refs are not promises: nothing runs while a lattice is traced. Remove `await`. */
  readonly then: (refsCannotBeAwaited: never) => never;
}
/** A Ref of an array. */
export interface RefArray<T> extends Omit<NoFunctionMembers, 'length'> {
  readonly [index: number]: Ref<T>;
  /** How many elements the array will have. */
  readonly length: Ref<number>;
  /** Dynamic fan-out over an electron or lattice: one run per element; it gets the item only. */
  map<U, E extends OnItemError = 'fail'>(
    task: { (item: RefBase<T>): U; readonly kind: 'electron' | 'lattice' },
    opts?: MapOptions<E>,
  ): Ref<Mapped<Resolved<U>, E>[]>;
  /** Dynamic fan-out over a sub-graph: the callback is traced once, with placeholders for item and index. */
  map<U, E extends OnItemError = 'fail'>(
    body: ((item: Ref<T>, index: Ref<number>) => U & SyncOnly<U>) & { readonly kind?: undefined },
    opts?: MapOptions<E>,
  ): Ref<Mapped<Resolved<U>, E>[]>;
}
interface NoSuchTupleElement {
  readonly 'this tuple has no element at that position': never;
}
interface NoSuchProperty {
  readonly 'the value has no such property': never;
}
/** A Ref can be called as far as the compiler knows, so it would have these members of every function: `ref.length` a number, `ref.name` a string. */
interface NoFunctionMembers {
  readonly length: NoSuchProperty;
  readonly name: NoSuchProperty;
  readonly toString: NoSuchProperty;
  readonly call: NoSuchProperty;
  readonly apply: NoSuchProperty;
  readonly bind: NoSuchProperty;
  readonly prototype: NoSuchProperty;
}
type OutOfRange<T> = {
  readonly [K in Exclude<'0' | '1' | '2' | '3' | '4' | '5' | '6' | '7', keyof T>]: NoSuchTupleElement;
};
/**
 * `map` of a tuple's Ref. TupleElems brings Array's own `map`, which TypeScript would choose for a lambda: it compares by subtype first, and a
 * lambda is no subtype of `{ kind?: undefined }`. Hence the callback as a type parameter here.
 */
interface TupleMap<T> {
  map<U, E extends OnItemError = 'fail'>(
    task: { (item: RefBase<T>): U; readonly kind: 'electron' | 'lattice' },
    opts?: MapOptions<E>,
  ): Ref<Mapped<Resolved<U>, E>[]>;
  map<F extends (item: Ref<T>, index: Ref<number>) => unknown, E extends OnItemError = 'fail'>(
    body: F & (F extends { readonly kind: unknown } ? never : unknown),
    opts?: MapOptions<E>,
  ): Ref<Mapped<Resolved<ReturnType<F>>, E>[]>;
}
type TupleElems<T extends readonly unknown[]> = { readonly [K in keyof T]: Ref<T[K]> };
/** TupleElems brings Array's other methods too. They would be called while the lattice is traced, when there are no elements yet. */
type NoArrayMethods = {
  readonly [K in Exclude<keyof (readonly unknown[]), number | 'length' | 'map' | typeof Symbol.iterator>]: never;
};
type Lift<T> =
  IsAny<T> extends true
    ? { readonly [k: string]: any }
    : IsUnknown<T> extends true
      ? NoFunctionMembers
      : [NonNullable<T>] extends [never]
        ? NoFunctionMembers
        : [Extract<NonNullable<T>, Opaque>] extends [never]
          ? LiftObj<T, NonNullable<T>>
          : NoFunctionMembers;
type LiftObj<T, N> = [N] extends [readonly unknown[]]
  ? [IsTuple<N>] extends [true]
    ? TupleMap<N[number]> &
        TupleElems<N> &
        NoArrayMethods &
        OutOfRange<N> &
        Omit<NoFunctionMembers, 'length' | 'toString'>
    : RefArray<N[number]>
  : { readonly [K in DataKeys<N>]: Ref<Get<N, K> | Nullish<T>> } & {
      readonly [K in Exclude<keyof NoFunctionMembers, DataKeys<N>>]: NoSuchProperty;
    };

/** Placeholder for a value of type T. Data properties are lifted (with `?.` semantics when T may be nullish). */
export type Ref<T> = RefBase<T> & Lift<T>;

/**
 * Result of an electron: promise unwrapped; a Ref inferred for a type parameter is unwrapped too. Promise is asked for before PromiseLike, which it fits only by structure: comparing these
 * for each electron was half of what a file's check took.
 */
export type Out<R> =
  R extends Promise<infer P>
    ? Landed<P>
    : R extends { readonly [REF]: infer U }
      ? U
      : R extends PromiseLike<infer P>
        ? Landed<P>
        : R;
type Landed<P> = P extends { readonly [REF]: infer U } ? U : Awaited<P>;

type Deep<T> = T extends Opaque
  ? never
  : T extends readonly unknown[]
    ? number extends T['length']
      ? readonly Arg<T[number]>[]
      : { readonly [K in keyof T]: Arg<T[K]> }
    : T extends object
      ? { readonly [K in keyof T]: Arg<T[K]> }
      : never;
/** What a call inside a lattice accepts for a parameter of type T: the value, a Ref, or plain data with Refs nested in it. */
export type Arg<T> = IsAny<T> extends true ? any : T | RefBase<T> | Deep<T>;
/** `Arg` for each parameter. */
export type Args<A extends readonly unknown[]> = { [K in keyof A]: Arg<A[K]> };

/** Plain data with Refs in it -> the value it stands for. */
export type Resolved<R> =
  IsAny<R> extends true
    ? any
    : R extends { readonly [REF]: infer U }
      ? U
      : R extends Opaque
        ? R
        : R extends readonly unknown[]
          ? number extends R['length']
            ? Resolved<R[number]>[]
            : { -readonly [K in keyof R]: Resolved<R[K]> }
          : R extends object
            ? { -readonly [K in keyof R]: Resolved<R[K]> }
            : R;

/** Shown when an async function is passed to lattice() or .map(). */
export interface LatticeMustNotBeAsync {
  'a lattice is traced synchronously: do async work in electrons, or before dispatch()': never;
}
/** A lattice's result type, or for an async function a type that says what is wrong. */
export type SyncOnly<R> = R extends { readonly [REF]: any }
  ? unknown
  : R extends PromiseLike<any>
    ? LatticeMustNotBeAsync
    : unknown;
