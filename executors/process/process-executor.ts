/** The executor `process`: a pool of runners that are processes of this machine. */
import type { ExecutorFactory, ExecutorGround } from '../executor-ground.ts';
import { ProcessPool } from './pool.ts';

export const processExecutor: ExecutorFactory = (ground) => ground.processes?.() ?? processPool(ground);

export const processPool = (ground: Omit<ExecutorGround, 'processes'>): ProcessPool => {
  const { room, slots, graceMs, clock, scratchDir, spare, start } = ground;
  return new ProcessPool({ slots, room, graceMs, clock, scratchDir, spare, start });
};
