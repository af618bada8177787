import { describe, expect, it } from 'vitest';
import { AmountLedger, takesOfTexts } from '../../model/amount-ledger.ts';
import {
  amountText,
  checkNeeds,
  checkOffers,
  meets,
  needFrom,
  offeredBy,
  offersOver,
  readAmount,
  readNeed,
  readOffer,
} from '../../model/capability.ts';
import { PolaronError } from '../../model/errors.ts';

const errorOf = (act: () => unknown): PolaronError => {
  try {
    act();
  } catch (error) {
    if (error instanceof PolaronError) return error;
    throw error;
  }
  throw new Error('nothing was raised');
};
const GIB = 2n ** 30n * 1_000n;
const can = (offers: readonly string[], need: string): boolean => meets(offeredBy(offers), needFrom(need));

describe('an amount', () => {
  it.each([
    ['4', 'count', 4_000n],
    ['0.5', 'count', 500n],
    ['64GiB', 'bytes', 64n * GIB],
    ['1.5GiB', 'bytes', (3n * GIB) / 2n],
    ['0.1GB', 'bytes', 100_000_000_000n],
    ['7B', 'bytes', 7_000n],
    ['2TB', 'bytes', 2n * 10n ** 15n],
    ['1KiB', 'bytes', 1_024_000n],
  ])('%s is read exactly', (text, of, milli) => {
    expect(readAmount(text)).toEqual({ of, milli });
  });

  it.each(['', 'GiB', '1.2345', '1.GiB', '.5', '-1', '1e3', '64gib', '64 GiB', '1234567890123456', '1,5'])(
    '%j is none',
    (text) => {
      expect(readAmount(text)).toBeUndefined();
    },
  );

  it.each(['64GiB', '1.5GiB', '4', '0.5', '512MiB', '7B', '3TiB'])('%s is written as it is read', (text) => {
    const amount = readAmount(text);
    expect(amount === undefined ? undefined : amountText(amount)).toBe(text);
  });

  it('is written to a thousandth', () => {
    expect(amountText({ of: 'bytes', milli: 33_567_428_608_000n })).toBe('31.262GiB');
  });
});

describe('a need', () => {
  it('is a name, a label or an amount', () => {
    expect(readNeed('gpu')).toEqual({ kind: 'name', name: 'gpu' });
    expect(readNeed('site=cern')).toEqual({ kind: 'label', name: 'site', label: 'site=cern' });
    const least = { of: 'bytes', milli: 32n * GIB };
    expect(readNeed('memory>=32GiB')).toEqual({ kind: 'amount', name: 'memory', least });
  });

  it.each([
    ['GPU', '"GPU" is no name: 1 to 48 of a-z, 0-9, _ and - (such as "gpu")'],
    ['', 'there is no name'],
    ['=cern', 'there is no name'],
    ['site=', 'there is no value behind ='],
    ['site=a b', 'it holds white space'],
    ['memory >= 32GiB', 'it holds white space'],
    ['memory>32GiB', '">" is no comparison: = compares a label, >= takes an amount'],
    ['memory<=32GiB', '"<=" is no comparison'],
    ['memory!=32GiB', '"!=" is no comparison'],
    ['memory==32GiB', '"==" is no comparison'],
    ['memory>=32gb', '"32gb" is no amount'],
    ['memory>=', '"" is no amount'],
    ['memory>=lots', '"lots" is no amount'],
    ['memory>=0GiB', 'an amount of 0 asks for nothing'],
    ['a'.repeat(49), 'is no name'],
    ['gpü', '"gpü" is no name: 1 to 48 of a-z, 0-9, _ and - (such as "gp-")'],
  ])('%j is refused: %s', (text, problem) => {
    expect(readNeed(text)).toContain(problem);
  });

  it('is refused with its place', () => {
    const error = errorOf(() => checkNeeds('electron "train" (flow.ts:3)', ['gpu', 'memory>32GiB']));
    expect(error).toMatchObject({ code: 'CAPABILITY_INVALID', retryable: false });
    expect(error.message).toBe(
      'electron "train" (flow.ts:3): needs[1] is "memory>32GiB": ">" is no comparison: = compares a label, >= takes an amount; expected a name (gpu), a label (site=cern) or an amount (memory>=32GiB)',
    );
  });
});

