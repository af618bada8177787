/**
 * What strace printed (-f -y -xx), as calls with the lines where they began and returned. The order of lines is exact: a traced thread stands
 * still at each. Not here: what the calls mean for a disk (disk.ts).
 */

export interface Call {
  readonly name: string;
  readonly args: readonly Arg[];
  /** Line numbers. A call that never returned has Infinity. */
  readonly began: number;
  ended: number;
  /** Undefined while it hasn't returned; below 0 when it failed. */
  result: number | undefined;
}

/** A descriptor with its path, text as bytes, what a writev gathers, or anything else as it stands there. */
export type Arg =
  | { readonly type: 'fd'; readonly fd: number; readonly path: string }
  | { readonly type: 'bytes'; readonly bytes: Buffer }
  | { readonly type: 'parts'; readonly bytes: Buffer }
  | { readonly type: 'word'; readonly word: string };

const LINE = /^(\d+) +(?:<\.\.\. (\w+) resumed>)?(.*)$/s;
const WHOLE = /^(\w+)\((.*)\) += (-?\d+)/s;
const HALF = /^(\w+)\((.*?),? *<unfinished \.\.\.>$/s;

/** All calls, in the order in which they began. Raises RangeError for what can't be read, above all for bytes that were cut. */
export function parseTrace(text: string): readonly Call[] {
  const calls: Call[] = [];
  const open = new Map<string, Call>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, thread, resumed, rest = ''] = LINE.exec(line) ?? [];
    if (thread === undefined) continue;
    if (resumed !== undefined) {
      const call = open.get(thread);
      open.delete(thread);
      const result = / = (-?\d+)/.exec(rest);
      if (call === undefined) continue;
      call.ended = at;
      call.result = Number(result?.[1] ?? -1);
      continue;
    }
    const whole = WHOLE.exec(rest);
    const half = whole === null ? HALF.exec(rest) : null;
    const [, name, args] = whole ?? half ?? [];
    if (name === undefined || args === undefined) continue;
    const call: Call = {
      name,
      args: argsOf(args),
      began: at,
      ended: whole === null ? Number.POSITIVE_INFINITY : at,
      result: whole === null ? undefined : Number(whole[3]),
    };
    if (whole === null) open.set(thread, call);
    calls.push(call);
  }
  return calls;
}

function argsOf(text: string): readonly Arg[] {
  const args: Arg[] = [];
  for (let at = 0; at < text.length; ) {
    const [arg, next] = argAt(text, at);
    args.push(arg);
    at = next;
  }
  return args;
}

const PART = /iov_base="((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/gy;

function argAt(text: string, at: number): readonly [Arg, number] {
  const end = (from: number): number => {
    const comma = text.indexOf(', ', from);
    return comma === -1 ? text.length : comma + 2;
  };
  if (text[at] === '"') {
    const close = text.indexOf('"', at + 1);
    if (text.startsWith('...', close + 1)) throw cut(text, at);
    return [{ type: 'bytes', bytes: bytesOf(text.slice(at + 1, close)) }, end(close)];
  }
  if (text[at] === '[' && text.startsWith('[{iov_base=', at)) {
    const parts: Buffer[] = [];
    let next = at + 2;
    for (;;) {
      PART.lastIndex = next;
      const [all, bytes, dots] = PART.exec(text) ?? [];
      if (all === undefined || bytes === undefined || dots !== undefined) throw cut(text, next);
      parts.push(bytesOf(bytes));
      const close = text.indexOf('}', next + all.length);
      if (text[close + 1] === ']') return [{ type: 'parts', bytes: Buffer.concat(parts) }, end(close)];
      next = text.indexOf('{', close) + 1;
      if (close === -1 || next === 0) throw cut(text, next);
    }
  }
  const descriptor = /^(\d+)<((?:\\x[0-9a-f]{2})*)>/.exec(text.slice(at, at + 20_000));
  const [all, fd, path] = descriptor ?? [];
  if (all !== undefined && path !== undefined)
    return [{ type: 'fd', fd: Number(fd), path: bytesOf(path).toString('utf8') }, end(at + all.length)];
  const next = end(at);
  return [{ type: 'word', word: text.slice(at, next).replace(/, $/, '') }, next];
}

/** Of `\\xNN\\xNN…`: a trace has millions of them. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length / 4);
  for (let at = 0; at < bytes.length; at++)
    bytes[at] = (digitOf(text.charCodeAt(4 * at + 2)) << 4) | digitOf(text.charCodeAt(4 * at + 3));
  return bytes;
}

/** `0` to `9` and `a` to `f` are the only ones that strace writes. */
const digitOf = (code: number): number => (code < 58 ? code - 48 : code - 87);
const cut = (text: string, at: number): RangeError =>
  new RangeError(`strace cut an argument, or wrote one that is not understood: ${text.slice(at, at + 80)}`);
