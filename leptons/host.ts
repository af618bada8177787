/** What a language's driver is given by whoever runs a lepton: a runner process, or the user's own by `.local()`. */
import type { TaskContextShape } from '../bus/protocol/registry.ts';

export interface LeptonHost {
  readonly context: Pick<TaskContextShape, 'dispatchId' | 'nodeId' | 'attempt' | 'signal' | 'progress'>;
  /** What the task prints, live. */
  write(stream: 'stdout' | 'stderr', text: string): void;
}
