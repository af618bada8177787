/** A packed job that can't be run is answered, with the reason; what isn't one, too. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { runPacked } from '../../../executors/function/run-packed.ts';
import { acceptAnswer } from '../../../executors/job/accepted-answer.ts';
import { ANSWER_START, records } from '../../../executors/job/answer.ts';
import { OutcomeReader } from '../../../executors/job/outcome-reader.ts';
import { packageVersion } from '../../../executors/program.ts';
import { FrameBatch } from '../../../executors/runner/frames.ts';
import { OUTCOME_FILE } from '../../../executors/runner/job-files.ts';
import type { FromRunner } from '../../../executors/runner/messages.ts';
import { writeFromRunner } from '../../../executors/runner/wire-runner.ts';

const folder = mkdtempSync(join(tmpdir(), 'polaron-packed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A packed job with this head and content. */
function packed(head: object, content: Uint8Array = Buffer.alloc(0)): Uint8Array {
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return gzipSync(Buffer.concat([Buffer.from('polaron-job/1\n'), length, json, content]));
}

const batch = new FrameBatch(writeFromRunner);
const frames = (message: FromRunner): Buffer => {
  batch.add(message);
  return Buffer.concat(batch.take());
};
/** Written to standard output past its runner. */
const past = (text: string): Iterable<Uint8Array> =>
  records('past', frames({ type: 'log', task: '', stream: 'stdout', text }));

/** What its agent is told. */
async function answerTo(job: Uint8Array): Promise<string> {
  const place = { dir: folder, maxValueBytes: 1_000, output: () => undefined };
  try {
    await acceptAnswer(runPacked(job, { folder }), place);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'it was run';
}

it('says that agent and function are of different versions', async () => {
  expect(await answerTo(packed({ version: '9.9.9', files: [] }))).toContain(
    `the job is of polaron 9.9.9, the function has ${packageVersion()}`,
  );
});

it('takes no file but those of a job, and nothing that is no job', async () => {
  const version = packageVersion();
  for (const name of ['../outside', '/etc/passwd', 'inputs/../../x', 'inputs/a'])
    expect(await answerTo(packed({ version, files: [{ name, size: 0 }] }))).toContain(name);
  expect(await answerTo(packed({ version, files: [{ name: 'job', size: 10 }] }))).toContain('of 10 bytes');
  expect(await answerTo(randomBytes(1_000))).toContain('no packed job');
  expect(await answerTo(gzipSync('hello'))).toContain('no packed job');
  // its folders are gone
  expect(readdirSync(folder)).toEqual([]);
});

it('holds an answer to the size of a value, and to the one file that it brings', async () => {
  const place = { dir: folder, maxValueBytes: 1_000, output: () => undefined };
  const large = Buffer.concat([ANSWER_START, ...records('value', Buffer.alloc(1_001))]);
  await expect(acceptAnswer(large, place)).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' });
  await expect(acceptAnswer(Buffer.from('polaron-out'), place)).rejects.toMatchObject({ code: 'JOB_FAILED' });
  await expect(acceptAnswer(Buffer.concat([ANSWER_START, Buffer.alloc(5, 0xff)]), place)).rejects.toMatchObject({
    code: 'JOB_FAILED',
  });
});

it('takes an answer however much was printed, and keeps little of it', async () => {
  const dir = mkdtempSync(join(folder, 'much-'));
  const text = 'x'.repeat(128 * 1024);
  const printed = Buffer.concat([...records('frames', frames({ type: 'log', task: 't', stream: 'stdout', text }))]);
  const wrotePast = Buffer.concat([...past(text)]);
  const finished = {
    task: 't',
    startedAt: 1,
    endedAt: 2,
    scratchUsed: false,
    result: { status: 'cancelled' },
  } as const;
  let heard = 0;
  async function* answer(): AsyncGenerator<Uint8Array> {
    yield ANSWER_START;
    // 300 MiB each way
    for (let i = 0; i < 2_400; i++) {
      yield printed;
      yield wrotePast;
    }
    yield* records('frames', frames({ ...finished, type: 'finished' }));
    yield* records('end', Buffer.from('{"exitCode":0}'));
  }
  const place = { dir, maxValueBytes: 1_000, output: (_stream: string, more: string) => void (heard += more.length) };
  expect(await acceptAnswer(answer(), place)).toEqual({ code: 0, signal: null });
  expect(heard).toBe(2_400 * text.length);
  const types: string[] = [];
  let chars = 0;
  new OutcomeReader(dir, (message) => {
    types.push(message.type);
    if (message.type === 'log') chars += message.text.length + (message.skipped ?? 0);
  }).readToEnd();
  expect(types.at(-1)).toBe('finished');
  expect(chars).toBe(2_400 * text.length);
  expect(statSync(join(dir, OUTCOME_FILE)).size).toBeLessThan(1_200_000);
  rmSync(dir, { recursive: true });
});

it('hears what comes in single bytes as what comes at once', async () => {
  const heard: string[] = [];
  const place = {
    dir: folder,
    maxValueBytes: 1_000,
    output: (stream: string, said: string) => void heard.push(`${stream} ${said}`),
  };
  const whole = Buffer.concat([ANSWER_START, ...past('né'), ...records('end', Buffer.from('{"signal":"SIGSEGV"}'))]);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const byte of whole) yield Buffer.from([byte]);
  }
  expect(await acceptAnswer(bytes(), place)).toEqual({ code: null, signal: 'SIGSEGV' });
  expect(heard).toEqual(['stdout né']);
});
