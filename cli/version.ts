/** The package's version, read from its package.json: beside the folder of this file in the sources, one further up in `dist`. */
import { readFileSync } from 'node:fs';

export const version = readVersion();

function readVersion(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const parsed: unknown = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8'));
      if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
    } catch {
      // the other place
    }
  }
  return '0.0.0';
}
