import { describe, expect, it } from 'vitest';
import { ActorSystem, type Actor, type Address, type Message, type SystemOptions } from '../../actors/system.ts';
import { settle } from './support/fake-clock.ts';

interface Note extends Message {
  readonly type: 'note';
  readonly n: number;
}
const isNote = (message: Message): message is Note => message.type === 'note';
const note = (n: number): Note => ({ type: 'note', n });

class Recorder implements Actor<Note> {
  readonly got: number[] = [];
  readonly failed: string[] = [];
  readonly #on: (n: number, from: Address) => void;
  constructor(on: (n: number, from: Address) => void = () => undefined) {
    this.#on = on;
  }
  receive({ n }: Note, from: Address): void {
    this.got.push(n);
    this.#on(n, from);
  }
  undeliverable(to: Address, message: Message): void {
    this.failed.push(`${to} ${message.type}`);
  }
}

function setUp(over: Partial<SystemOptions> = {}) {
  const crashes: string[] = [];
  const dead: string[] = [];
  const system = new ActorSystem({
    node: 'n1',
    onCrash: (address, error) => crashes.push(`${address}: ${error.message}`),
    onDeadLetter: (to, message, from) => dead.push(`${from} → ${to} ${message.type}`),
    ...over,
  });
  const spawn = (id: string, on?: (n: number, from: Address) => void): { actor: Recorder; at: Address } => {
    const actor = new Recorder(on);
    const at = system.address('test', id);
    system.spawn(at, actor, isNote);
    return { actor, at };
  };
  return { system, crashes, dead, spawn };
}

