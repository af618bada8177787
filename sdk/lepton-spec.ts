/** Checks what the user says of a lepton, and makes the data of it. Raises USAGE and NO_NAME with the place. Not here: whether files are there (ship/lepton-text.ts). */
import { dirname, isAbsolute, resolve } from 'node:path';
import { cTypeOf } from '../model/c-type.ts';
import { PolaronError } from '../model/errors.ts';
import type { CSpec, LeptonSpec, PythonSpec, ShellSpec } from '../model/lepton.ts';
import type { CallSite } from './call-site.ts';
import type { LeptonOptions } from './types.ts';

type Of<L extends LeptonOptions['language']> = Extract<LeptonOptions, { readonly language: L }>;
type Wrong = (option: string, value: unknown, expected: string) => PolaronError;

export interface CheckedLepton {
  readonly spec: LeptonSpec;
  /** The Python file, absolute; undefined for a module that the agents have. */
  readonly file?: string;
}

/** `site`: the module that a Python file's path is relative to. */
export function specOf(options: LeptonOptions, site: CallSite): CheckedLepton {
  const name: unknown = options.name;
  if (typeof name !== 'string' || name === '') {
    throw new PolaronError('NO_NAME', `a lepton needs a name (${site.at}): { name: '...' }`);
  }
  const wrong: Wrong = (option, value, expected) =>
    new PolaronError(
      'USAGE',
      `lepton "${name}" (${site.at}): ${option} is ${JSON.stringify(value) ?? String(value)}; expected ${expected}`,
      { help: `Correct the option ${option}.` },
    );
  const language: unknown = options.language;
  switch (options.language) {
    case 'python':
      return pythonSpec(options, site, wrong);
    case 'shell':
      return { spec: shellSpec(options, wrong) };
    case 'c':
      return { spec: cSpec(options, wrong) };
    default:
      throw wrong('language', language, "'python', 'shell' or 'c'");
  }
}

const isTexts = (x: unknown): x is readonly string[] => Array.isArray(x) && x.every((text) => typeof text === 'string');
const isText = (x: unknown): x is string => typeof x === 'string' && x !== '';

/** A dotted Python name. */
const DOTTED = /^[\p{ID_Start}_][\p{ID_Continue}]*(\.[\p{ID_Start}_][\p{ID_Continue}]*)*$/u;

function pythonSpec(options: Of<'python'>, site: CallSite, wrong: Wrong): CheckedLepton {
  const { name, source, function: fn, pip } = options;
  if (!isText(fn) || !DOTTED.test(fn)) throw wrong('function', fn, 'the name of a Python function');
  if (pip !== undefined && !isTexts(pip)) throw wrong('pip', pip, "an array of requirements, such as ['numpy==2.1.0']");
  const isFile = isText(source) && /\.py$|[/\\]/.test(source);
  const module = isFile ? (/([^/\\]*)\.py$/.exec(source)?.[1] ?? '') : source;
  if (!isText(module) || !DOTTED.test(module) || (isFile && module.includes('.'))) {
    throw wrong('source', source, "a Python file, such as './score.py', or the name of a module");
  }
  const spec: PythonSpec = { language: 'python', name, function: fn, module };
  if (!isFile) return { spec };
  if (site.file === undefined && !isAbsolute(source)) {
    throw wrong('source', source, 'an absolute path, since the module that defines the lepton is not a file');
  }
  return { spec, file: resolve(dirname(site.file ?? ''), source) };
}

function shellSpec({ name, command, output }: Of<'shell'>, wrong: Wrong): ShellSpec {
  const fits = isText(command) || (isTexts(command) && isText(command[0]));
  if (!fits) throw wrong('command', command, 'a command, or a program and its arguments');
  if (output !== undefined && !['stdout', 'json', 'exitCode'].includes(output)) {
    throw wrong('output', output, "'stdout', 'json' or 'exitCode'");
  }
  return { language: 'shell', name, command, output: output ?? 'stdout' };
}

function cSpec(options: Of<'c'>, wrong: Wrong): CSpec {
  const { name, library, function: fn, arguments: types, returns } = options;
  if (!isText(library) || (/[/\\]/.test(library) && !isAbsolute(library))) {
    throw wrong('library', library, 'an absolute path, or a name that the loader of the agents finds');
  }
  if (!isText(fn) || !/^\w+$/.test(fn)) throw wrong('function', fn, 'the name of a C function');
  if (!isTexts(types)) throw wrong('arguments', types, 'an array of types');
  for (const [i, type] of types.entries()) {
    if (cTypeOf(type) === undefined || type === 'void') throw wrong(`arguments[${i}]`, type, EXPECTED_TYPE);
  }
  const result = isText(returns) ? cTypeOf(returns) : undefined;
  if (result === undefined || result.array) throw wrong('returns', returns, `'void' or a type that is no array`);
  return { language: 'c', name, library, function: fn, arguments: types, returns };
}

const EXPECTED_TYPE =
  "a type such as 'double', 'int32', 'uint64', 'bool', 'string', 'double[]', 'inout double[]' or 'out double[]'";
