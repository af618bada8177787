/** The hub's actors of the moment, when they fail while they begin. */
import { expect, it } from 'vitest';
import { CurrentCore } from '../../host/current-core.ts';
import { keepRunning } from '../../host/recovery.ts';
import { deferred } from '../../model/deferred.ts';
import { FakeClock, settle } from '../actors/support/fake-clock.ts';
import { noLog } from '../support/log-list.ts';

/** Cores that stand when the test says so; those that live are listed. */
class Cores {
  readonly living = new Set<number>();
  readonly #standing: (() => void)[] = [];

  async start(): Promise<{ stop(): void }> {
    const number = this.#standing.length;
    const standing = deferred<void>();
    this.#standing.push(() => standing.resolve());
    await standing.promise;
    this.living.add(number);
    return { stop: () => this.living.delete(number) };
  }
  get begun(): number {
    return this.#standing.length;
  }
  async stand(number: number): Promise<void> {
    this.#standing[number]?.();
    await settle();
  }
}

it('one whose store fails while it begins does not stay beside the next one', async () => {
  const [cores, current, clock] = [new Cores(), new CurrentCore(), new FakeClock()];
  const fatal: ((error: Error) => void)[] = [];
  const ended = keepRunning({
    begin: async (onFatal) => {
      fatal.push(onFatal);
      await current.begin(() => cores.start());
    },
    drop: async () => current.drop(),
    outOfRoom: () => false,
    giveUp: () => undefined,
    clock,
    log: noLog,
  });
  await cores.stand(0);
  await ended;
  expect([...cores.living]).toEqual([0]);
  fatal[0]?.(new Error('the disk failed'));
  await clock.advance(1_000);
  expect([cores.begun, [...cores.living]]).toEqual([2, []]);
  fatal[1]?.(new Error('the disk failed again'));
  await clock.advance(1_000);
  expect(cores.begun).toBe(3);
  await cores.stand(2);
  await cores.stand(1);
  expect([...cores.living]).toEqual([2]);
});

it('one that still begins when the hub stops does not stay', async () => {
  const [cores, current] = [new Cores(), new CurrentCore()];
  const begun = current.begin(() => cores.start());
  current.drop();
  await cores.stand(0);
  expect([await begun, [...cores.living]]).toEqual([false, []]);
});
