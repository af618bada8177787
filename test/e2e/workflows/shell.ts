/** Leptons of the shell. */
import { lattice, lepton } from 'polaron';

export const hostile = '"; touch hurt; echo $(id) `id` \n\\ * $HOME \'';

const count = lepton<[text: string], string>({
  name: 'count',
  language: 'shell',
  command: 'printf %s "$1" | tr -d "[:space:]" | wc -c | tr -d " "',
});
const echoed = lepton<[text: string, more: { city: string }], string>({
  name: 'echoed',
  language: 'shell',
  command: ['sh', '-c', 'printf "%s|%s|%s" "$1" "$ARG_2" "$ARG_city"', 'sh'],
});
const listed = lepton<[count: number], number[]>({
  name: 'listed',
  language: 'shell',
  command: 'echo "making $1" >&2; printf "[%s]" "$(seq -s , 1 "$1")"',
  output: 'json',
});
const exitCode = lepton<[code: number], number>({
  name: 'exitCode',
  language: 'shell',
  command: 'echo said; exit "$1"',
  output: 'exitCode',
});
const seen = lepton<[], string>({
  name: 'seen',
  language: 'shell',
  command: 'echo "$COLOUR"',
  env: { COLOUR: 'red' },
});

export const shells = lattice(function shells(text: string) {
  const numbers = listed(3);
  return {
    echoed: echoed(text, { city: text }),
    lengths: numbers.map(listed),
    code: exitCode(3),
    colour: seen.with({ env: { COLOUR: 'blue' } })(),
    counted: count(echoed('a', { city: 'b' })),
  };
});

const fails = lepton<[], string>({
  name: 'fails',
  language: 'shell',
  command: 'echo attempt; echo "no such thing" >&2; exit 3',
  retries: { max: 2, delay: 1, retryOn: ['EXIT_3'] },
});
const absent = lepton<[], string>({ name: 'absent', language: 'shell', command: ['no-such-program'] });
const noJson = lepton<[], unknown>({ name: 'noJson', language: 'shell', command: 'echo "{oops"', output: 'json' });
const killed = lepton<[], string>({ name: 'killed', language: 'shell', command: 'kill -SEGV $$' });
const bytes = lepton<[Uint8Array], string>({ name: 'bytes', language: 'shell', command: 'echo' });
const slow = lepton<[], string>({
  name: 'slow',
  language: 'shell',
  command: 'sleep 300 & sleep 300',
  timeout: '400ms',
});

const bad = { fails, absent, noJson, killed, slow };
export const badShell = lattice(function badShell(which: keyof typeof bad | 'bytes') {
  return which === 'bytes' ? bytes(new Uint8Array(3)) : bad[which]();
});

const waits = lepton<[folder: string], string>({
  name: 'waits',
  language: 'shell',
  command: 'echo $$ > "$1/pid"; sleep 300 & echo $! > "$1/child"; wait',
});
export const waiting = lattice(function waiting(folder: string) {
  return waits(folder);
});

const notes: string[] = [];
const hooked = lepton<[string], string>({
  name: 'hooked',
  language: 'shell',
  command: 'printf %s "$1"',
  before: [{ run: () => void notes.push('before') }],
  after: [{ run: () => console.log(`${notes.join()} and after`) }],
});
export const withHooks = lattice(function withHooks(text: string) {
  return hooked(text);
});
