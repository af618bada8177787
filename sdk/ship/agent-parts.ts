/**
 * Which of the SDK's own modules have a small form in bundles: what only a person's own process needs would travel with every dispatch.
 * Not here: the shim that stands for the whole SDK (agent-shim.ts).
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { executorErrors } from '../../model/executor-errors.ts';
import { errorTable, type ErrorCode } from '../../model/error-table.ts';

/** Stands for model/error-table.ts. */
export const ERRORS_ID = '\0polaron-errors';

/** Modules of sdk/ that have a small form, `agent-…`. */
const SMALL = ['call-site', 'definition-checks', 'local-log', 'schema-check'];

/** The codes that modules behind the shim raise: of these a bundle has the remedy. */
const RAISED = [
  'OUTSIDE_ELECTRON',
  'OUTSIDE_LATTICE',
  'ASYNC_LATTICE',
  'NO_NAME',
  'INPUT_INVALID',
  'NOT_SUPPORTED',
  'NOT_ALLOWED',
  'WORKFLOW_FAILED',
  'WORKFLOW_CANCELLED',
  'BAD_MESSAGE',
  'ELECTRON_NOT_FOUND',
  'USAGE',
  'HOOK_FAILED',
] as const satisfies readonly ErrorCode[];

/** What executors raise is raised outside of bundles. */
const retryable = Object.entries(errorTable).flatMap(([code, row]) =>
  row.retryable && !Object.hasOwn(executorErrors, code) ? [code] : [],
);
const remedies = Object.fromEntries(RAISED.map((code) => [code, errorTable[code].remedy]));

/** What model/errors.ts asks of the table, and no more. */
export const ERRORS_TEXT = `
const retryable = new Set(${JSON.stringify(retryable)});
const remedies = ${JSON.stringify(remedies)};
export const isRetryable = (code) => retryable.has(code);
export const remedyOf = (code) => remedies[code] ?? 'See docs/errors.md.';
`;

/**
 * @param shim the file that stands for the SDK
 * @returns what to take when `importer` asks for `id`; undefined: the module itself
 */
export function agentPartsOf(shim: string): (id: string, importer: string) => string | undefined {
  const parts = new Map<string, string>();
  for (const file of [shim, real(shim)]) {
    const sdk = dirname(file);
    for (const part of SMALL) parts.set(join(sdk, part), join(sdk, `agent-${part}${extname(shim)}`));
    // tracing asks for more of it
    if (!isDrawing(shim)) parts.set(join(sdk, '..', 'model', 'error-table'), ERRORS_ID);
    parts.set(join(sdk, 'lepton-task'), join(sdk, `agent-lepton-task${extname(shim)}`));
  }
  return (id, importer) =>
    id.startsWith('.') ? parts.get(join(dirname(importer), id.replace(/\.[jt]s$/, ''))) : undefined;
}

const isDrawing = (shim: string): boolean => basename(shim).startsWith('agent-shim-drawing');

function real(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
