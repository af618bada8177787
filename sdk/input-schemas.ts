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

function accepted(where: string, position: number, outcome: Outcome): unknown {
  if (outcome.issues === undefined) return outcome.value;
  const issues = outcome.issues.map((issue) => `${pathText(issue.path)}: ${issue.message}`).join('; ');
  throw new PolaronError('INPUT_INVALID', `${where}, argument ${position + 1}: ${issues}`, {
    details: {
      argument: position,
      issues: outcome.issues.map((i) => ({ path: pathText(i.path), message: i.message })),
    },
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
    const outcome = schema['~standard'].validate(arg);
    if (outcome instanceof Promise) outcome.catch(() => undefined);
    else if (outcome.issues !== undefined) accepted(where(), i, outcome);
  }
}

/** `fn`, called with what the schemas make of its arguments. A promise only if a schema answers with one. Raises INPUT_INVALID. */
export function withInputs(where: () => string, schemas: Schemas, fn: Fn): Fn {
  const call = (values: readonly unknown[]): unknown => Reflect.apply(fn, undefined, values);
  const checking = (...args: unknown[]): unknown => {
    if (args.length > schemas.length) refuseExtra(where(), schemas, args.length);
    const outcomes = schemas.map((schema, i) => schema['~standard'].validate(args[i]));
    const settled: Outcome[] = [];
    for (const outcome of outcomes) if (!(outcome instanceof Promise)) settled.push(outcome);
    if (settled.length === outcomes.length) return call(settled.map((o, i) => accepted(where(), i, o)));
    return Promise.all(outcomes.map(async (outcome) => outcome)).then((all) =>
      call(all.map((o, i) => accepted(where(), i, o))),
    );
  };
  return around(checking, fn);
}
