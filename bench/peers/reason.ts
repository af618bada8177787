/** Why something has no figures, as one line for a table and for the JSON. Not responsible for what is made of it. */
const MOST_CHARACTERS = 600;

export function reasonOf(error: unknown): string {
  const line = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' | ');
  return line.length <= MOST_CHARACTERS ? line : `${line.slice(0, MOST_CHARACTERS)} …`;
}
