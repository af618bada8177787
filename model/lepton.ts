/** What a task in another language is, as plain data: it travels inside a bundle. Not here: checking a user's options (sdk/lepton-spec.ts), running one (leptons/). */

interface Named {
  /** Of the electron, for messages. */
  readonly name: string;
  /** Where it was defined, `file:line`, for messages: no part of its code. */
  readonly at?: string;
}

export interface PythonSpec extends Named {
  readonly language: 'python';
  readonly function: string;
  /** Dotted, as Python imports it. */
  readonly module: string;
  /** The module's file and those that it imports from beside it: path below its folder → text. Absent: the module is where it runs. */
  readonly sources?: Readonly<Record<string, string>>;
  /** The folder of the sources as tracebacks show it. */
  readonly folder?: string;
}

export interface ShellSpec extends Named {
  readonly language: 'shell';
  /** A text is for `/bin/sh`, a list is a program and its first arguments. */
  readonly command: string | readonly string[];
  readonly output: 'stdout' | 'json' | 'exitCode';
}

export interface CSpec extends Named {
  readonly language: 'c';
  /** A name for the system's loader, or an absolute path. */
  readonly library: string;
  readonly function: string;
  readonly arguments: readonly string[];
  readonly returns: string;
}

export type LeptonSpec = PythonSpec | ShellSpec | CSpec;

/** How a message names it. */
export const shownLepton = ({ name, at }: LeptonSpec): string =>
  at === undefined ? `lepton "${name}"` : `lepton "${name}" (${at})`;

/** What an agent must offer for the language, beside what the user asks for. */
export const needsOf = (language: LeptonSpec['language']): readonly string[] =>
  language === 'python' ? ['python'] : [];
