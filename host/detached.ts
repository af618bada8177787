/**
 * A detached process's side of the pipe to whoever began it: it is told what to be, and says a word when it is ready.
 * Not here: the other side (detach.ts), what it is told.
 */
import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';

export const DETACHED_FD = 3;
export const DETACHED_ENV = 'POLARON_DETACHED_FD';

export interface DetachedChannel {
  /** Waits for it, and nothing else goes on meanwhile. Undefined when whoever began this process went away: it isn't needed. */
  told(): unknown;
  /** Says a word, once; nobody may be there to hear it. */
  tell(word: unknown): void;
}

/** Undefined when nobody waits for this process. Forgets the channel, so that children don't inherit it. */
export function takeDetachedChannel(env: NodeJS.ProcessEnv): DetachedChannel | undefined {
  const fd = Number(env[DETACHED_ENV] ?? Number.NaN);
  delete env[DETACHED_ENV];
  if (fd !== DETACHED_FD) return undefined;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFIFO() && !stat.isSocket()) return undefined;
  } catch {
    return undefined;
  }
  let open = true;
  return {
    told: () => {
      const line = readLine(fd);
      return line === undefined ? undefined : JSON.parse(line);
    },
    tell: (word) => {
      if (!open) return;
      open = false;
      try {
        writeSync(fd, `${JSON.stringify(word)}\n`);
      } catch {
        // whoever waited is gone
      }
      closeSync(fd);
    },
  };
}

/** Undefined when the pipe ends before the line does. */
function readLine(fd: number): string | undefined {
  const piece = Buffer.alloc(4_096);
  const pieces: Buffer[] = [];
  for (;;) {
    const length = readSync(fd, piece);
    if (length === 0) return undefined;
    const end = piece.subarray(0, length).indexOf('\n');
    pieces.push(Buffer.from(piece.subarray(0, end === -1 ? length : end)));
    if (end !== -1) return Buffer.concat(pieces).toString('utf8');
  }
}
