/** Reads what electrons noted (electrons.ts), as far as it was written: again and again while they run. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { Execution } from './account.ts';

export class Notes {
  readonly file: string;
  readonly executions: Execution[] = [];
  readonly #byMark = new Map<string, Execution>();
  readonly #open = new Set<Execution>();
  #at = 0;
  #rest = '';

  constructor(file: string) {
    this.file = file;
  }

  /** Executions that began and didn't end, of processes that `lives`. */
  running(lives: (pid: number) => boolean): readonly Execution[] {
    this.read();
    return [...this.#open].filter(({ pid }) => lives(pid));
  }

  /** Takes in what was written since. Raises RangeError for a line that no electron writes. */
  read(): void {
    if (!existsSync(this.file)) return;
    const fd = openSync(this.file, 'r');
    try {
      const chunk = Buffer.alloc(1024 * 1024);
      for (;;) {
        const read = readSync(fd, chunk, 0, chunk.length, this.#at);
        if (read === 0) return;
        this.#at += read;
        const lines = (this.#rest + chunk.toString('latin1', 0, read)).split('\n');
        this.#rest = lines.pop() ?? '';
        for (const line of lines) this.#take(line);
      }
    } finally {
      closeSync(fd);
    }
  }

  #take(line: string): void {
    const [kind, dispatch, task, node, attempt, pid, agent, at, mark, given] = line.split(' ');
    if (dispatch === undefined || task === undefined || node === undefined || mark === undefined || given === undefined)
      throw new RangeError(`not a note: ${JSON.stringify(line)}`);
    if (kind === 'begin') {
      const execution: Execution = {
        dispatch,
        task,
        node,
        attempt: Number(attempt),
        pid: Number(pid),
        agent: Number(agent),
        began: Number(at),
        mark,
        given: given === '' ? [] : given.split(','),
      };
      this.executions.push(execution);
      this.#byMark.set(mark, execution);
      this.#open.add(execution);
      return;
    }
    const execution = this.#byMark.get(mark);
    if (execution === undefined || (kind !== 'end' && kind !== 'fail' && kind !== 'abort'))
      throw new RangeError(`not a note: ${JSON.stringify(line)}`);
    execution.ended = { how: kind, at: Number(at) };
    this.#open.delete(execution);
  }
}