describe('an offer', () => {
  it.each(['gpu', 'site=cern', 'memory=64GiB', 'cuda=12.4', 'image=ghcr.io/a/b:1@x'])('%s is taken', (text) => {
    expect(typeof readOffer(text)).toBe('object');
  });

  it.each(['memory>=64GiB', 'memory==1', 'Memory=64GiB', 'site=', 'a b', ''])('%j is refused', (text) => {
    expect(errorOf(() => checkOffers('--capability', ['gpu', text]))).toMatchObject({
      code: 'CAPABILITY_INVALID',
      message: expect.stringContaining(`--capability is ${JSON.stringify(text)}: `),
    });
  });

  it.each([
    ['memory=64GIB', '"64GIB" is no amount'],
    ['memory=64', '"64" has no unit'],
    ['gpus=four', '"four" is no amount'],
    ['cpus=4GiB', 'cpus has no unit'],
  ])('%s is no amount of what agents find by themselves', (text, why) => {
    expect(errorOf(() => checkOffers('--capability', [text]))).toMatchObject({
      code: 'CAPABILITY_INVALID',
      message: expect.stringContaining(`--capability is ${JSON.stringify(text)}: ${why}`),
    });
    expect(() => checkOffers('--capability', ['memory=0.5GiB', 'gpus=0', 'cpus=8', 'gpu', 'disk=many'])).not.toThrow();
  });

  it('is one of at most 900, or no hub could read what its agent says', () => {
    const offers = Array.from({ length: 901 }, (_, i) => `c${i}`);
    expect(errorOf(() => checkOffers('--capability', offers))).toMatchObject({
      code: 'CAPABILITY_INVALID',
      message: '--capability is one of 901; at most 900 can be offered',
    });
    expect(() => checkOffers('--capability', offers.slice(1))).not.toThrow();
  });

  it('of the same name as what was found stands for it; of others it comes besides', () => {
    expect(
      offersOver(['process', 'gpu', 'memory=64GiB', 'cpus=8'], ['memory=8GiB', 'gpu', 'site=a', 'site=b']),
    ).toEqual(['process', 'gpu', 'cpus=8', 'memory=8GiB', 'site=a', 'site=b']);
  });
});

describe('what is offered meets a need', () => {
  it('by name: whatever is offered under it, but for an amount of 0', () => {
    expect([can(['gpu'], 'gpu'), can(['gpus=4'], 'gpus'), can(['site=cern'], 'site')]).toEqual([true, true, true]);
    expect([can(['gpus=0'], 'gpus'), can(['gpus=0'], 'gpus=0'), can([], 'gpu')]).toEqual([false, false, false]);
  });

  it('by label: the same text, one of several values', () => {
    const sites = ['site=cern', 'site=lab', 'python=3.10'];
    expect([can(sites, 'site=cern'), can(sites, 'site=lab'), can(sites, 'site=ral')]).toEqual([true, true, false]);
    expect([can(sites, 'python=3.10'), can(sites, 'python=3.1')]).toEqual([true, false]);
  });

  it('by amount: as much or more of the same kind', () => {
    const has = ['memory=64GiB', 'gpus=4'];
    expect(['memory>=64GiB', 'memory>=65536MiB', 'gpus>=4', 'gpus>=0.5'].map((need) => can(has, need))).toEqual(
      Array.from({ length: 4 }, () => true),
    );
    expect(['memory>=64.001GiB', 'memory>=1', 'gpus>=1B', 'gpus>=4.001', 'disk>=1B'].map((n) => can(has, n))).toEqual(
      Array.from({ length: 5 }, () => false),
    );
    expect(can(['cuda=11', 'cuda=12'], 'cuda>=11')).toBe(false);
  });
});

describe('a ledger', () => {
  const takes = (...needs: string[]) => {
    const read = takesOfTexts(needs);
    if (read === undefined) throw new Error('takes nothing');
    return read;
  };
  const ledger = () => new AmountLedger(offeredBy(['memory=64GiB', 'gpus=4']).amounts);

  it('gives what there is, exactly, and takes it back once', () => {
    const some = ledger();
    const tenth = takes('memory>=6.4GiB');
    const backs = Array.from({ length: 10 }, () => some.take(tenth));
    expect([some.room(tenth, 9), some.room(takes('memory>=1B'), 9)]).toEqual([0, 0]);
    for (const back of backs) {
      back();
      back();
    }
    expect([some.room(tenth, 99), some.room(tenth, 3)]).toEqual([10, 3]);
  });

  it('counts the scarcest of several amounts, and the largest need of one', () => {
    const some = ledger();
    expect(some.room(takes('memory>=8GiB', 'gpus>=1'), 99)).toBe(4);
    expect(some.room(takes('memory>=8GiB', 'memory>=32GiB'), 99)).toBe(2);
    expect(takesOfTexts(['gpu', 'site=cern'])).toBeUndefined();
    some.take(takes('gpus>=3'));
    expect(some.room(takes('memory>=8GiB', 'gpus>=1'), 99)).toBe(1);
    expect(some.state('gpus')?.used.milli).toBe(3_000n);
  });
});
