/**
 * `polaron decode [SUBJECT]`: one message of the bus, from stdin, in clear. `nats sub --translate` runs it for every message, so it loads next to nothing and fails of nothing.
 * Not here: what a message is (bus/protocol/clear-message.ts).
 */
import { clearMessage, type ClearMessage } from '../../bus/protocol/clear-message.ts';
import { jsonText } from '../json-text.ts';
import { plain } from '../style.ts';
import { Coded, valueToJson } from '../value-json.ts';

export interface DecodeArguments {
  readonly subject?: string | undefined;
  readonly json: boolean;
}

/** What is printed of it. */
export function decoded(message: Uint8Array, { subject, json }: DecodeArguments): string {
  const stranger = (codec: string, content: unknown): object => new Coded(codec, content);
  const clear = clearMessage(message, { subject, show: valueToJson, stranger });
  if (json) return `${JSON.stringify(clear)}\n`;
  const { body } = clear;
  const text = body === undefined ? '' : `${typeof body === 'string' ? plain(body) : jsonText(body)}\n`;
  return `${plain(titleOf(clear))}\n${text}`;
}

/** `between actors, mirrored: attempt.finished, from n1.matchmaker.main, by hub.n1, 512 bytes` */
function titleOf({ kind, type, from, by, key, bytes }: ClearMessage): string {
  const parts = [
    type === undefined ? kind : `${kind}: ${type}`,
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(by === undefined ? [] : [`by ${by}`]),
    ...(key === undefined ? [] : [`signed with ${key}`]),
    `${bytes} bytes`,
  ];
  return parts.join(', ');
}

/** Reads stdin to its end, and prints. Resolves when that is done, also when the reader of our output went away. */
export async function decode(
  { stdin, stdout }: Pick<NodeJS.Process, 'stdin' | 'stdout'>,
  args: DecodeArguments,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  stdout.on('error', () => undefined); // nobody is left to tell
  await new Promise<void>((resolve) => {
    stdout.write(decoded(Buffer.concat(chunks), args), () => resolve());
  });
}

/** The arguments of a call that is nothing but plain: anything else goes through the parser, which knows what to say. */
export function plainDecode(words: readonly string[]): DecodeArguments | undefined {
  const [subject, ...more] = words.filter((word) => word !== '--json');
  if (more.length > 0 || words.some((word) => word.startsWith('-') && word !== '--json')) return undefined;
  return { subject, json: words.includes('--json') };
}
