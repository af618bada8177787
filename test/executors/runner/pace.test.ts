/** What a job's runner leaves of its electron's words: bounded, and what is kept of it in the end is as if all had come. Pure. */
import { beforeEach, describe, expect, it } from 'vitest';
import { JobOutput } from '../../../executors/job/job-output.ts';
import type { FromRunner } from '../../../executors/runner/messages.ts';
import { isSaid, Pace, type Said } from '../../../executors/runner/pace.ts';
import { HEAD_CHARS, streamFrom, TAIL_CHARS } from '../../../model/log-entry.ts';
import type { TaskLogs } from '../../../model/outcome.ts';

const MANY = 1024 * 1024;
let now: number;
let passed: Said[];
let pace: Pace;
beforeEach(() => {
  now = 0;
  passed = [];
  pace = new Pace(
    () => now,
    (said) => passed.push(said),
  );
});

const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout'): Said => ({ type: 'log', task: 't', stream, text });
const textOf = (message: FromRunner): string => (message.type === 'log' ? message.text : '');
const chars = (): number => passed.reduce((sum, said) => sum + textOf(said).length, 0);
/** As its agent keeps it, and tells those who watch. */
function heard(all: readonly Said[]): { readonly logs: TaskLogs | undefined; readonly live: string } {
  const output = new JobOutput();
  let live = '';
  for (const said of all)
    if (said.type === 'log') {
      output.add(said.stream, said.text, said.skipped);
      for (const { text } of output.take()) live += text;
    }
  return { logs: output.logs(), live };
}
/** Numbered, so that each place in the text can be told from the others. */
function* words(count: number): Generator<string> {
  for (let i = 0; i < count; i++) yield `${i} ${'x'.repeat(990)}\n`;
}

describe('what an electron writes', () => {
  it('passes at once, each by itself, up to a MiB of each stream', () => {
    for (const text of words(1_000)) pace.add(line(text), true);
    pace.add(line('an error', 'stderr'), true);
    expect(passed.map(textOf).join('')).toBe(`${[...words(1_000)].join('')}an error`);
    expect(passed).toHaveLength(1_001);
    pace.end();
    expect(passed).toHaveLength(1_001);
    pace.add(line('y'.repeat(100_000), 'stderr'), true);
    expect(textOf(passed.at(-1) ?? line(''))).toHaveLength(100_000);
  });

  it('then about a thousand characters a second, the newest', () => {
    for (const text of words(2_000)) pace.add(line(text), true);
    const before = chars();
    expect(before).toBeGreaterThan(MANY - 2_000);
    expect(before).toBeLessThan(MANY + 2_000);
    for (const text of words(100_000)) {
      now += 1;
      pace.add(line(text), true);
    }
    expect(chars() - before).toBeGreaterThan(90_000);
    expect(chars() - before).toBeLessThan(110_000);
    expect(textOf(passed.at(-1) ?? line(''))).toContain('\n99');
  });

  it('and what is kept of it is as if all had come', () => {
    const all: string[] = [];
    for (const text of words(3_000)) {
      now += 5;
      all.push(text);
      pace.add(line(text), true);
    }
    pace.end();
    const whole = all.join('');
    const left = whole.length - HEAD_CHARS - TAIL_CHARS;
    const { logs, live } = heard(passed);
    expect(logs?.stdout).toBe(
      `${whole.slice(0, HEAD_CHARS)}\n… ${left} characters left out …\n${whole.slice(-TAIL_CHARS)}`,
    );
    // nobody is told anything twice
    expect(live.length).toBeLessThan(whole.length);
    expect(new Set(live.match(/^\d+ /gm)).size).toBe(live.match(/^\d+ /gm)?.length);
  });

  it('is held while there is no room for it, and is there when there is', () => {
    pace.add(line('a\n'), false);
    pace.add(line('b\n'), false);
    expect(passed).toEqual([]);
    expect(pace.flush()).toBe(false);
    expect(passed).toEqual([line('a\nb\n')]);
  });

  it('comes by itself when nothing more is written', () => {
    for (const text of words(1_100)) pace.add(line(text), true);
    const before = passed.length;
    expect(pace.flush()).toBe(true);
    expect(passed).toHaveLength(before);
    now += 2_000;
    expect(pace.flush()).toBe(false);
    expect(textOf(passed[before] ?? line(''))).toMatch(/\n1099 x+\n$/);
    pace.end();
    const whole = [...words(1_100)].join('');
    expect(heard(passed).logs?.stdout.endsWith(whole.slice(-TAIL_CHARS))).toBe(true);
    pace.end();
  });

  it('is the same when it is bounded twice', () => {
    const agent: Said[] = [];
    let later = 0;
    const second = new Pace(
      () => later,
      (said) => agent.push(said),
    );
    const all: string[] = [];
    for (const text of words(3_000)) {
      now += 5;
      // its clock is slow: it is the one that leaves out more
      later += 1;
      all.push(text);
      pace.add(line(text), true);
      for (const said of passed.splice(0)) second.add(said, true);
    }
    pace.end();
    for (const said of passed) if (isSaid(said)) second.add(said, true);
    second.end();
    const whole = all.join('');
    const left = whole.length - HEAD_CHARS - TAIL_CHARS;
    expect(heard(agent).logs?.stdout).toBe(
      `${whole.slice(0, HEAD_CHARS)}\n… ${left} characters left out …\n${whole.slice(-TAIL_CHARS)}`,
    );
  });

  it('is told once to who follows what is kept, with a mark for what is left out', () => {
    const output = new JobOutput();
    pace = new Pace(
      () => now,
      (said) => {
        if (said.type === 'log') output.add(said.stream, said.text, said.skipped);
      },
    );
    let end = 0;
    let followed = '';
    const follow = (): void => {
      const next = streamFrom(output.logs()?.stdout ?? '', end);
      end = next.end;
      followed += next.text;
    };
    for (const text of words(4_000)) {
      now += 100;
      pace.add(line(text), true);
      follow();
    }
    pace.end();
    follow();
    const numbers = [...followed.matchAll(/^(\d+) x/gm)].map(([, number]) => Number(number));
    expect(numbers.length).toBeGreaterThan(1_000);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(followed).toMatch(/\n… \d+ characters left out …\n/);
    expect(followed.endsWith([...words(4_000)].at(-1) ?? '')).toBe(true);
  });

  it('is told from where there was room again, when there was none from the first word on', () => {
    for (const text of words(200)) pace.add(line(text), false);
    pace.flush();
    pace.add(line('the end'), true);
    pace.end();
    const { logs } = heard(passed);
    expect(logs?.stdout).toMatch(/^\n… \d+ characters left out …\n/);
    expect(logs?.stdout).toMatch(/the end$/);
  });
});

describe('how far an electron is', () => {
  it('is told four times a second, and in the end', () => {
    for (let i = 0; i <= 1_000; i++) {
      pace.add({ type: 'progress', task: 't', fraction: i / 1_000, note: '' }, true);
      now += 1;
    }
    pace.end();
    expect(passed.map((said) => (said.type === 'progress' ? said.fraction : undefined))).toEqual([
      0, 0.25, 0.5, 0.75, 1,
    ]);
    pace.end();
    expect(passed).toHaveLength(5);
  });
});
