/**
 * A network of a test's own: machines, each a network namespace of Linux, on a switch that is one, too. They reach one another and nothing else, and no other
 * test or program of this computer sees them. Names hold the pid of the test: what a killed test left is removed by the next one that begins.
 * Not here: what runs on the machines, a way in for the test itself (tunnel.ts).
 *
 * Each machine knows the way to every other for good, as behind a router: what is sent to one that is cut off vanishes, and nobody is told.
 */
import { execFileSync } from 'node:child_process';
import { processInfo } from '../../executors/process/process-table.ts';

const NAME = /^polaron-(\d+)-/;
/** For documentation (RFC 5737): nobody has an address there. */
const NET = '192.0.2';

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });

/** The bridge's name in its namespace. */
const SWITCH = 'switch';

let networks = 0;

/** What can be a wire that leads nowhere: `cable`: it is pulled out, and both ends see that there is no signal; `hole`: somewhere between, and nobody sees it. */
export type Cut = 'cable' | 'hole';

export interface Machine {
  readonly address: string;
  /** Put before a command, this makes it run there. */
  readonly within: readonly string[];
  cut(how: Cut): void;
  heal(): void;
}

export class Network {
  readonly #prefix = `polaron-${process.pid}-${++networks}-`;
  readonly #switch = `${this.#prefix}switch`;
  readonly #machines: { readonly name: string; readonly address: string; readonly mac: string }[] = [];

  /** Raises Error where we may not make one. */
  constructor() {
    removeOfTheDead();
    ip('netns', 'add', this.#switch);
    this.#onSwitch('link', 'add', SWITCH, 'type', 'bridge');
    this.#onSwitch('link', 'set', SWITCH, 'up');
  }

  /** A further one; `name` has letters and digits. */
  add(name: string): Machine {
    const number = this.#machines.length + 1;
    const own = { name: this.#prefix + name, address: `${NET}.${number}`, mac: `02:00:c0:00:02:0${number}` };
    const port = `to-${name}`;
    ip('netns', 'add', own.name);
    this.#onSwitch('link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', own.name);
    this.#onSwitch('link', 'set', port, 'master', SWITCH, 'up');
    ip('-n', own.name, 'link', 'set', 'lo', 'up');
    ip('-n', own.name, 'link', 'set', 'eth0', 'address', own.mac, 'up');
    ip('-n', own.name, 'address', 'add', `${own.address}/24`, 'dev', 'eth0');
    for (const other of this.#machines) {
      learn(own.name, other);
      learn(other.name, own);
    }
    this.#machines.push(own);
    return {
      address: own.address,
      within: ['ip', 'netns', 'exec', own.name],
      cut: (how) => this.#onSwitch('link', 'set', port, ...(how === 'cable' ? ['down'] : ['nomaster'])),
      heal: () => this.#onSwitch('link', 'set', port, 'master', SWITCH, 'up'),
    };
  }

  /** Ends what still runs on its machines, and removes it. */
  close(): void {
    for (const { name } of this.#machines) remove(name);
    remove(this.#switch);
  }

  #onSwitch(...args: readonly string[]): void {
    ip('-n', this.#switch, ...args);
  }
}

function learn(name: string, other: { readonly address: string; readonly mac: string }): void {
  ip('-n', name, 'neighbour', 'replace', other.address, 'lladdr', other.mac, 'dev', 'eth0', 'nud', 'permanent');
}

/** All that is in it goes with it. */
function remove(namespace: string): void {
  for (const pid of ip('netns', 'pids', namespace).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // gone meanwhile
    }
  }
  ip('netns', 'delete', namespace);
}

function removeOfTheDead(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [namespace = ''] = line.split(' ');
    const [, pid] = NAME.exec(namespace) ?? [];
    if (pid === undefined || processInfo(Number(pid)) !== undefined) continue;
    try {
      remove(namespace);
    } catch {
      // another test removes it, too
    }
  }
}

/** Undefined where this process may not make one: it isn't root, or there is no `ip`. */
export const makeNetwork: (() => Network) | undefined = ((): (() => Network) | undefined => {
  try {
    new Network().close();
    return () => new Network();
  } catch {
    return undefined;
  }
})();
