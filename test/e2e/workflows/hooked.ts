/** Electrons with hooks and variables of their own: each says what it saw of them. */
import { after, context, electron, lattice, lepton } from 'polaron';
import { outside } from './hooked-outside.ts';

interface Db {
  readonly name: string;
  readonly attempt: number;
}
async function openDb(name: string): Promise<Db> {
  return { name, attempt: context().attempt };
}
class Unplugged extends Error {}
function checkPower(): void {
  if (context().attempt === 1) throw new Unplugged('no power');
}

export const query = electron(
  { before: [{ run: openDb, args: ['main'], as: 'db' }], after: [{ run: () => console.log('closed') }] },
  function query(x: number): { readonly x: number; readonly db: unknown } {
    return { x, db: context().injected['db'] };
  },
);
export const plain = electron(function plain(): readonly string[] {
  return Object.keys(context().injected);
});
export const queries = lattice(function queries() {
  return [query(1), plain(), query(2)];
});

export const powered = electron(
  { before: [{ run: () => undefined }, { run: checkPower }] },
  function powered(): number {
    return context().attempt;
  },
);
export const stubborn = powered.with({ retries: { max: 1, delay: 0, retryOn: ['Unplugged'] } });
export const unplugged = lattice(function unplugged() {
  return powered();
});
export const pluggedLater = lattice(function pluggedLater() {
  return stubborn();
});

export const spoilt = electron(
  { after: [{ run: () => console.log('noted') }, { run: () => JSON.parse('{') }] },
  function spoilt(): number {
    return 1;
  },
);
export const spoils = lattice(function spoils() {
  return spoilt();
});

export const region = electron({ env: { REGION: 'eu', TZ: 'Asia/Tokyo' } }, function region(): readonly unknown[] {
  return [process.pid, process.env['REGION'], process.env['TZ'], new Date(0).getHours()];
});
export const bare = electron(function bare(): readonly unknown[] {
  return [process.pid, process.env['REGION'], process.env['TZ']];
});
/** One slot's process runs them one after the other. */
export const regions = lattice({ electrons: { env: { REGION: 'us' } } }, function regions() {
  const own = region();
  return [own, after(own, () => bare()), after(own, () => bare.with({ env: {} })())];
});

const shell = lepton<[], string>({ name: 'shellGreets', language: 'shell', command: 'echo hello' });
export const inherited = lattice(
  {
    electrons: {
      before: [{ run: openDb, args: ['all'], as: 'db' }],
      after: [{ run: () => console.log('closed all') }],
    },
  },
  function inherited() {
    return [plain(), query(3), outside(), shell()];
  },
);
/** All of its electrons are of another module. */
export const outsiders = lattice(
  { electrons: { before: [{ run: openDb, args: ['far'], as: 'db' }] } },
  function outsiders() {
    return outside();
  },
);

const name = electron(function name(): string {
  return 'drawn later';
});
const unhooked = plain.with({ name: 'unhooked', before: [] });
/** Drawn on an agent, with hooks that are its own. */
const inner = lattice(
  { electrons: { before: [{ run: (): number => 5, as: 'inner' }] } },
  function inner(value: string) {
    return [value, plain(), unhooked()];
  },
);
export const nested = lattice({ electrons: { before: [{ run: (): number => 6, as: 'outer' }] } }, function nested() {
  return [inner(name()), plain()];
});

/** Made inside a function, where no agent gets to. */
export const makeLate = () =>
  lattice({ electrons: { before: [{ run: openDb }] } }, function late() {
    return plain();
  });
