/** The package's version, for host/ and cli/. */
export { packageVersion } from '../executors/program.ts';
