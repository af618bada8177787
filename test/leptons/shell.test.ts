/** The shell driver by itself: what becomes an argument, what becomes a result, and its bounds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runShell } from '../../leptons/shell.ts';
import type { ShellSpec } from '../../model/lepton.ts';
import { TestHost } from './host.ts';

const spec = (command: ShellSpec['command'], output: ShellSpec['output'] = 'stdout'): ShellSpec => ({
  language: 'shell',
  name: 'it',
  command,
  output,
});
const run = (command: ShellSpec['command'], args: readonly unknown[] = [], output: ShellSpec['output'] = 'stdout') =>
  runShell(spec(command, output), args, new TestHost());

describe('arguments', () => {
  it('are texts: numbers and booleans as JavaScript writes them, nothing for nothing, JSON for objects', async () => {
    const args = [1.5, true, 12n, null, undefined, '', { a: [1, 'é'] }, [1, null]];
    const found = await run(['sh', '-c', 'for a in "$@"; do printf "<%s>" "$a"; done', 'sh'], args);
    expect(found).toBe('<1.5><true><12><><><><{"a":[1,"é"]}><[1,null]>');
  });

  it('are variables, of an object its keys too; other variables can not be set by them', async () => {
    const object = { city: 'Åbo; rm -rf /', PATH: '/hurt', 'not a name': 1, nested: { x: 1 } };
    const found = await run('printf "%s|%s|%s|%s" "$ARG_1" "$ARG_city" "$ARG_nested" "${PATH#*hurt}"', [object]);
    expect(found).toBe(`${JSON.stringify(object)}|Åbo; rm -rf /|{"x":1}|${process.env['PATH']}`);
  });

  it.each([
    ['bytes', [new Uint8Array(2)], 'argument 1 is or holds a Uint8Array'],
    ['a date in an object', [1, { when: [new Date(0)] }], 'argument 2 is or holds a Date'],
    ['a bigint in an object', [{ n: 1n }], 'argument 1 is or holds a bigint'],
    ['a zero byte', ['a\0b'], 'argument 1 is or holds a text with a zero byte'],
    ['more than a command line holds', ['x'.repeat(3_000_000)], 'too long for a command line'],
  ])('that are %s are refused', async (_, args, message) => {
    await expect(run('true', args)).rejects.toMatchObject({
      code: 'LEPTON_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });
});

describe('the result', () => {
  it('is all of stdout without the line ends at its end, however much it is', async () => {
    expect(await run('printf "a\\n\\nb\\n\\n"')).toBe('a\n\nb');
    const long = await run('head -c 20000000 /dev/zero | tr "\\0" x; echo');
    expect(typeof long === 'string' ? long.length : long).toBe(20_000_000);
  });

  it('waits for what still writes when the command itself has ended', async () => {
    expect(await run('(sleep 0.3; echo late) & echo early')).toBe('early\nlate');
  });

  it('is refused above 64 MiB, and the command ends then', async () => {
    await expect(run('yes')).rejects.toMatchObject({ code: 'LEPTON_OUTPUT' });
  });

  it('is refused when it is no text', async () => {
    await expect(run('printf "\\377"')).rejects.toMatchObject({ code: 'LEPTON_OUTPUT' });
  });

  it('is JSON or an exit code where that is asked for', async () => {
    expect(await run('echo "{\\"a\\": [1, null]}"', [], 'json')).toEqual({ a: [1, null] });
    expect(await run('exit 7', [], 'exitCode')).toBe(7);
  });

  it('of a command that fails is an error with its exit code and the end of stderr, which is heard live', async () => {
    const host = new TestHost();
    const ended = runShell(spec('echo first >&2; sleep 0.2; yes wrong | head -n 10000 >&2; exit 9'), [], host);
    const failed = expect(ended).rejects.toMatchObject({
      name: 'CommandFailed',
      code: 'EXIT_9',
      message: expect.stringMatching(/^lepton "it": its command ended with exit code 9: [\s\S]{0,4100}wrong$/),
    });
    while (host.stderr === '') await sleep(1);
    expect(host.stderr).toBe('first\n');
    await failed;
    expect(host.stderr.length).toBe(60_006);
  });
});

it('a cancel ends it at once, though what it started holds its output', async () => {
  const host = new TestHost();
  const ended = runShell(spec('echo on >&2; sleep 5 & sleep 5'), [], host);
  while (host.stderr === '') await sleep(1);
  const began = performance.now();
  host.cancel('enough');
  await expect(ended).rejects.toThrow('enough');
  expect(performance.now() - began).toBeLessThan(4_000);
});
