/** How busy the machine is, as an agent tells it. */
import { availableParallelism, loadavg } from 'node:os';

/** Processes that want to run, for each core: the load average of a minute. 0 where the system keeps none. */
export const machineLoad = (): number => Math.round(((loadavg()[0] ?? 0) / availableParallelism()) * 100) / 100;
