/** Reads what an interpreter tells in JSON. It is our own program, but the user's code runs in it and may write anything: what isn't there has a default. */
export interface Raised {
  readonly kind: 'raised';
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly cause: Raised | undefined;
}

export type Failure =
  | Raised
  /** The module or function isn't there. */
  | { readonly kind: 'source'; readonly message: string }
  /** Python has no place for an argument, or the format none for the result. */
  | {
      readonly kind: 'argument' | 'result-lost';
      readonly message: string;
      readonly path: string;
      readonly advice: string;
    }
  | { readonly kind: 'exit'; readonly code: number; readonly message: string }
  | { readonly kind: 'signal'; readonly signal: string; readonly message: string }
  /** It couldn't be started. */
  | { readonly kind: 'absent'; readonly message: string };

export type Answer = Failure | { readonly kind: 'result'; readonly bytes: Uint8Array };

const MOST_CAUSES = 10;

const fieldsOf = (content: Buffer): unknown => {
  try {
    const value: unknown = JSON.parse(content.toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
};

const field = (from: unknown, key: string): unknown =>
  typeof from === 'object' && from !== null ? Reflect.get(from, key) : undefined;

function text(from: unknown, key: string): string {
  const value = field(from, key);
  return typeof value === 'string' ? value : '';
}

/** Fraction and note. */
export function readProgress(content: Buffer): readonly [fraction: number, note: string] {
  const pair = fieldsOf(content);
  const [fraction, note]: readonly unknown[] = Array.isArray(pair) ? pair : [];
  return [Number(fraction) || 0, typeof note === 'string' ? note : ''];
}

export function readFailure(content: Buffer): Failure {
  const report = fieldsOf(content);
  const message = text(report, 'message');
  const lost = { message, path: text(report, 'path'), advice: text(report, 'advice') };
  switch (text(report, 'kind')) {
    case 'source':
      return { kind: 'source', message };
    case 'argument':
      return { kind: 'argument', ...lost };
    case 'result':
      return { kind: 'result-lost', ...lost };
    case 'exit':
      return { kind: 'exit', code: Number(field(report, 'code')) || 0, message };
    default:
      return raised(report, 0);
  }
}

function raised(report: unknown, depth: number): Raised {
  const cause = field(report, 'cause');
  const inner = typeof cause === 'object' && cause !== null && depth < MOST_CAUSES;
  return {
    kind: 'raised',
    name: text(report, 'name') || 'Exception',
    message: text(report, 'message'),
    stack: text(report, 'stack'),
    cause: inner ? raised(cause, depth + 1) : undefined,
  };
}
