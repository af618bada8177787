/** The mutations of docs/guarantees.md, which a test holds equal to this list. */
import type { Mutation } from './mutation.ts';

export const mutations: readonly Mutation[] = [];
