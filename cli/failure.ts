/** An error as the command line shows it: one line for people, one document with `--json`, an exit code. */
import { asPolaronError } from '../model/errors.ts';
import type { Context } from './context.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { plain } from './style.ts';

/** Where stdout's one document may be an error. */
export interface ErrorDocument {
  readonly error: { readonly code: string; readonly message: string; readonly help: string };
}

/** `polaron: CODE: message. help`; without the help when the message says it already. */
export function errorLine(code: string, message: string, help: string): string {
  const said = message.toLowerCase().includes(help.toLowerCase().replace(/\.$/, ''));
  return plain(`polaron: ${code}: ${sentence(message)}${said ? '' : ` ${help}`}`).trimEnd();
}

const sentence = (text: string): string => (/[.?!]$/.test(text.trimEnd()) ? text.trimEnd() : `${text.trimEnd()}.`);

/** Shows it and says how to exit. What isn't ours is a defect of the command; USAGE never is. */
export function showFailure(context: Pick<Context, 'json' | 'terminal'>, thrown: unknown): ExitCode {
  const error = asPolaronError(thrown, 'START_FAILED');
  const foreign = error.cause === thrown;
  const code = foreign ? 'INTERNAL' : error.code;
  const help = foreign ? 'This is a defect of polaron: please report it.' : error.help;
  if (context.json) {
    const document: ErrorDocument = { error: { code, message: error.message, help } };
    context.terminal.out(JSON.stringify(document));
  } else {
    context.terminal.err(errorLine(code, error.message, help));
  }
  return foreign ? exitCodes.failed : (exitCodeOf[error.code] ?? exitCodes.failed);
}
