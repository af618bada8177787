/** The package's version, from its package.json: one folder up from the source, two from the build. */
import { readFileSync } from 'node:fs';

let known: string | undefined;

export function packageVersion(): string {
  if (known !== undefined) return known;
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (
        typeof found === 'object' &&
        found !== null &&
        'name' in found &&
        found.name === 'polaron' &&
        'version' in found &&
        typeof found.version === 'string'
      )
        return (known = found.version);
    } catch {
      continue;
    }
  }
  return (known = '0.0.0');
}
