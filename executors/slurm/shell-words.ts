/** Words for a shell that are taken as they are. */

/** In single quotes, whatever it holds but NUL. */
export const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
