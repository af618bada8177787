/** Checks an electron's arguments against its input schemas (Standard Schema): on the agent, by `.local()`, and while tracing. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { around } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';

type Outcome = StandardSchemaV1.Result<unknown>;
type Schemas = readonly StandardSchemaV1[];
type Fn = (...args: never[]) => unknown;

const stepOf = (step: PropertyKey | StandardSchemaV1.PathSegment): PropertyKey =>
  typeof step === 'object' ? step.key : step;

function pathText(path: StandardSchemaV1.Issue['path']): string {
  const steps = (path ?? []).map(stepOf);
  return `$${steps.map((s) => (typeof s === 'number' ? `[${s}]` : `.${String(s)}`)).join('')}`;
}

/** Of one argument so many are told. */
const MOST_ISSUES = 10;
const LONGEST_ISSUE = 500;

function accepted(where: string, position: number, outcome: Outcome): unknown {
  if (outcome.issues === undefined) return outcome.value;
  const issues = outcome.issues
    .slice(0, MOST_ISSUES)
    .map(({ path, message }) => ({ path: pathText(path), message: message.slice(0, LONGEST_ISSUE) }));
  const more = outcome.issues.length - issues.length;
  const said = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new PolaronError(
    'INPUT_INVALID',
    `${where}, argument ${position + 1} doesn't fit its schema: ${said}${more === 0 ? '' : `; and ${more} more`}`,
    { details: { argument: position, issues } },
  );
}

/** What a schema says of a value. Raises INPUT_INVALID when it throws. */
function validated(where: () => string, schema: StandardSchemaV1, value: unknown, position: number) {
  try {
    return schema['~standard'].validate(value);
  } catch (cause) {
    throw schemaThrew(where(), position, cause);
  }
}

function schemaThrew(where: string, position: number, cause: unknown): PolaronError {
  return new PolaronError('INPUT_INVALID', `${where}, argument ${position + 1}: its schema threw: ${String(cause)}`, {
    details: { argument: position },
    cause,
  });
}

function refuseExtra(where: string, schemas: Schemas, count: number): void {
  if (count <= schemas.length) return;
  throw new PolaronError(
    'INPUT_INVALID',
    `${where}: got ${count} arguments, but its input has ${schemas.length} schemas`,
  );
}

/** Validates what is known while tracing; schemas that answer later are left to the agent. Raises INPUT_INVALID. */
export function checkInputs(
  where: () => string,
  schemas: Schemas,
  args: readonly unknown[],
  known: (x: unknown) => boolean,
): void {
  if (args.length > schemas.length) refuseExtra(where(), schemas, args.length);
  for (const [i, schema] of schemas.entries()) {
    const arg = args[i];
    if (!known(arg)) continue;
    const outcome = validated(where, schema, arg, i);
    if (outcome instanceof Promise) outcome.catch(() => undefined);
    else if (outcome.issues !== undefined) accepted(where(), i, outcome);
  }
}

/** `fn`, called with what the schemas make of its arguments. A promise only if a schema answers with one. Raises INPUT_INVALID. */
export function withInputs(where: () => string, schemas: Schemas, fn: Fn): Fn {
  const call = (values: readonly unknown[]): unknown => Reflect.apply(fn, undefined, values);
  const checking = (...args: unknown[]): unknown => {
    if (args.length > schemas.length) refuseExtra(where(), schemas, args.length);
    const outcomes = schemas.map((schema, i) => validated(where, schema, args[i], i));
    const settled: Outcome[] = [];
    for (const outcome of outcomes) if (!(outcome instanceof Promise)) settled.push(outcome);
    if (settled.length === outcomes.length) return call(settled.map((o, i) => accepted(where(), i, o)));
    return Promise.all(
      outcomes.map(async (outcome, i) => {
        try {
          return await outcome;
        } catch (cause) {
          throw schemaThrew(where(), i, cause);
        }
      }),
    ).then((all) => call(all.map((o, i) => accepted(where(), i, o))));
  };
  return around(checking, fn);
}
