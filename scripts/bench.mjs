/** `npm run bench [-- --only W2,W5 --peers --bus embedded|nats-server|both --agents 2 --runs 5 --most N --json FILE]`: runs bench/main.ts. */
import { runBench } from './run-bench.mjs';

await runBench('main.ts', process.argv.slice(2));
