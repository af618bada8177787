/** What a task in another language is, as plain data: it travels inside a bundle. Not here: checking a user's options (sdk/lepton-spec.ts), running one (leptons/). */

export interface PythonSpec {
  readonly language: 'python';
  /** Of the electron, for messages. */
  readonly name: string;
  readonly function: string;
  /** Dotted, as Python imports it. */
  readonly module: string;
  /** The module's file and those that it imports from beside it: path below its folder → text. Absent: the module is where it runs. */
  readonly sources?: Readonly<Record<string, string>>;
  /** The folder of the sources as tracebacks show it. */
  readonly folder?: string;
}

export interface ShellSpec {
  readonly language: 'shell';
  readonly name: string;
  /** A text is for `/bin/sh`, a list is a program and its first arguments. */
  readonly command: string | readonly string[];
  readonly output: 'stdout' | 'json' | 'exitCode';
}

export interface CSpec {
  readonly language: 'c';
  readonly name: string;
  /** A name for the system's loader, or an absolute path. */
  readonly library: string;
  readonly function: string;
  readonly arguments: readonly string[];
  readonly returns: string;
}

export type LeptonSpec = PythonSpec | ShellSpec | CSpec;

/** What an agent must offer for the language, beside what the user asks for. */
export const needsOf = (language: LeptonSpec['language']): readonly string[] =>
  language === 'python' ? ['python'] : [];
