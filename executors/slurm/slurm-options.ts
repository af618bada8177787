/**
 * What an electron may say to Slurm: options for sbatch, variables and commands. Checks each by name and form, so that nothing said here is anything but the value of one option of sbatch.
 * Not here: how they are handed over (sbatch-args.ts, job-script.ts).
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** As an electron has them beside `type: 'slurm'`. All optional. */
export interface SlurmOptions {
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  /** As sbatch takes it: minutes, `HH:MM:SS`, `D-HH:MM:SS`, … */
  readonly time?: string;
  readonly nodes?: string;
  readonly ntasks?: string;
  readonly cpusPerTask?: string;
  /** MiB, or with a unit: `4G`. Goes before the electron's `memoryMb`. */
  readonly mem?: string;
  readonly gres?: string;
  readonly constraint?: string;
  /** Any other long option of sbatch, by its name; `true` for one without a value. */
  readonly options: Readonly<Record<string, string | true>>;
  /** For the job's environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** Commands of bash before the electron, in its shell; one that fails ends the job. */
  readonly preRun: readonly string[];
  /** After it, whatever became of it. */
  readonly postRun: readonly string[];
  /** Node.js on the nodes, when it isn't where the agent has it. */
  readonly node?: string;
}

/** The agent's own, or at odds with how it follows its jobs. Their beginnings as well: sbatch completes them. */
const REFUSED: Readonly<Record<string, string>> = Object.fromEntries([
  ...['output', 'error', 'job-name', 'parsable', 'chdir', 'open-mode', 'input', 'array'].map((name) => [
    name,
    'the agent sets it',
  ]),
  ...['export', 'export-file'].map((name) => [name, 'use `variables`']),
  ...['requeue', 'no-requeue'].map((name) => [name, 'a job runs once; give the electron `retries`']),
  ...['wrap', 'wait', 'test-only', 'help', 'usage', 'version', 'uid', 'gid', 'quiet', 'verbose', 'ignore-pbs'].map(
    (name) => [name, 'it makes no sense for a job of an agent'],
  ),
  ['clusters', "set SLURM_CLUSTERS in the agent's environment"],
]);

type Check = (value: unknown) => { readonly value: unknown } | string;

const MOST_CHARS = 4_000;
const MOST_ENTRIES = 200;

const CONTROL = /\p{Cc}/u;

const oneLine: Check = (value) =>
  typeof value === 'string' && value !== '' && value.length <= MOST_CHARS && !CONTROL.test(value)
    ? { value }
    : 'expected a text of one line';

const likeOr =
  (form: RegExp, expected: string): Check =>
  (value) => {
    const text = typeof value === 'number' ? String(value) : value;
    return typeof text === 'string' && form.test(text) ? { value: text } : `expected ${expected}`;
  };

const count = likeOr(/^[1-9]\d{0,6}$/, 'a whole number, at least 1');

const commands: Check = (value) =>
  Array.isArray(value) &&
  value.length <= MOST_ENTRIES &&
  value.every((line) => typeof line === 'string' && line.length <= MOST_CHARS && !line.includes('\0'))
    ? { value }
    : 'expected a list of commands';

const entries =
  (each: (name: string, value: unknown) => readonly [name: string, value: string | true] | undefined | string): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'expected an object';
    const all = Object.entries(value);
    if (all.length > MOST_ENTRIES) return `${all.length} entries are too many`;
    const kept: (readonly [string, string | true])[] = [];
    for (const [name, given] of all) {
      const got = each(name, given);
      if (typeof got === 'string') return got;
      if (got !== undefined) kept.push(got);
    }
    return { value: Object.fromEntries(kept) };
  };

const furtherOptions = entries((name, value) => {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
    return `${JSON.stringify(name)} is no long option of sbatch; expected its name without dashes`;
  if (Object.hasOwn(FIELDS, name) && name !== 'options') return `"${name}" has a place of its own beside \`options\``;
  const refused = Object.keys(REFUSED).find((known) => known.startsWith(name));
  if (refused !== undefined) return `--${refused} can't be set: ${REFUSED[refused]}`;
  if (value === false) return undefined;
  if (value === true) return [name, true];
  const text = typeof value === 'number' ? String(value) : value;
  const checked = oneLine(text);
  return typeof checked === 'string' || typeof text !== 'string'
    ? `--${name}: expected a text of one line`
    : [name, text];
});

const variables = entries((name, value) => {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,199}$/.test(name)) return `${JSON.stringify(name)} is no name of a variable`;
  if (/^(POLARON|SLURM)_/.test(name)) return `${name} can't be set: it belongs to the job`;
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && !text.includes('\0') ? [name, text] : `${name}: expected a text`;
});

const FIELDS: Readonly<Record<string, Check>> = {
  partition: oneLine,
  account: oneLine,
  qos: oneLine,
  time: likeOr(/^(\d+-)?\d+(:\d{1,2}){0,2}$/, 'minutes, HH:MM:SS or D-HH:MM:SS'),
  nodes: likeOr(/^[1-9]\d{0,6}(-[1-9]\d{0,6})?$/, 'a whole number, or the least and the most: 2-4'),
  ntasks: count,
  cpusPerTask: count,
  mem: likeOr(/^\d{1,12}[KMGT]?$/, 'MiB, or a number with K, M, G or T'),
  gres: oneLine,
  constraint: oneLine,
  options: furtherOptions,
  variables,
  preRun: commands,
  postRun: commands,
  node: likeOr(/^\/[^\0\n]+$/, 'an absolute path'),
};

/** Of the electron's `executor`. */
export const slurmOptions: StandardSchemaV1<unknown, SlurmOptions> = {
  '~standard': {
    version: 1,
    vendor: 'polaron',
    validate: (given) => {
      const issues: { message: string; path: string[] }[] = [];
      const fields: Record<string, unknown> = {};
      for (const [name, value] of Object.entries(typeof given === 'object' && given !== null ? given : {})) {
        const checked = FIELDS[name]?.(value) ?? 'executor slurm has no such option; those of sbatch go into `options`';
        if (typeof checked === 'string') issues.push({ message: checked, path: [name] });
        else fields[name] = checked.value;
      }
      return issues.length > 0 ? { issues } : { value: { ...NOTHING, ...fields } };
    },
  },
};

const NOTHING = { options: {}, variables: {}, preRun: [], postRun: [] };
