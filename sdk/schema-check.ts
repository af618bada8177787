/** Refuses an electron's `input` that is no list of Standard Schemas, where it is defined. Bundles have agent-schema-check.ts in its place. Not here: what they say of arguments (input-schemas.ts). */
import { PolaronError } from '../model/errors.ts';

/** Refuses what isn't a list of Standard Schemas, where it is defined. Raises USAGE. */
export function checkSchemas(where: () => string, input: unknown): void {
  const list: readonly unknown[] | undefined = Array.isArray(input) ? input : undefined;
  const wrong = list?.findIndex((schema) => !isSchema(schema));
  if (wrong === -1) return;
  const what = wrong === undefined ? 'its `input` is not an array' : `its schema ${wrong + 1} is not a Standard Schema`;
  throw new PolaronError('USAGE', `${where()}: ${what}`, {
    help: 'Give a schema of zod, valibot, arktype or another library of standardschema.dev for each argument: input: [schema, …].',
  });
}

/** Some libraries have functions as schemas. */
function isSchema(x: unknown): boolean {
  if ((typeof x !== 'object' && typeof x !== 'function') || x === null) return false;
  const standard: unknown = Reflect.get(x, '~standard');
  return typeof standard === 'object' && standard !== null && typeof Reflect.get(standard, 'validate') === 'function';
}
