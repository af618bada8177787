/** `polaron result ID [--wait]`: the value, or why there is none. */
import { inspect } from 'node:util';
import type { DispatchDetail } from '../../bus/protocol/api.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { failureJson } from '../dispatch-json.ts';
import { exitOfDispatch } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { errorLine } from '../failure.ts';
import type { ResultView } from '../hub-api.ts';
import { namingNear } from '../unknown.ts';
import { valueToJson } from '../value-json.ts';

export interface ResultArguments {
  readonly id: string;
  readonly wait: boolean;
}

export async function result(context: Context, asked: ResultArguments): Promise<ExitCode> {
  const found = await withHub(context, (hub) => namingNear(hub, asked, () => hub.result(asked.id, asked.wait)));
  const { dispatch, value } = found;
  if (context.json) writeJson(context, resultJson(found));
  else if (value !== undefined) context.terminal.out(valueText(context, value.decoded));
  else context.terminal.err(whyNoValue(dispatch));
  return exitOfDispatch[dispatch.status];
}

/** `{id, status}` with `value` (completed) or `error` (failed, cancelled). */
export function resultJson({ dispatch, value }: ResultView): Readonly<Record<string, unknown>> {
  const { id, status } = dispatch;
  if (value !== undefined) return { id, status, value: valueToJson(value.decoded) };
  if (status === 'failed') return { id, status, error: failedJson(dispatch) };
  if (status === 'cancelled')
    return { id, status, error: { code: 'WORKFLOW_CANCELLED', message: 'The dispatch was cancelled.' } };
  return { id, status };
}

const firstError = (dispatch: DispatchDetail): { readonly node: string; readonly error: ErrorInfo } | undefined =>
  dispatch.error ?? dispatch.errors[0];

function failedJson(dispatch: DispatchDetail): Readonly<Record<string, unknown>> {
  const first = firstError(dispatch);
  return first === undefined ? { code: 'WORKFLOW_FAILED', message: 'The dispatch failed.' } : failureJson(first);
}

/** A string as it is, so that it can be piped; anything else as Node prints it, without cuts. */
function valueText(context: Context, value: unknown): string {
  if (typeof value === 'string') return value;
  return inspect(value, {
    depth: null,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: context.terminal.columns,
    colors: context.terminal.colour,
  });
}

function whyNoValue(dispatch: DispatchDetail): string {
  const { id, status } = dispatch;
  if (status === 'failed') {
    const first = firstError(dispatch);
    const why = first === undefined ? '' : `: ${first.node}: ${first.error.code}: ${first.error.message}`;
    return errorLine('WORKFLOW_FAILED', `dispatch ${id} failed${why}`, `See \`polaron show ${id}\`.`);
  }
  if (status === 'cancelled') return errorLine('WORKFLOW_CANCELLED', `dispatch ${id} was cancelled`, '');
  return errorLine('WAIT_TIMEOUT', `dispatch ${id} is not finished (${status})`, 'Add --wait to wait for it.');
}
