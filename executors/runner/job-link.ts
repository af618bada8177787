/**
 * The link of a runner that runs one job and ends: messages are read from a file of the job's folder, answers appended to another. Nobody listens on the other side,
 * so each batch is written when it is there. While the disk is full, what the electron says is left out, and its end is not. Not here: what the messages mean (runner.ts),
 * the folder (job/job-folder.ts), how much an electron may say (pace.ts), how it gets onto the disk (outcome-file.ts).
 */
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { FrameBatch, FrameReader } from './frames.ts';
import { JOB_FILE } from './job-files.ts';
import type { Link } from './link.ts';
import { isLast, type FromRunner, type RunTask, type ToRunner } from './messages.ts';
import { OutcomeFile } from './outcome-file.ts';
import { isSaid, Pace } from './pace.ts';
import { systemMs } from './system-clock.ts';
import { readToRunner, writeFromRunner } from './wire-runner.ts';

/** What was held is looked at again. */
const AGAIN_MS = 250;

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
  /** It can't be written. */
  lost(why: unknown): void;
}

/** An electron that is not as it was is an outcome, too: it isn't run. Raises the system's error when the disk has no room for an outcome. */
export function openJobLink(folder: string, listener: JobListener): Link {
  const file = new OutcomeFile(folder);
  const batch = new FrameBatch(writeFromRunner);
  const pace = new Pace(systemMs, (said) => batch.add(said));
  let last: FromRunner | undefined;
  let closed = false;
  let later: NodeJS.Timeout | undefined;
  const write = (): void => {
    const end = last;
    if (end === undefined) return file.write(batch.take());
    closed = true;
    file.end(batch.take(), () => {
      batch.add(end);
      return batch.take();
    });
    listener.finished();
  };
  const flush = (): void => {
    if (closed) return;
    try {
      const holds = file.full || pace.flush();
      write();
      // its electron may say nothing more for long
      if (holds && !closed)
        later ??= setTimeout(() => {
          later = undefined;
          flush();
        }, AGAIN_MS).unref();
    } catch (error) {
      closed = true;
      listener.lost(error);
    }
  };
  return {
    send: (message: FromRunner) => {
      if (isSaid(message)) return pace.add(message, !file.full);
      if (isLast(message)) {
        pace.end();
        last = message;
      }
      batch.add(message);
      if (message.type === 'indexed' && last === undefined) listener.ready();
    },
    save: flush,
    flush,
    flushSync: () => {
      pace.end();
      flush();
    },
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
