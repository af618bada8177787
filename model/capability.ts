/**
 * Capabilities as agents offer them and electrons ask for them: names (`gpu`), labels (`site=cern`) and amounts (`memory=64GiB`). Reads and compares. Pure.
 * Not here: what of an amount is taken at a time (amount-ledger.ts).
 *
 *     offer   = NAME | NAME "=" VALUE            one NAME may have several values
 *     need    = NAME | NAME "=" VALUE | NAME ">=" AMOUNT
 *     NAME    = 1 to 48 of a-z 0-9 _ -
 *     VALUE   = 1 to 100 of A-Z a-z 0-9 . _ : / @ + -
 *     AMOUNT  = DIGITS [ "." 1 to 3 DIGITS ] [ UNIT ]     at most 15 digits before the point
 *     UNIT    = B | KB | MB | GB | TB | KiB | MiB | GiB | TiB
 *
 * C1. A name is met by whatever is offered under it. `=` compares the text of a value, and takes nothing.
 * C2. A VALUE that is an AMOUNT, alone under its name, can be taken from: `>=` is met by as much or more, of the same kind (bytes, or a count).
 * C3. An amount of 0 offers nothing, not even its name.
 */
import { PolaronError } from './errors.ts';

/** Exact: thousandths of a byte, or of one. */
export interface Amount {
  readonly of: 'bytes' | 'count';
  readonly milli: bigint;
}

/** What an electron asks for. */
export type Need =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'label'; readonly name: string; readonly label: string }
  | { readonly kind: 'amount'; readonly name: string; readonly least: Amount };

/** What an agent has. */
export interface Offered {
  /** What anything is offered under. */
  readonly names: ReadonlySet<string>;
  /** As NAME=VALUE. */
  readonly labels: ReadonlySet<string>;
  readonly amounts: ReadonlyMap<string, Amount>;
}

const NAME = /^[a-z0-9_-]{1,48}$/;
const VALUE = /^[A-Za-z0-9._:/@+-]{1,100}$/;
const AMOUNT = /^(\d{1,15})(?:\.(\d{1,3}))?([A-Za-z]*)$/;
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['B', 1n],
  ['KB', 10n ** 3n],
  ['MB', 10n ** 6n],
  ['GB', 10n ** 9n],
  ['TB', 10n ** 12n],
  ['KiB', 1n << 10n],
  ['MiB', 1n << 20n],
  ['GiB', 1n << 30n],
  ['TiB', 1n << 40n],
]);

/** Undefined: it is no amount. */
export function readAmount(text: string): Amount | undefined {
  const [, whole, fraction = '', unit = ''] = AMOUNT.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const milli = BigInt(whole) * 1_000n + BigInt(fraction.padEnd(3, '0'));
  if (unit === '') return { of: 'count', milli };
  const factor = UNITS.get(unit);
  return factor === undefined ? undefined : { of: 'bytes', milli: milli * factor };
}

/** `64GiB`, `1.5GiB`, `4`: the largest binary unit that leaves at least one, to a thousandth, rounded down. */
export function amountText({ of, milli }: Amount): string {
  if (of === 'count') return decimal(milli);
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const factor = UNITS.get(unit) ?? 1n;
    if (milli >= factor * 1_000n) return `${decimal(milli / factor)}${unit}`;
  }
  return `${decimal(milli)}B`;
}

function decimal(milli: bigint): string {
  const fraction = String(milli % 1_000n)
    .padStart(3, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(milli / 1_000n) : `${milli / 1_000n}.${fraction}`;
}

/** A text: what is wrong with it. */
function readName(name: string): string | undefined {
  if (NAME.test(name)) return undefined;
  if (name === '') return 'there is no name';
  const likely = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '-')
    .slice(0, 48);
  return `${quoted(name)} is no name: 1 to 48 of a-z, 0-9, _ and - (such as ${quoted(likely)})`;
}

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** What an electron asks for by this text; a text: what is wrong with it. */
export function readNeed(text: string): Need | string {
  const [, name = '', how = '', value = ''] = /^([^=<>!\s]*)(?:\s*([=<>!]+)\s*(.*))?$/s.exec(text) ?? [];
  if (/\s/.test(text)) return 'it holds white space';
  const wrong = readName(name);
  if (wrong !== undefined) return wrong;
  if (how === '') return { kind: 'name', name };
  if (how === '=') return VALUE.test(value) ? { kind: 'label', name, label: text } : noValue(value);
  if (how !== '>=') return `${quoted(how)} is no comparison: = compares a label, >= takes an amount`;
  const least = readAmount(value);
  if (least === undefined) return noAmount(value);
  return least.milli === 0n ? 'an amount of 0 asks for nothing' : { kind: 'amount', name, least };
}

const noValue = (value: string): string =>
  value === ''
    ? 'there is no value behind ='
    : `${quoted(value)} is no value: 1 to 100 of A-Z, a-z, 0-9 and . _ : / @ + -`;
const noAmount = (value: string): string =>
  `${quoted(value)} is no amount: a number with at most three decimals, and for bytes a unit (B, KB, MB, GB, TB, KiB, MiB, GiB, TiB), such as 4, 0.5 or 64GiB`;

interface Offer {
  readonly name: string;
  readonly value: string | undefined;
}

