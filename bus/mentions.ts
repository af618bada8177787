/**
 * Which outer variables a function's text may read: identifiers that are no property names and that the text doesn't declare itself. A tokenizer, not a
 * parser, so that it costs nothing to load. Where it is unsure it leaves a name out: a missed check is harmless, a false alarm isn't.
 */

const IDENTIFIER = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const KEYWORDS = new Set(
  (
    'await break case catch class const continue debugger default delete do else export extends false finally for function if import in instanceof let ' +
    'new null return static super switch this throw true try typeof var void while with yield async of get set undefined arguments'
  ).split(' '),
);
/** After these a `/` begins a regular expression. */
const BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'do',
  'await',
  'yield',
]);

interface Token {
  readonly kind: 'name' | 'punctuator' | 'literal';
  readonly text: string;
}

/** Names in order with the punctuation around them; strings, comments and regular expressions are one literal each. */
function tokens(source: string, from = 0, untilBrace = false): { readonly found: Token[]; readonly end: number } {
  const found: Token[] = [];
  let depth = 0;
  let at = from;
  while (at < source.length) {
    const char = source.charAt(at);
    if (/\s/.test(char)) {
      at++;
    } else if (source.startsWith('//', at)) {
      const end = source.indexOf('\n', at);
      at = end === -1 ? source.length : end;
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at);
      at = end === -1 ? source.length : end + 2;
    } else if (char === "'" || char === '"') {
      at = afterQuoted(source, at);
      found.push({ kind: 'literal', text: char });
    } else if (char === '`') {
      at = template(source, at, found);
    } else if (char === '/' && regexMayStart(found.at(-1))) {
      at = afterRegex(source, at);
      found.push({ kind: 'literal', text: '/' });
    } else {
      IDENTIFIER.lastIndex = at;
      const name = IDENTIFIER.exec(source)?.[0];
      const number = name === undefined ? /^\d[\w.]*/.exec(source.slice(at, at + 64))?.[0] : undefined;
      if (name !== undefined) found.push({ kind: 'name', text: name });
      else if (number !== undefined) found.push({ kind: 'literal', text: number });
      else {
        if (char === '{') depth++;
        if (char === '}' && depth-- === 0 && untilBrace) return { found, end: at + 1 };
        const text = source.startsWith('...', at)
          ? '...'
          : source.startsWith('=>', at)
            ? '=>'
            : source.startsWith('?.', at)
              ? '?.'
              : char;
        found.push({ kind: 'punctuator', text });
        at += text.length;
        continue;
      }
      at += (name ?? number ?? char).length;
    }
  }
  return { found, end: at };
}

function afterQuoted(source: string, start: number): number {
  const quote = source.charAt(start);
  let at = start + 1;
  while (at < source.length && source.charAt(at) !== quote) at += source.charAt(at) === '\\' ? 2 : 1;
  return at + 1;
}

function template(source: string, start: number, found: Token[]): number {
  let at = start + 1;
  found.push({ kind: 'literal', text: '`' });
  while (at < source.length) {
    const char = source.charAt(at);
    if (char === '`') return at + 1;
    if (char === '\\') at += 2;
    else if (source.startsWith('${', at)) {
      const inside = tokens(source, at + 2, true);
      found.push({ kind: 'punctuator', text: '(' }, ...inside.found, { kind: 'punctuator', text: ')' });
      at = inside.end;
    } else at++;
  }
  return at;
}

function regexMayStart(last: Token | undefined): boolean {
  if (last === undefined) return true;
  if (last.kind === 'literal') return false;
  return last.kind === 'name' ? BEFORE_REGEX.has(last.text) : ![')', ']', '}'].includes(last.text);
}

function afterRegex(source: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < source.length; at++) {
    const char = source.charAt(at);
    if (char === '\n') return start + 1;
    if (char === '\\') at++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return at + 1;
  }
  return start + 1;
}

const OPEN = new Set(['(', '[', '{']);
const CLOSE = new Set([')', ']', '}']);

/** Index of the bracket that closes the one at `open`. */
function closing(found: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < found.length; at++) {
    const token = found[at];
    if (token?.kind !== 'punctuator') continue;
    if (OPEN.has(token.text)) depth++;
    else if (CLOSE.has(token.text) && --depth === 0) return at;
  }
  return found.length;
}

/** Every name between two indexes counts as declared: defaults too, which only hides a mention. */
function declareBetween(found: readonly Token[], from: number, to: number, declared: Set<string>): void {
  for (let at = from; at < to; at++) {
    const token = found[at];
    if (token?.kind === 'name') declared.add(token.text);
  }
}

function declarations(found: readonly Token[]): Set<string> {
  const declared = new Set<string>();
  found.forEach((token, at) => {
    const next = found[at + 1];
    if (token.kind === 'punctuator' && token.text === '=>') {
      const before = found[at - 1];
      if (before?.kind === 'name') declared.add(before.text);
      return;
    }
    if (token.kind === 'punctuator' && token.text === '(') {
      const end = closing(found, at);
      const after = found[end + 1]?.text;
      // Parameters: `(…) =>`, or `(…) {` of a function, method or catch; of an `if (…) {` too, so only those that a name or `function` leads.
      const lead = found[at - 1];
      const parameters =
        after === '=>' ||
        (after === '{' && lead?.kind === 'name' && !isControl(lead.text)) ||
        lead?.text === 'function' ||
        lead?.text === '*';
      if (parameters) declareBetween(found, at, end, declared);
      return;
    }
    if (token.kind !== 'name' || next === undefined) return;
    if ((token.text === 'function' || token.text === 'class') && next.kind === 'name') declared.add(next.text);
    if (token.text === 'const' || token.text === 'let' || token.text === 'var')
      declareDeclarators(found, at + 1, declared);
  });
  return declared;
}

const isControl = (name: string): boolean => ['if', 'while', 'for', 'switch', 'with'].includes(name);

/** `a = 1, { b } = c, d`: the pattern before each `=`, at the depth of the declaration. */
function declareDeclarators(found: readonly Token[], from: number, declared: Set<string>): void {
  let at = from;
  for (;;) {
    const first = found[at];
    if (first === undefined) return;
    if (first.kind === 'name') declared.add(first.text);
    else if (OPEN.has(first.text)) {
      const end = closing(found, at);
      declareBetween(found, at, end, declared);
      at = end;
    } else return;
    // On to the comma that begins the next declarator, over the initialiser.
    for (at++; ; at++) {
      const token = found[at];
      if (token === undefined || token.text === ';' || (token.kind === 'punctuator' && CLOSE.has(token.text))) return;
      if (token.kind === 'punctuator' && OPEN.has(token.text)) at = closing(found, at);
      else if (token.text === ',') break;
    }
    at++;
  }
}

/** Names that `source`, a function's text, may read from outside. */
export function mentions(source: string): Set<string> {
  const { found } = tokens(source);
  const declared = declarations(found);
  const names = new Set<string>();
  found.forEach((token, at) => {
    if (token.kind !== 'name' || KEYWORDS.has(token.text) || declared.has(token.text)) return;
    const before = found[at - 1]?.text;
    if (before === '.' || before === '?.') return;
    const after = found[at + 1]?.text;
    // `{ key: …` and `{ method() {`; `a ? b : c` has no `{` or `,` before it.
    if ((before === '{' || before === ',') && after === ':') return;
    names.add(token.text);
  });
  return names;
}
