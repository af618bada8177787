/** Checks an electron's options for its executor with the executor's own schema. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { ErrorInfo } from '../../model/outcome.ts';

const MOST_ISSUES = 5;

/** The options as the schema returned them, or EXECUTOR_OPTION as data. */
export async function checkedOptions<O>(
  executor: string,
  schema: StandardSchemaV1<unknown, O>,
  options: Readonly<Record<string, unknown>>,
): Promise<{ readonly value: O } | { readonly error: ErrorInfo }> {
  const wrong = (message: string): { readonly error: ErrorInfo } => ({ error: { code: 'EXECUTOR_OPTION', message } });
  try {
    const checked = await schema['~standard'].validate(options);
    if (checked.issues === undefined) return { value: checked.value };
    const said = checked.issues.slice(0, MOST_ISSUES).map(({ path = [], message }) => {
      const at = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
      const got = at === '' || at.includes('.') ? '' : ` (${JSON.stringify(options[at])})`;
      return at === '' ? message : `option "${at}"${got}: ${message}`;
    });
    return wrong(said.join('; '));
  } catch (error) {
    return wrong(`the schema of executor "${executor}" threw: ${String(error)}`);
  }
}
