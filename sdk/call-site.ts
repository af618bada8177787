/**
 * Where user code called the SDK: the module that defines an electron, and the line to show in an error.
 * Rule (code-shipping.md §1.2): walk outwards, skip node_modules, `node:` and the SDK's own frames, remember the last user frame, stop at the
 * first frame of a module loader; that is the module whose top level is running. Lines are mapped through source maps only when read.
 */
import { findSourceMap } from 'node:module';
import { basename, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';

type Prepare = NonNullable<typeof Error.prepareStackTrace>;

/** Enough for deep helper chains; a definition rarely has 10 frames. */
const MAX_FRAMES = 100;
/** Node's loaders, and those of test runners that evaluate modules themselves. */
const LOADER = /^node:internal\/modules\/|\/node_modules\/(?:vitest|vite|vite-node|jest-runtime)\//;
/** `-e`, stdin and worker code; as a module its URL lies in the current folder. */
const NO_FILE = /(?:^|\/)\[(?:eval\d*|stdin|worker eval)\]$/;
/** The folder of the SDK's files: from source, and from dist, where they are packed into its front door and parts of it; inside a bundle there is none. */
const OWN = /^(.*\/sdk\/)(?:call-site\.[jt]s|(?<=\/dist\/sdk\/)(?:index|ship\/[\w-]+)\.js)$/.exec(import.meta.url)?.[1];
const OWN_PATH = OWN === undefined ? undefined : fileURLToPath(OWN);

/** A place in user code. */
export interface CallSite {
  /** Absolute path of the module; undefined when it isn't a file (`[eval1]`, a REPL). */
  readonly file: string | undefined;
  readonly line: number;
  readonly column: number;
  /** For messages: `train.ts:12`. */
  readonly at: string;
}

class StackSite implements CallSite {
  readonly file: string | undefined;
  readonly #frame: NodeJS.CallSite | undefined;
  readonly #prepare: Prepare | undefined;
  #position: { readonly line: number; readonly column: number; readonly name: string } | undefined;

  constructor(file: string | undefined, frame: NodeJS.CallSite | undefined, prepare: Prepare | undefined) {
    this.file = file;
    this.#frame = frame;
    this.#prepare = prepare;
  }

  get line(): number {
    return this.#locate().line;
  }

  get column(): number {
    return this.#locate().column;
  }

  get at(): string {
    const { name, line } = this.#locate();
    return line > 0 ? `${name}:${line}` : name;
  }

  #locate(): { readonly line: number; readonly column: number; readonly name: string } {
    this.#position ??= this.#frame === undefined ? unknownPosition(this.file) : positionOf(this.#frame, this.#prepare);
    return this.#position;
  }
}

const unknownPosition = (file: string | undefined) => ({
  line: 0,
  column: 0,
  name: file === undefined ? 'unknown place' : basename(file),
});

/** The position as its author wrote it: through the runner's own mapping (vitest, tsx), else Node's source maps, else as it runs. */
function positionOf(frame: NodeJS.CallSite, prepare: Prepare | undefined) {
  const raw = frame.getFileName() ?? 'unknown place';
  const line = frame.getLineNumber() ?? 0;
  const column = frame.getColumnNumber() ?? 0;
  const shown = { line, column, name: basename(raw.replace(/[?#].*$/, '')) };
  try {
    const text: unknown = prepare?.(new Error('where'), [frame]);
    const mapped = typeof text === 'string' ? /([^\s(]+):(\d+):(\d+)\)?\s*$/.exec(text) : null;
    if (mapped?.[1] !== undefined && (mapped[2] !== String(line) || mapped[3] !== String(column))) {
      return {
        line: Number(mapped[2]),
        column: Number(mapped[3]),
        name: basename(mapped[1].replace(/[?#].*$/, '')),
      };
    }
    const entry = findSourceMap(raw)?.findEntry(line - 1, column - 1);
    if (entry !== undefined && 'originalLine' in entry) {
      return {
        line: entry.originalLine + 1,
        column: entry.originalColumn + 1,
        name: basename(entry.originalSource),
      };
    }
  } catch {
    // A broken source map or a foreign stack formatter: the position as it runs is still right.
  }
  return shown;
}

/** The path behind a frame's file name or a module URL; undefined for `[eval1]`, `data:` and the like. */
export function filePath(name: string): string | undefined {
  if (NO_FILE.test(name)) return undefined;
  if (name.startsWith('file:')) {
    try {
      return fileURLToPath(name.replace(/[?#].*$/, ''));
    } catch {
      return undefined;
    }
  }
  return isAbsolute(name) ? name : undefined;
}

/** The stack as structured frames; `Error.prepareStackTrace` is what it was before when this returns. */
function frames(): { readonly stack: readonly NodeJS.CallSite[]; readonly prepare: Prepare | undefined } {
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was found
  const prepare = Error.prepareStackTrace;
  const limit = Error.stackTraceLimit;
  let stack: readonly NodeJS.CallSite[] = [];
  try {
    Error.stackTraceLimit = MAX_FRAMES;
    Error.prepareStackTrace = (_error, sites) => {
      stack = sites;
      return '';
    };
    const holder = { stack: '' };
    Error.captureStackTrace(holder, frames);
    void holder.stack;
  } finally {
    Error.stackTraceLimit = limit;
    if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Error.prepareStackTrace = prepare;
  }
  return { stack, prepare };
}

const isOwn = (name: string): boolean =>
  OWN !== undefined && OWN_PATH !== undefined && (name.startsWith(OWN) || name.startsWith(OWN_PATH));

const isUser = (name: string): boolean =>
  !name.startsWith('node:') && !name.includes('/node_modules/') && !name.includes('\\node_modules\\') && !isOwn(name);

/** User frames, innermost first, up to the module loader. */
function userFrames(stack: readonly NodeJS.CallSite[]): NodeJS.CallSite[] {
  const found: NodeJS.CallSite[] = [];
  for (const frame of stack) {
    const name = frame.getFileName();
    if (name === null || name === undefined || name === '') continue;
    if (LOADER.test(name)) {
      if (found.length > 0) break;
      continue;
    }
    if (isUser(name)) found.push(frame);
  }
  return found;
}

/**
 * The module whose top level is defining something, and the innermost line of that module which led here.
 * `module` (an `import.meta.url` or a path) overrides the module.
 */
export function definitionSite(module?: string | URL): CallSite {
  const { stack, prepare } = frames();
  const found = userFrames(stack);
  const file =
    module === undefined ? filePath(found.at(-1)?.getFileName() ?? '') : (filePath(String(module)) ?? String(module));
  const outer = found.at(-1)?.getFileName();
  const inFile = (frame: NodeJS.CallSite): boolean => {
    const name = frame.getFileName() ?? '';
    return file === undefined ? name === outer : name === file || filePath(name) === file;
  };
  return new StackSite(file, found.find(inFile), prepare);
}

/** The innermost user line: where to look when a call failed. */
export function errorSite(): CallSite {
  const { stack, prepare } = frames();
  const [first] = userFrames(stack);
  return new StackSite(filePath(first?.getFileName() ?? ''), first, prepare);
}
