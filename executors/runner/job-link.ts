/**
 * The link of a runner that runs one job and ends: messages are read from a file of the job's folder, answers appended to another. Nobody listens on the other side,
 * so each batch is written when it is there. Not here: what the messages mean (runner.ts), the folder (job/job-folder.ts).
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { FrameBatch, FrameReader } from './frames.ts';
import { JOB_FILE, OUTCOME_FILE } from './job-files.ts';
import type { Link } from './link.ts';
import type { FromRunner, RunTask, ToRunner } from './messages.ts';
import { readToRunner, writeFromRunner } from './wire-runner.ts';

/** The messages of a job, in order. Raises the system's error, and BAD_MESSAGE. */
export function readJob(folder: string): readonly ToRunner[] {
  const messages: ToRunner[] = [];
  new FrameReader(readToRunner, (message) => messages.push(located(folder, message))).feed(
    readFileSync(join(folder, JOB_FILE)),
  );
  return messages;
}

export const isRun = (message: ToRunner): message is RunTask => message.type === 'run';

export interface JobListener {
  /** Its electrons were checked, and are as they were in the user's process. */
  ready(): void;
  /** The outcome is on disk. */
  finished(): void;
}

/** An electron that is not as it was is an outcome, too: it isn't run. */
export function openJobLink(folder: string, listener: JobListener): Link {
  const file = openSync(join(folder, OUTCOME_FILE), 'a', 0o600);
  const batch = new FrameBatch(writeFromRunner);
  let over = false;
  let closed = false;
  const flush = (): void => {
    if (closed || batch.empty) return;
    for (const part of batch.take()) for (let at = 0; at < part.length; ) at += writeSync(file, part, at);
    if (!over) return;
    fsyncSync(file);
    closeSync(file);
    closed = true;
    listener.finished();
  };
  return {
    send: (message: FromRunner) => {
      batch.add(message);
      if (message.type === 'finished' || message.type === 'load-failed') over = true;
      else if (message.type === 'indexed')
        if (message.errors.length > 0) over = true;
        else listener.ready();
    },
    save: flush,
    flush,
    flushSync: flush,
  };
}

/** Its files are below the folder, wherever that is by now. */
function located(folder: string, message: ToRunner): ToRunner {
  const at = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
  if (message.type === 'load' && message.bundleFile !== undefined)
    return { ...message, bundleFile: at(message.bundleFile) };
  if (!isRun(message)) return message;
  return { ...message, inputs: message.inputs.map((i) => (i instanceof Uint8Array ? i : { file: at(i.file) })) };
}
