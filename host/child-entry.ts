/** How to start another program of this package: the built file with Node, the source with tsx (tests). */
import { fileURLToPath } from 'node:url';

/** Arguments for `process.execPath`. `name` is a file of host/ without its ending. */
export function childEntry(name: string): string[] {
  const here = import.meta.url;
  if (here.endsWith('.ts'))
    return ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL(`./${name}.ts`, here))];
  return [fileURLToPath(new URL(`./${name}.js`, here))];
}
