/** The executor `process`: a pool of runners that are processes of this machine. */
import type { ExecutorFactory } from '../executor-ground.ts';
import { ProcessPool } from './pool.ts';

export const processExecutor: ExecutorFactory = ({ room, slots, graceMs, clock, scratchDir, spare, start }) =>
  new ProcessPool({ slots, room, graceMs, clock, scratchDir, spare, start });
