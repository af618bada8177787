/**
 * `npx tsx bench/electron-machine.ts` (after a build): what one electron's lifecycle costs as an XState actor, with XState's pure `transition`, and with
 * the table that is derived from the same machine. Prints one JSON. The figures of docs/adr/003-electron-machine.md.
 * Not measured: records, messages, anything that an electron actor does besides changing its status.
 */
import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { createActor, StateMachine, transition, type AnyStateMachine } from 'xstate';
import { describeMachine } from './machine.ts';
import { summary, tidy } from './statistics.ts';

const LIFE = ['inputs.ready', 'attempt.assigned', 'attempt.started', 'attempt.completed'];
const LIVES = 20_000;
const HELD = 20_000;
const RUNS = 5;

type NextStatus = (status: string, event: string) => string | undefined;
interface Built {
  readonly electronMachine: AnyStateMachine;
  readonly nextStatus: NextStatus;
}

const isBuilt = (x: unknown): x is Built =>
  typeof x === 'object' &&
  x !== null &&
  'electronMachine' in x &&
  x.electronMachine instanceof StateMachine &&
  'nextStatus' in x &&
  typeof x.nextStatus === 'function';

/** The build's own machine: the package doesn't export it, since users have no use for it. */
async function load(): Promise<Built> {
  const built: unknown = await import(new URL('../dist/actors/machine.js', import.meta.url).href);
  if (isBuilt(built)) return built;
  throw new Error('dist/actors/machine.js has no electronMachine and nextStatus: build first');
}

const { electronMachine, nextStatus } = await load();
setFlagsFromString('--expose-gc');
const collected: unknown = runInNewContext('gc');

const ways: Readonly<Record<string, () => string>> = {
  actor: () => {
    const actor = createActor(electronMachine).start();
    for (const type of LIFE) actor.send({ type });
    return String(actor.getSnapshot().value);
  },
  transition: () => {
    let state = createActor(electronMachine).getSnapshot();
    for (const type of LIFE) [state] = transition(electronMachine, state, { type });
    return String(state.value);
  },
  table: () => {
    let status = 'waiting';
    for (const type of LIFE) status = nextStatus(status, type) ?? 'none';
    return status;
  },
};

/** µs per life. Raises Error when a life doesn't end as it should. */
function timed(life: () => string): number {
  const began = performance.now();
  for (let i = 0; i < LIVES; i++) {
    const end = life();
    if (end !== 'completed') throw new Error(`a life ended as ${end}`);
  }
  return ((performance.now() - began) * 1_000) / LIVES;
}

/** Bytes of heap per thing held. */
function held(make: () => unknown): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const things = Array.from({ length: HELD }, make);
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / things.length;
  return Math.round(bytes);
}

function collect(): void {
  if (typeof collected === 'function') for (let i = 0; i < 3; i++) Reflect.apply(collected, undefined, []);
}

const report: Record<string, unknown> = { machine: describeMachine(), lives: LIVES, runs: RUNS };
for (const [name, life] of Object.entries(ways)) {
  timed(life);
  report[name] = { microsecondsPerLife: summary(Array.from({ length: RUNS }, () => timed(life))) };
}
const alive = (): unknown => {
  const actor = createActor(electronMachine).start();
  for (const type of LIFE.slice(0, 3)) actor.send({ type });
  return actor;
};
report['bytesPerActorHeld'] = held(alive);
report['bytesPerStatusHeld'] = held(() => ({ status: nextStatus('assigned', 'attempt.started') }));
report['actorsPerSecond'] = tidy(1e6 / timed(ways['actor'] ?? (() => '')));
console.log(JSON.stringify(report, null, 2));
