/** The names of electrons and lattices: where they come from, and which are refused. */
import { PolaronError } from '../model/errors.ts';
import type { CallSite } from './call-site.ts';

/** Characters; the hub takes no longer ones. */
const LONGEST = 200;

const TEXTS = {
  electron: {
    article: 'an electron',
    example: 'electron(async function trainSvm(...) {...})',
    option: "{ name: 'trainSvm' }",
    use: 'It identifies the function on the agents.',
  },
  lattice: {
    article: 'a lattice',
    example: 'lattice(function pipeline(...) {...})',
    option: "{ name: 'pipeline' }",
    use: 'Its dispatches are listed under it.',
  },
} as const;

/** The name given, or the function's own. Raises NO_NAME when there is none, or it is too long or the system's own. */
export function nameOf(
  kind: 'electron' | 'lattice',
  given: string | undefined,
  fn: (...args: never[]) => unknown,
  site: CallSite,
): string {
  const name: unknown = given ?? fn.name;
  const { article, example, option, use } = TEXTS[kind];
  if (typeof name !== 'string' || name === '') {
    throw new PolaronError(
      'NO_NAME',
      `${article} needs a name (${site.at}): use a named function, ${example}, or ${option}. ${use}`,
    );
  }
  if (name.length > LONGEST || name.startsWith('polaron:')) {
    throw new PolaronError(
      'NO_NAME',
      `${article} can't be called ${JSON.stringify(name.slice(0, 60))} (${site.at}): use at most ${LONGEST} characters that don't begin with "polaron:"`,
    );
  }
  return name;
}
