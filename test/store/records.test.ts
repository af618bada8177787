/** Bytes of records: what is written is read back as it was, and so is what an older version wrote. */
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../bus/value/digest.ts';
import { dispatchId } from '../actors/support/hub-world.ts';
import type { ElectronRecord } from '../../model/records.ts';
import {
  decodeAgent,
  decodeAttempt,
  decodeElectron,
  encodeAgent,
  encodeAttempt,
  encodeElectron,
  SCHEMA_VERSION,
} from '../../store/records.ts';

const packr = new Packr({ useRecords: false });
const digest = digestOf(new Uint8Array([1]));
const record: ElectronRecord = {
  status: 'retrying',
  attempt: 3,
  failures: 2,
  losses: 1,
  seq: 7,
  token: [100, 3],
  agent: 'lab.a1',
  inputsDigest: digest,
  startedAt: 5,
  retryAt: 90,
  error: { code: 'TASK_THREW', message: 'no' },
};

it('an agent’s record is read as it was written; an older one says only that it was lost', () => {
  expect(decodeAgent(encodeAgent(7))).toEqual({ epoch: 7 });
  expect(decodeAgent(encodeAgent(7, 'f.boot', 1_234))).toEqual({ epoch: 7, instance: 'f.boot', lostAt: 1_234 });
  expect(decodeAgent(packr.pack([4, 7, 'f.boot', true]))).toEqual({ epoch: 7, instance: 'f.boot', lostAt: 0 });
});

describe('an electron record', () => {
  it('is read as it was written', () => {
    const rich: ElectronRecord = { ...record, queueDue: 11, totalDue: 12, lostWith: ['lab.a1', 'lab.a2'] };
    const reused: ElectronRecord = { ...record, from: { dispatch: dispatchId(3), node: 4 } };
    for (const one of [record, rich, { ...record, totalDue: 12 }, reused, { ...reused, totalDue: 1 }] as const)
      expect(decodeElectron(encodeElectron(one))).toEqual(one);
  });

  it('of schema version 1, which knew no due times and no agents that were lost, is read too', () => {
    const old = [1, 4, 3, 2, 1, 7, [100, 3], 'lab.a1', digest, 5, null, 90, null, record.error, null];
    expect(decodeElectron(packr.pack(old))).toStrictEqual(record);
  });

  it('costs nothing more without them', () => {
    const fields: unknown = packr.unpack(encodeElectron(record));
    expect(fields).toHaveLength(15);
  });

  it('of a newer version is refused', () => {
    expect(() => decodeElectron(packr.pack([SCHEMA_VERSION + 1, 4, 3, 2, 1, 7]))).toThrow(/written by schema version/);
  });
});

describe('an attempt record', () => {
  it('is read as it was written', () => {
    const lost = {
      status: 'lost',
      agent: 'lab.a1',
      endedAt: 9,
      error: { code: 'AGENT_LOST', message: 'gone' },
    } as const;
    expect(decodeAttempt(encodeAttempt(lost))).toEqual(lost);
  });
});
