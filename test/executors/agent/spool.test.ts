/** The spool on a real file: P1–P3 of spool.ts. */
import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeBody } from '../../../bus/codec.ts';
import type { FinishedTask } from '../../../bus/protocol/agent.ts';
import { parseDone } from '../../../bus/protocol/wire-agent.ts';
import { encodeDone } from '../../../bus/protocol/write-done.ts';
import { valueInfoOf } from '../../../bus/value/digest.ts';
import { openSpoolFile } from '../../../executors/agent/spool-file.ts';
import { Spool, spoolRecord } from '../../../executors/agent/spool.ts';
import { input, taskId } from '../../support/fake-hub.ts';
import { makeLogList } from '../../support/log-list.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'polaron-spool-'));
  file = join(dir, 'spool');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (log = makeLogList().log): Spool => new Spool(openSpoolFile(file), log);
function finished(id: number, bytes = input(`value ${id}`)): FinishedTask {
  const value = valueInfoOf(bytes);
  return {
    task: taskId(id),
    token: [5, 1],
    inputsDigest: value.digest,
    outcome: {
      status: 'completed',
      value,
      bytes,
      logs: { stdout: `printed ${id}`, stderr: '' },
      usage: { startedAt: 1.5, endedAt: 2.5 },
    },
  };
}

describe('the spool', () => {
  it('gives back after a crash what was appended and not acknowledged', () => {
    const spool = open();
    spool.append(spoolRecord([finished(1), finished(2)]));
    spool.append(spoolRecord([finished(3)]));
    // no close: the process died
    expect(open().outcomes).toEqual([finished(1), finished(2), finished(3)]);
    for (const id of [1, 2, 3]) spool.acknowledge(taskId(id), [5, 1]);
    spool.close();
    expect(open().outcomes).toEqual([]);
  });

  it('gives back every kind of outcome as it was, and each is in the record once', () => {
    const usual = finished(1);
    const { logs: _none, ...plain } = usual.outcome;
    const info = valueInfoOf(Buffer.from('x'));
    const usage = { startedAt: 1, endedAt: 1_700_000_000_000 };
    const all: FinishedTask[] = [
      { ...usual, outcome: plain },
      finished(2),
      { ...usual, task: taskId(3), outcome: { status: 'completed', value: { ...info, length: 0 }, usage } },
      {
        ...usual,
        task: taskId(4),
        outcome: { status: 'completed', value: info, bytes: new Uint8Array(70_000), usage },
      },
      { ...usual, task: taskId(5), outcome: { status: 'failed', error: { code: 'X', message: 'half \ud800' }, usage } },
      { ...usual, task: taskId(6), outcome: { status: 'cancelled', usage } },
    ];
    const record = spoolRecord(all);
    open().append(record);
    const known = open().outcomes;
    expect(known.map(({ task }) => task)).toEqual(all.map(({ task }) => task));
    expect(known[0]).toEqual(all[0]);
    expect(known[2]).toEqual(all[2]);
    expect(known[3]?.outcome.usage).toEqual(usage);
    expect(parseDone(decodeBody(encodeDone(7, record.tasks)))).toEqual({ epoch: 7, outcomes: known });
    const backwards = record.tasks.toReversed();
    expect(parseDone(decodeBody(encodeDone(8, backwards))).outcomes.map(({ task }) => task)).toEqual(
      backwards.map(({ task }) => task),
    );
  });

  it('keeps an outcome when another token of its task is acknowledged', () => {
    const spool = open();
    spool.append(spoolRecord([finished(1)]));
    expect(spool.acknowledge(taskId(1), [5, 2])).toBeUndefined();
    expect(spool.size).toBe(1);
  });

  it('cuts off a torn or corrupt tail, says so, and goes on', () => {
    open().append(spoolRecord([finished(1)]));
    const good = statSync(file).size;
    for (const damage of [
      () => truncateSync(file, statSync(file).size - 3),
      () => appendFileSync(file, Buffer.from([0, 0, 0, 9, 1, 2, 3, 4, 5])),
      () => {
        const bytes = readFileSync(file);
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 1, bytes.length - 2);
        writeFileSync(file, bytes);
      },
    ]) {
      open().append(spoolRecord([finished(2)]));
      damage();
      const logs = makeLogList();
      const again = open(logs.log);
      expect(again.outcomes[0]).toEqual(finished(1));
      expect(logs.entries.map(({ message }) => message).join()).toMatch(/spool: cut off \d+ bytes/);
      again.append(spoolRecord([finished(3)]));
      expect(open().outcomes.at(-1)).toEqual(finished(3));
      truncateSync(file, good);
    }
  });

  it('gives back whole records, and nothing else, wherever it is cut or a byte is wrong', () => {
    const records = [[finished(1)], [finished(2), finished(3)], [finished(4)]];
    const ends = [0];
    const writer = open();
    for (const record of records) {
      writer.append(spoolRecord(record));
      ends.push(statSync(file).size);
    }
    const whole = readFileSync(file);
    /** What must come back when nothing from `at` on can be trusted. */
    const before = (at: number): number =>
      records.slice(0, ends.filter((end) => end > 0 && end <= at).length).flat().length;
    const all = records.flat();
    const reopened = (add?: FinishedTask): readonly FinishedTask[] => {
      const spool = open();
      const { outcomes } = spool;
      if (add !== undefined) spool.append(spoolRecord([add]));
      spool.close();
      return outcomes;
    };
    const tasks = (outcomes: readonly FinishedTask[]): string => outcomes.map(({ task }) => task).join();
    for (let at = 0; at < whole.length; at++) {
      const kept = all.slice(0, before(at));
      writeFileSync(file, whole.subarray(0, at));
      expect(tasks(reopened())).toBe(tasks(kept));
      if (at % 7 > 0) continue;
      const wrong = Buffer.from(whole);
      wrong.writeUInt8(wrong.readUInt8(at) ^ (1 << ((at / 7) % 8)), at);
      writeFileSync(file, wrong);
      expect(tasks(reopened(finished(9)))).toBe(tasks(kept));
      expect(tasks(reopened())).toBe(tasks([...kept, finished(9)]));
    }
    writeFileSync(file, whole);
    expect(reopened()).toEqual(all);
  });

  it('shrinks when everything is acknowledged, and keeps the rest when it is rewritten', () => {
    const spool = open();
    const large = (id: number): FinishedTask => finished(id, input('x'.repeat(60_000)));
    spool.append(spoolRecord([finished(0)]));
    for (let id = 1; id <= 300; id++) {
      spool.append(spoolRecord([large(id)]));
      spool.acknowledge(taskId(id), [5, 1]);
      spool.tidy();
    }
    expect(statSync(file).size).toBeLessThan(9 * 1024 * 1024);
    expect(open().outcomes[0]).toEqual(finished(0));
    spool.append(spoolRecord([finished(400)]));
    expect(open().outcomes.at(-1)).toEqual(finished(400));
    spool.acknowledge(taskId(0), [5, 1]);
    spool.acknowledge(taskId(400), [5, 1]);
    spool.tidy();
    expect(statSync(file).size).toBe(0);
  });
});
