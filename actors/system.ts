/**
 * The actor system of one process: addresses, bounded mailboxes, delivery, crashes, dead letters.
 * Not here: what actors do, the bus side of delivery (remote.ts), and what happens after a crash (the owner decides in `onCrash`).
 *
 * Y1. Messages from one actor to another arrive in the order sent.
 * Y2. An actor handles one message at a time; what it sends is delivered after it returns.
 * Y3. A sender can't tell whether the receiver is local; an address of this node that nobody has becomes a dead letter.
 * Y4. A mailbox over its bound, or a throw in `receive`, is a crash of that actor alone.
 */
import { PolaronError } from '../model/errors.ts';
import { trusted } from '../model/trusted.ts';

export interface Message {
  readonly type: string;
}

/** `<node>.<kind>.<id>`: the tail of the actor's subject. */
export type Address = `${string}.${string}.${string}`;
export const addressOf = (node: string, kind: string, id: string): Address => `${node}.${kind}.${id}`;

export interface Actor<M extends Message> {
  receive(message: M, from: Address): void;
  /** A message that this actor sent could not be delivered. */
  undeliverable?(to: Address, message: Message): void;
}

export interface Remote {
  /** Sends to an actor of another node. */
  send(to: Address, message: Message, from: Address): void;
}

export interface SystemOptions {
  readonly node: string;
  /** Messages that one actor may have waiting. @default 100000 */
  readonly mailboxLimit?: number;
  readonly onCrash: (address: Address, error: Error) => void;
  readonly onDeadLetter: (to: Address, message: Message, from: Address) => void;
  /** Sees every local delivery (`--trace-actors`). */
  readonly trace?: ((to: Address, message: Message, from: Address) => void) | undefined;
}

interface Cell {
  readonly address: Address;
  readonly actor: Actor<Message>;
  readonly accepts: (message: Message) => boolean;
  waiting: number;
  /** It was stopped, or crashed. */
  gone: boolean;
}

interface Envelope {
  /** Who was there when it was sent: saves the second look at a long address. */
  readonly cell: Cell | undefined;
  readonly to: Address;
  readonly message: Message;
  readonly from: Address;
}

/** Messages handled before the event loop gets its turn: I/O must not starve. */
const BATCH = 512;
const now = Promise.resolve();
/** A microtask, without the bookkeeping of `queueMicrotask`. */
export const soon = (work: () => void): void => void now.then(work);

export class ActorSystem {
  readonly node: string;
  readonly #options: SystemOptions;
  readonly #cells = new Map<string, Cell>();
  readonly #limit: number;
  #queue: Envelope[] = [];
  #head = 0;
  #scheduled = false;
  #remote: Remote | undefined;
  #stopped = false;
  deadLetters = 0;
  /** Deliveries that `trace` threw at. */
  untraced = 0;

  constructor(options: SystemOptions) {
    this.node = options.node;
    this.#options = options;
    this.#limit = options.mailboxLimit ?? 100_000;
  }

  /** Where messages for other nodes go. */
  connect(remote: Remote): void {
    this.#remote = remote;
  }

  address(kind: string, id: string): Address {
    return addressOf(this.node, kind, id);
  }

  /** Puts an actor at an address. `accepts` checks a message's type once, at the mailbox. Raises when the address is taken. */
  spawn<M extends Message>(address: Address, actor: Actor<M>, accepts: (message: Message) => message is M): void {
    if (this.#cells.has(address)) throw new PolaronError('MAILBOX_FULL', `actor address ${address} is taken`);
    // `accepts` stands before every delivery, so the actor gets what it takes.
    this.#cells.set(address, { address, actor: trusted<Actor<Message>>(actor), accepts, waiting: 0, gone: false });
  }

  stop(address: Address): void {
    const cell = this.#cells.get(address);
    if (cell !== undefined) this.#remove(cell);
  }

  #remove(cell: Cell): void {
    cell.gone = true;
    this.#cells.delete(cell.address);
  }

  has(address: Address): boolean {
    return this.#cells.has(address);
  }

  get size(): number {
    return this.#cells.size;
  }

  /** Never throws and never waits; what can't be delivered becomes a dead letter. */
  send<M extends Message>(to: Address, message: M, from: Address): void {
    if (this.#stopped) return;
    const cell = this.#cells.get(to);
    if (cell === undefined && !to.startsWith(`${this.node}.`)) {
      if (this.#remote === undefined) this.#dead({ cell, to, message, from });
      else this.#remote.send(to, message, from);
      return;
    }
    // What waited in the mailbox, and this message, become dead letters.
    if (cell !== undefined && ++cell.waiting > this.#limit)
      this.#crash(cell, new PolaronError('MAILBOX_FULL', `mailbox of ${to} is over ${this.#limit} messages`));
    this.#queue.push({ cell, to, message, from });
    if (!this.#scheduled) {
      this.#scheduled = true;
      soon(this.#drain);
    }
  }

  /** Drops all actors and what waits for them: the hub starts again from disk. */
  shutdown(): void {
    this.#stopped = true;
    this.#cells.clear();
    this.#queue = [];
    this.#head = 0;
  }

  readonly #drain = (): void => {
    let more = true;
    try {
      more = this.#deliverBatch();
    } finally {
      // Delivery goes on even when the owner's `onCrash` or `onDeadLetter` throws.
      if (more) setImmediate(this.#drain);
    }
  };

  /** False when nothing is left. */
  #deliverBatch(): boolean {
    for (let n = 0; n < BATCH; n++) {
      const envelope = this.#queue[this.#head];
      if (envelope === undefined) {
        this.#queue = [];
        this.#head = 0;
        this.#scheduled = false;
        return false;
      }
      this.#head++;
      this.#deliver(envelope);
    }
    if (this.#head > 8_192) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return true;
  }

  #deliver(envelope: Envelope): void {
    const known = envelope.cell;
    const cell = known === undefined || known.gone ? this.#cells.get(envelope.to) : known;
    if (cell === undefined) {
      this.#dead(envelope);
      return;
    }
    cell.waiting--;
    this.#trace(envelope);
    try {
      if (cell.accepts(envelope.message)) cell.actor.receive(envelope.message, envelope.from);
      else this.#dead(envelope);
    } catch (error) {
      this.#crash(cell, asError(error));
    }
  }

  /** Whoever looks on never disturbs what it looks at: a message too large for the bus is delivered all the same. */
  #trace({ to, message, from }: Envelope): void {
    if (this.#options.trace === undefined) return;
    try {
      this.#options.trace(to, message, from);
    } catch {
      this.untraced++;
    }
  }

  #crash(cell: Cell, error: Error): void {
    this.#remove(cell);
    this.#options.onCrash(cell.address, error);
  }

  #dead(envelope: Envelope): void {
    this.deadLetters++;
    this.#options.onDeadLetter(envelope.to, envelope.message, envelope.from);
    const sender = this.#cells.get(envelope.from);
    try {
      sender?.actor.undeliverable?.(envelope.to, envelope.message);
    } catch (error) {
      if (sender !== undefined) this.#crash(sender, asError(error));
    }
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
