/** How what an electron wrote is printed: as it is, or a line each with the electron's name, or as JSON. Not here: asking for it (commands/logs.ts). */
import type { ElectronView } from '../bus/protocol/api.ts';
import { entriesOf, entryText, type Stream } from '../model/log-entry.ts';
import { writeJson } from './context.ts';
import type { Context } from './context.ts';
import { paint, plain } from './style.ts';
import { iso, localTime } from './times.ts';

const endLine = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

const linesOf = (text: string): readonly string[] => (text === '' ? [] : endLine(text).slice(0, -1).split('\n'));

const marks = { stdout: '|', stderr: '!', log: '>' } as const;

export class LogWriter {
  readonly #context: Context;
  readonly #named: boolean;

  /** `named`: each line begins with the electron's name. JSON always has it. */
  constructor(context: Context, named: boolean) {
    this.#context = context;
    this.#named = named;
  }

  write(electron: ElectronView, stream: Stream, text: string): void {
    if (this.#context.json) this.#json(electron, stream, text);
    else if (stream !== 'log' && !this.#named) this.#context.terminal.raw(endLine(text));
    else for (const line of this.#lines(stream, text)) this.#line(electron, stream, line);
  }

  #lines(stream: Stream, text: string): readonly string[] {
    if (stream !== 'log') return linesOf(text);
    return entriesOf(text).map((entry) => `${localTime(entry.at).slice(11)} ${plain(entryText(entry))}`);
  }

  #line({ name }: ElectronView, stream: Stream, line: string): void {
    const { terminal } = this.#context;
    const mark =
      stream === 'stdout' ? marks.stdout : paint(marks[stream], stream === 'log' ? 'dim' : 'yellow', terminal.colour);
    terminal.out(this.#named ? `${plain(name)} ${mark} ${line}` : line);
  }

  #json({ id: node, name: electron }: ElectronView, stream: Stream, text: string): void {
    if (stream !== 'log')
      for (const line of linesOf(text)) writeJson(this.#context, { node, electron, stream, text: line });
    else
      for (const { at, ...entry } of entriesOf(text))
        writeJson(this.#context, { node, electron, stream, at: iso(at), ...entry });
  }
}
