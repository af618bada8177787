/** Says why electrons were taken over from another dispatch or weren't: `3 electrons` … */
import type { WhyInput, WhyReuse } from '../bus/protocol/why-reuse.ts';

export function reuseText(why: WhyReuse, one: boolean): string {
  const { dispatch } = why;
  switch (why.kind) {
    case 'reused':
      return `${one ? 'was' : 'were'} reused from ${dispatch}/${why.name}`;
    case 'lattice':
      return `${one ? 'is a lattice, see' : 'are lattices, see of the first'} \`polaron show ${dispatch} --why\``;
    case 'gone':
      return `had to run: why is not known any more, since ${dispatch} is gone`;
    case 'replaced':
    case 'code':
    case 'arguments':
    case 'input':
    case 'no-value':
    case 'too-late':
    case 'new':
    case 'uncached':
      return `had to run, since ${sinceOf(why, one ? 'it' : 'they')}`;
  }
}

function sinceOf(why: Exclude<WhyReuse, { kind: 'reused' | 'lattice' | 'gone' }>, they: string): string {
  const { dispatch } = why;
  const its = they === 'it' ? 'its' : 'their';
  switch (why.kind) {
    case 'replaced':
      return `${they} replaced ${why.name}`;
    case 'code': {
      const { own, whole, captured, options } = why;
      return [
        ...(own ? [whole ? `the bundle changed, all of which counts as ${its} code` : `${its} code changed`] : []),
        ...(captured.length === 0 ? [] : [`what ${they} captured changed (${captured.join(', ')})`]),
        ...(options.length === 0 ? [] : [`${its} options changed (${options.join(', ')})`]),
      ].join(' and ');
    }
    case 'arguments':
      return `${they === 'it' ? 'it is' : 'they are'} called with other arguments in the lattice`;
    case 'input':
      return `${why.from.map(inputText).join(' and ')} ${why.from.length === 1 ? 'differs' : 'differ'}`;
    case 'no-value':
      return `${they} had no value in ${dispatch} (${why.status})`;
    case 'too-late':
      return `${they} had no value in ${dispatch} yet (now there is one)`;
    case 'uncached':
      return `the cache had no value of ${they === 'it' ? 'it' : 'them'}, or one that was too old`;
    case 'new':
      return `${dispatch} has no such ${they === 'it' ? 'electron' : 'electrons'} there`;
  }
}

function inputText({ kind, name, ran }: WhyInput): string {
  switch (kind) {
    case 'node':
      return `the value of ${name}${ran ? ', which ran,' : ''}`;
    case 'item':
      return `the element of ${name}`;
    case 'index':
      return `the position ${name}`;
    case 'given':
      return 'a value that the lattice was given';
  }
}
