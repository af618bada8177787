/** The public types, all of them: import from here. */
export type * from './definition-types.ts';
export type * from './map-types.ts';
export type * from './node-error.ts';
export type * from './ref-types.ts';
export type * from './result-types.ts';
export type { TaskContextShape as TaskContext } from '../bus/protocol/registry.ts';