describe('the actor system', () => {
  it('delivers what one actor sends to another in order (Y1)', async () => {
    const { system, spawn } = setUp();
    const a = spawn('a');
    const b = spawn('b');
    for (let n = 0; n < 3_000; n++) system.send(b.at, note(n), a.at);
    await settle(20);
    expect(b.actor.got).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
  });

  it('lets an actor finish a message before anything that it sends is delivered, its own included (Y2)', async () => {
    const { system, spawn } = setUp();
    const order: string[] = [];
    const b = spawn('b', (n) => order.push(`b${n}`));
    const a = spawn('a', (n) => {
      order.push(`a${n} begins`);
      if (n === 0) {
        system.send(b.at, note(0), a.at);
        system.send(a.at, note(1), a.at);
      }
      order.push(`a${n} ends`);
    });
    system.send(a.at, note(0), b.at);
    expect(order).toEqual([]);
    await settle();
    expect(order).toEqual(['a0 begins', 'a0 ends', 'b0', 'a1 begins', 'a1 ends']);
  });

  it('crashes the actor whose mailbox overflows, and it alone; what waited becomes dead letters (Y4)', async () => {
    const { system, spawn, crashes, dead } = setUp({ mailboxLimit: 10 });
    const [a, b, c] = [spawn('a'), spawn('b'), spawn('c')];
    for (let n = 0; n < 10; n++) system.send(c.at, note(n), a.at);
    for (let n = 0; n < 12; n++) system.send(b.at, note(n), a.at);
    await settle();
    expect(crashes).toEqual(['n1.test.b: mailbox of n1.test.b is over 10 messages']);
    expect(c.actor.got).toHaveLength(10);
    expect(b.actor.got).toEqual([]);
    expect(dead).toHaveLength(12);
    expect(a.actor.failed).toHaveLength(12);
    system.send(c.at, note(10), a.at);
    await settle();
    expect(c.actor.got).toHaveLength(11);
  });

  it('counts only what waits against the bound', async () => {
    const { system, spawn, crashes } = setUp({ mailboxLimit: 10 });
    const a = spawn('a');
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 10; n++) system.send(a.at, note(n), a.at);
      await settle();
    }
    expect(crashes).toEqual([]);
    expect(a.actor.got).toHaveLength(50);
  });

  it('crashes an actor that throws, and goes on with the others (Y4)', async () => {
    const { system, spawn, crashes } = setUp();
    const a = spawn('a', (n) => {
      if (n === 1) throw new Error('broken');
    });
    const b = spawn('b');
    for (let n = 0; n < 3; n++) {
      system.send(a.at, note(n), b.at);
      system.send(b.at, note(n), a.at);
    }
    await settle();
    expect(crashes).toEqual(['n1.test.a: broken']);
    expect(a.actor.got).toEqual([0, 1]);
    expect(system.has(a.at)).toBe(false);
    expect(b.actor.got).toEqual([0, 1, 2]);
    expect(b.actor.failed).toEqual(['n1.test.a note']);
  });

  it('makes a dead letter of what nobody is there for, and tells the sender (Y3)', async () => {
    const { system, spawn, dead } = setUp();
    const a = spawn('a');
    system.send(system.address('test', 'nobody'), note(1), a.at);
    await settle();
    expect(dead).toEqual(['n1.test.a → n1.test.nobody note']);
    expect(a.actor.failed).toEqual(['n1.test.nobody note']);
    expect(system.deadLetters).toBe(1);
  });

  it('makes a dead letter of a message that the receiver does not know', async () => {
    const { system, spawn, dead, crashes } = setUp();
    const a = spawn('a');
    system.send(a.at, { type: 'strange' }, a.at);
    await settle();
    expect(dead).toEqual(['n1.test.a → n1.test.a strange']);
    expect(crashes).toEqual([]);
  });

  it('sends to another node by the remote, and makes a dead letter without one', async () => {
    const { system, spawn, dead } = setUp();
    const a = spawn('a');
    const sent: string[] = [];
    system.send('n2.test.x', note(1), a.at);
    expect(dead).toEqual(['n1.test.a → n2.test.x note']);
    system.connect({ send: (to, message) => sent.push(`${to} ${message.type}`) });
    system.send('n2.test.x', note(1), a.at);
    // A node whose name begins like ours is another.
    system.send('n11.test.x', note(1), a.at);
    expect(sent).toEqual(['n2.test.x note', 'n11.test.x note']);
    await settle();
    expect(dead).toHaveLength(1);
  });

  it('does not starve I/O when actors talk without end', async () => {
    const { system, spawn } = setUp();
    let going = true;
    const b = spawn('b', (n) => going && system.send(a.at, note(n + 1), b.at));
    const a = spawn('a', (n) => going && system.send(b.at, note(n + 1), a.at));
    system.send(b.at, note(0), a.at);
    // Timers are served in between, and the talk goes on after each.
    for (let had = -1; a.actor.got.length < 2_000; ) {
      expect(a.actor.got.length).toBeGreaterThan(had);
      had = a.actor.got.length;
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
      await settle(1);
    }
    going = false;
  });

  it('goes on when those who look on throw', async () => {
    let lookers = 0;
    const { system, spawn, crashes } = setUp({
      trace: () => {
        lookers++;
        throw new Error('the message is too large for the bus');
      },
    });
    const a = spawn('a');
    for (let n = 0; n < 600; n++) system.send(a.at, note(n), a.at);
    await settle();
    expect(a.actor.got).toHaveLength(600);
    expect(lookers).toBe(600);
    expect(system.untraced).toBe(600);
    expect(crashes).toEqual([]);
  });

  it('crashes a sender that throws when it is told of a dead letter, and delivers on', async () => {
    const { system, spawn, crashes } = setUp();
    const b = spawn('b');
    const bad: Address = system.address('test', 'bad');
    const actor: Actor<Note> = {
      receive: () => undefined,
      undeliverable: () => {
        throw new Error('can not cope');
      },
    };
    system.spawn(bad, actor, isNote);
    system.send(system.address('test', 'nobody'), note(1), bad);
    system.send(b.at, note(2), bad);
    await settle();
    expect(crashes).toEqual(['n1.test.bad: can not cope']);
    expect(b.actor.got).toEqual([2]);
  });

  it('refuses a second actor at one address, and takes one again once the first has left', () => {
    const { system, spawn } = setUp();
    const a = spawn('a');
    expect(() => spawn('a')).toThrow(/taken/);
    system.stop(a.at);
    spawn('a');
    expect(system.size).toBe(1);
  });

  it('drops everything at a shutdown', async () => {
    const { system, spawn, dead } = setUp();
    const a = spawn('a');
    system.send(a.at, note(1), a.at);
    system.shutdown();
    system.send(a.at, note(2), a.at);
    await settle();
    expect(a.actor.got).toEqual([]);
    expect(dead).toEqual([]);
    expect(system.size).toBe(0);
  });
});
