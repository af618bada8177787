/**
 * The npm packages that a bundle imports and doesn't carry, said in its own last lines: so that an agent knows them, whoever sends the bundle and however often.
 * Not here: who decides them (sdk/ship), who installs them (executors/deps).
 */

export type Packages = Readonly<Record<string, string>>;

const MARK = '\n//polaron:packages ';

/** Appended to a bundle's code; nothing for none. */
export function packagesLine(packages: Packages): string {
  const names = Object.keys(packages).sort();
  if (names.length === 0) return '';
  return `${MARK}${JSON.stringify(Object.fromEntries(names.map((name) => [name, packages[name]])))}\n`;
}

/** Of a bundle with that line; undefined without one. */
export function packagesOf(bundle: Uint8Array): Packages | undefined {
  const text = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const at = text.lastIndexOf(MARK);
  if (at === -1) return undefined;
  const end = text.indexOf('\n', at + 1);
  try {
    const found: unknown = JSON.parse(text.toString('utf8', at + MARK.length, end === -1 ? text.length : end));
    return isPackages(found) ? found : undefined;
  } catch {
    return undefined; // a text of the user's that looks like it
  }
}

const isPackages = (x: unknown): x is Packages =>
  typeof x === 'object' && x !== null && Object.values(x).every((version) => typeof version === 'string');
