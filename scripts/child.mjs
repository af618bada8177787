/**
 * Starts child processes for the scripts and says how they ended. Not responsible for what they do.
 */
import { spawn } from 'node:child_process';

/**
 * Runs a command to its end with its output kept back. `onLine` hears each line of stdout as it comes.
 * Resolves to `{ code, stdout, output, pid }`, where `output` is stdout and stderr as they came; a signal counts as code 128, a command that can't be started as 127.
 */
export function runFolded(command, args, options = {}) {
  const { onLine, onStart, ...rest } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let output = '';
    let pending = '';
    onStart?.(child);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      output += text;
      pending += text;
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', (error) => {
      resolve({ code: 127, stdout, output: `${output}${error.message}\n` });
    });
    child.on('close', (code) => {
      if (pending !== '') onLine?.(pending);
      resolve({ code: code ?? 128, stdout, output });
    });
  });
}

/** Runs a command with this process's own stdio. Resolves to its exit code; a signal counts as 128, a command that can't be started as 127. */
export function runOpen(command, args, options = {}) {
  const { onStart, ...rest } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', ...rest });
    onStart?.(child);
    child.on('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(127);
    });
    child.on('close', (code) => resolve(code ?? 128));
  });
}

/** The last `count` lines of a text. */
export function tail(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** The first and the last `count` lines of a long text: npm says what went wrong first, and explains itself at length after. */
export function ends(text, count) {
  const lines = text.trimEnd().split('\n');
  if (lines.length <= 2 * count) return lines.join('\n');
  return [...lines.slice(0, count), '...', ...lines.slice(-count)].join('\n');
}
