/** `npm run bench:guard [-- --write]`: runs bench/guard.ts. */
import { runBench } from './run-bench.mjs';

await runBench('guard.ts', process.argv.slice(2));