/** What an agent offers by this text; a text: what is wrong with it. */
export function readOffer(text: string): Offer | string {
  if (/\s/.test(text)) return 'it holds white space';
  const at = text.search(/[=<>!]/);
  const name = at < 0 ? text : text.slice(0, at);
  const wrong = readName(name);
  if (wrong !== undefined) return wrong;
  if (at < 0) return { name, value: undefined };
  if (text[at] !== '=' || /[=<>!]/.test(text.slice(at + 1)))
    return 'what is offered is said with one =; comparisons are for `needs`';
  const value = text.slice(at + 1);
  return VALUE.test(value) ? { name, value } : noValue(value);
}

/** Raises CAPABILITY_INVALID naming the place, the text and what is wrong with it. */
export function checkNeeds(where: string, needs: readonly string[]): void {
  needs.forEach((text, i) => {
    const need = readNeed(text);
    if (typeof need === 'string') throw invalid(`${where}: needs[${i}]`, text, need, NEED_FORMS);
  });
}

/** By one agent. What a sync may hold (wire-agent.ts) is this and room for the names of executors. */
const MOST_OFFERS = 900;

/** Raises CAPABILITY_INVALID, as `checkNeeds` does, and for what stands in place of an amount that agents offer by themselves, and is none of its kind. */
export function checkOffers(where: string, offers: readonly string[]): void {
  if (offers.length > MOST_OFFERS)
    throw new PolaronError(
      'CAPABILITY_INVALID',
      `${where} is one of ${offers.length}; at most ${MOST_OFFERS} can be offered`,
      {
        help: 'Offer what electrons ask for, and leave out the rest.',
      },
    );
  for (const text of offers) {
    const offer = readOffer(text);
    const wrong = typeof offer === 'string' ? offer : noSuchAmount(offer);
    if (wrong !== undefined) throw invalid(where, text, wrong, OFFER_FORMS);
  }
}

/** What agents find by themselves: `memory=64GIB` would be a label there, which no `memory>=1GiB` meets. */
const FOUND: ReadonlyMap<string, Amount['of']> = new Map([
  ['cpus', 'count'],
  ['gpus', 'count'],
  ['memory', 'bytes'],
]);

function noSuchAmount({ name, value }: Offer): string | undefined {
  const kind = FOUND.get(name);
  if (kind === undefined || value === undefined) return undefined;
  const amount = readAmount(value);
  if (amount === undefined) return noAmount(value);
  if (amount.of === kind) return undefined;
  return kind === 'bytes' ? `${quoted(value)} has no unit; ${name} is counted in bytes` : `${name} has no unit`;
}

/** The first that can't be read, and what is wrong with it. */
export function unreadableOffer(
  offers: readonly string[],
): { readonly capability: string; readonly problem: string } | undefined {
  for (const text of offers) {
    const problem = readOffer(text);
    if (typeof problem === 'string') return { capability: text.slice(0, 200), problem };
  }
  return undefined;
}

/** What an agent is told whose offer the hub can't read. */
export const offerRefused = (
  who: string,
  { capability, problem }: { readonly capability: string; readonly problem: string },
): PolaronError => invalid(`${who}: the hub refuses what it offers, which`, capability, problem, OFFER_FORMS);

const NEED_FORMS = 'a name (gpu), a label (site=cern) or an amount (memory>=32GiB)';
const OFFER_FORMS = 'a name (gpu), a label (site=cern) or an amount (memory=64GiB)';

const invalid = (where: string, text: string, problem: string, forms: string): PolaronError =>
  new PolaronError('CAPABILITY_INVALID', `${where} is ${quoted(text)}: ${problem}; expected ${forms}`, {
    details: { capability: text.slice(0, 200), problem },
  });

/** As the matchmaker compares it. What can't be read is a name of its own: it was refused where it came from, and meets only itself. */
export function needFrom(text: string): Need {
  const need = readNeed(text);
  return typeof need === 'string' ? { kind: 'name', name: text } : need;
}

/** All that an agent offers by these texts. What can't be read is a name of its own. */
export function offeredBy(texts: readonly string[]): Offered {
  const names = new Set<string>();
  const labels = new Set<string>();
  const values = new Map<string, Set<string>>();
  for (const text of texts) {
    const offer = readOffer(text);
    if (typeof offer === 'string') {
      names.add(text);
      continue;
    }
    const { name, value } = offer;
    if (value === undefined) names.add(name);
    else {
      const several = values.get(name) ?? new Set();
      values.set(name, several.add(value));
    }
  }
  const amounts = new Map<string, Amount>();
  for (const [name, several] of values) {
    const [first = '', ...others] = several;
    const amount = others.length === 0 ? readAmount(first) : undefined;
    if (amount?.milli === 0n) continue; // C3
    names.add(name);
    for (const value of several) labels.add(`${name}=${value}`);
    if (amount !== undefined) amounts.set(name, amount);
  }
  return { names, labels, amounts };
}

/** Would it do, if nothing else ran there? */
export function meets({ names, labels, amounts }: Offered, need: Need): boolean {
  switch (need.kind) {
    case 'name':
      return names.has(need.name);
    case 'label':
      return labels.has(need.label);
    case 'amount': {
      const amount = amounts.get(need.name);
      return amount !== undefined && amount.of === need.least.of && amount.milli >= need.least.milli;
    }
  }
}

/** What is given by itself, but for the names that are said otherwise: `memory=8GiB` stands for the memory that was found. */
export function offersOver(own: readonly string[], said: readonly string[]): readonly string[] {
  const nameOf = (text: string): string => /^[^=]*/.exec(text)?.[0] ?? text;
  const names = new Set(said.filter((text) => text.includes('=')).map(nameOf));
  return [...new Set([...own.filter((text) => !text.includes('=') || !names.has(nameOf(text))), ...said])];
}
