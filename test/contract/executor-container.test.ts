/** The contract of executors, over containers of a real engine. */
import { CONTAINER, containerExecutor } from '../../executors/container/container-executor.ts';
import { withContainerEngine } from '../support/container-engine.ts';
import { executorContract } from './executor-contract.ts';

withContainerEngine('executors in containers', ({ image }) => {
  executorContract({
    name: CONTAINER,
    make: () => containerExecutor,
    options: { image, network: 'none' },
    deaths: { exits: 'EXITED', signal: 'CRASHED' },
    keepsJobs: false,
    local: false,
  });
});
