/** Subjects, patterns and the list of subscriptions, against plain definitions. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasWildcard, isLiteralSubject, isPattern, makeMatcher, patternsOverlap } from '../../../bus/broker/subject.ts';
import { Sublist } from '../../../bus/broker/sublist.ts';

const token = fc.constantFrom('a', 'b', 'c');
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const pattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '*'), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, rest]) => [...tokens.slice(0, rest ? 3 : 4), ...(rest ? ['>'] : [])].join('.'));

/** The definition, token by token. */
function matches(wanted: string, given: string): boolean {
  const left = wanted.split('.');
  const right = given.split('.');
  for (const [i, one] of left.entries()) {
    if (one === '>') return right.length > i;
    if (right[i] === undefined || (one !== '*' && one !== right[i])) return false;
  }
  return left.length === right.length;
}

describe('subjects', () => {
  test('a compiled pattern matches as the definition says', () => {
    fc.assert(
      fc.property(pattern, subject, (p, s) => makeMatcher(p)(s) === matches(p, s)),
      { numRuns: 2_000 },
    );
  });

  test('a pattern lies within another only if all its subjects do, and overlaps if one does', () => {
    const all = ['a', 'b', 'c'].flatMap((x) => [
      x,
      ...['a', 'b'].flatMap((y) => [`${x}.${y}`, `${x}.${y}.a`, `${x}.${y}.b.c`]),
    ]);
    fc.assert(
      fc.property(pattern, pattern, (p, q) => {
        if (makeMatcher(p)(q)) for (const s of all) if (matches(q, s)) expect(matches(p, s)).toBe(true);
        if (all.some((s) => matches(p, s) && matches(q, s))) expect(patternsOverlap(p, q)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    expect(patternsOverlap('a.*', 'b.*')).toBe(false);
    expect(makeMatcher('a.*')('a.>')).toBe(false);
  });

  test.each([
    ['a.b', true, true],
    ['a.*', false, true],
    ['>', false, true],
    ['a.>', false, true],
    ['a.>.b', false, false],
    ['a*', true, true],
    ['a.b>', true, true],
    ['a b', false, false],
    ['', false, false],
    ['a\u0000', false, false],
  ])('%j: literal %s, pattern %s', (text, literal, wanted) => {
    expect([isLiteralSubject(text), isPattern(text)]).toEqual([literal, wanted]);
    if (literal) expect(hasWildcard(text)).toBe(false);
  });
});

describe('the subscription list', () => {
  const command = fc.tuple(fc.constantFrom('add', 'remove', 'match'), pattern, fc.constantFrom('', 'q', 'r'), subject);

  test('finds what a plain list would, whatever was added and removed before', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const list = new Sublist<{ readonly subject: string; readonly queue: string }>();
        let model: { readonly subject: string; readonly queue: string }[] = [];
        for (const [kind, p, queue, s] of commands) {
          if (kind === 'add') {
            const entry = { subject: p, queue };
            list.add(entry);
            model.push(entry);
          } else if (kind === 'remove') {
            const entry = model.find((one) => one.subject === p) ?? model[0];
            if (entry !== undefined) {
              list.remove(entry);
              list.remove(entry);
              model = model.filter((one) => one !== entry);
            }
          }
          const { plain, queues } = list.match(s);
          const found = model.filter((one) => matches(one.subject, s));
          expect(new Set(plain)).toEqual(new Set(found.filter((one) => one.queue === '')));
          expect(plain).toHaveLength(new Set(plain).size);
          const names = new Set(found.map((one) => one.queue).filter((name) => name !== ''));
          expect(queues).toHaveLength(names.size);
          expect(new Set(queues.map((members) => members[0]?.queue))).toEqual(names);
          for (const members of queues) {
            expect(new Set(members)).toEqual(new Set(found.filter((one) => one.queue === members[0]?.queue)));
          }
        }
        expect(list.size).toBe(model.length);
      }),
      { numRuns: 500 },
    );
  });
});
