/** What is a subject, and does a pattern match one. Not here: which subjects Polaron uses (bus/subjects.ts). */

const bad = (code: number): boolean => code <= 32 || code === 127;

/** One or more non-empty tokens without white space or control characters. Wildcards count as ordinary tokens. */
export function isSubject(text: string): boolean {
  let tokenLength = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (tokenLength === 0) return false;
      tokenLength = 0;
    } else {
      if (bad(code)) return false;
      tokenLength++;
    }
  }
  return tokenLength > 0;
}

/** A subject without wildcard tokens: what a message is sent to. One pass: every message pays for it. */
export function isLiteralSubject(text: string): boolean {
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (i === start || isWildcard(text, start, i)) return false;
      start = i + 1;
    } else if (bad(code)) return false;
  }
  return start < text.length && !isWildcard(text, start, text.length);
}

/** Is the token from `start` to `end` a wildcard? */
const isWildcard = (text: string, start: number, end: number): boolean =>
  end - start === 1 && (text.charCodeAt(start) === 42 || text.charCodeAt(start) === 62);

/** A subject that a subscription may have: `*` only as a whole token, `>` only as the last one. */
export function isPattern(text: string): boolean {
  if (!isSubject(text)) return false;
  const at = text.indexOf('>');
  if (at < 0) return true;
  return text.split('.').every((token, i, all) => token !== '>' || i === all.length - 1);
}

/** Is `*` or `>` one of its tokens? */
export function hasWildcard(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 42 && code !== 62) continue;
    const startsToken = i === 0 || text.charCodeAt(i - 1) === 46;
    const endsToken = i === text.length - 1 || text.charCodeAt(i + 1) === 46;
    if (startsToken && endsToken) return true;
  }
  return false;
}

export type Matcher = (subject: string) => boolean;

/** A quick test for one pattern. With a pattern as `subject` it says whether that one lies wholly within this one. */
export function makeMatcher(pattern: string): Matcher {
  if (pattern === '>') return () => true;
  if (!hasWildcard(pattern)) return (subject) => subject === pattern;
  const head = pattern.slice(0, -1);
  if (pattern.endsWith('.>') && !hasWildcard(pattern.slice(0, -2))) {
    return (subject) => subject.length > head.length && subject.startsWith(head);
  }
  const tokens = pattern.split('.');
  return (subject) => tokensMatch(tokens, subject.split('.'));
}

function tokensMatch(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [i, token] of pattern.entries()) {
    if (token === '>') return subject.length > i;
    const other = subject[i];
    if (other === undefined || other === '>') return false;
    if (token !== '*' && token !== other) return false;
  }
  return subject.length === pattern.length;
}

/** Is there a subject that both patterns match? */
export function patternsOverlap(a: string, b: string): boolean {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; ; i++) {
    const x = left[i];
    const y = right[i];
    if (x === undefined || y === undefined) return x === y;
    if (x === '>' || y === '>') return true;
    if (x !== '*' && y !== '*' && x !== y) return false;
  }
}
