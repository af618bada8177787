/** How a map runs, and what it gives for an item: types only. Not here: `.map` itself (ref-types.ts), reading the options (map-options.ts). */
import type { NodeError } from './node-error.ts';

/** What a failed item does to its map. */
export type OnItemError = 'fail' | 'collect';
/** How a map runs. */
export interface MapOptions<E extends OnItemError = OnItemError> {
  /** At most so many items at once. @default no limit */
  concurrency?: number;
  /** `fail`: a failed item fails the map; `collect`: the array tells of each item its value or its error. @default 'fail' */
  onItemError?: E;
}
/** An item of a map with `onItemError: 'collect'` that has a value. */
export interface FulfilledItem<T> {
  /** Tells it from the other. */
  status: 'fulfilled';
  /** What the item gave. */
  value: T;
}
/** An item of a map with `onItemError: 'collect'` that failed, or was cancelled by itself. */
export interface RejectedItem {
  /** Tells it from the other. */
  status: 'rejected';
  /** Which electron failed, and of what; without a stack, which that electron's own result has. */
  reason: NodeError;
}
/** What a map with `onItemError: 'collect'` gives for each item, as `Promise.allSettled` does for each promise. */
export type SettledItem<T> = FulfilledItem<T> | RejectedItem;
/** An element of what a map gives. */
export type Mapped<T, E extends OnItemError> = E extends 'collect' ? SettledItem<T> : T;
