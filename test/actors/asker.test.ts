/** Asking the result manager over a bus that may lose what is asked. */
import { expect, it } from 'vitest';
import { Asker } from '../../actors/asker.ts';
import { ActorSystem, type Message } from '../../actors/system.ts';
import { FakeClock, settle } from './support/fake-clock.ts';

/** A manager that hears everything and answers what it is told to. */
function setUp(overBus: boolean) {
  const clock = new FakeClock();
  const heard: Message[] = [];
  const system = new ActorSystem({ node: 'n1', onCrash: () => undefined, onDeadLetter: () => undefined });
  const manager = system.address('results', 'main');
  const isAny = (message: Message): message is Message => message.type !== '';
  system.spawn(manager, { receive: (message) => void heard.push(message) }, isAny);
  const asker = new Asker(system, manager, clock, overBus);
  const answer = (body: unknown): void =>
    system.send(system.address('asker', 'main'), { type: 'results.answer', ask: 1, body } as const, manager);
  return { clock, heard, asker, answer };
}

it('over a bus a request is sent again, with longer pauses, until it is answered', async () => {
  const { clock, heard, asker, answer } = setUp(true);
  const asked = asker.ask('results.live', {}, 30_000);
  const times: number[] = [];
  for (let second = 0; second <= 16; second++) {
    await settle();
    times.push(heard.length);
    await clock.advance(1_000);
  }
  expect(
    times
      .map((count, second) => [second, count])
      .filter(([second, count], at) => at === 0 || times[(second ?? 0) - 1] !== count),
  ).toEqual([
    [0, 1],
    [1, 2],
    [3, 3],
    [7, 4],
    [15, 5],
  ]);
  expect(new Set(heard).size).toBe(1);
  answer({ found: true });
  expect(await asked).toEqual({ found: true });
  await clock.advance(60_000);
  expect(heard).toHaveLength(5);
});

it('in one process nothing is lost, and nothing sent again', async () => {
  const { clock, heard, asker } = setUp(false);
  const asked = asker.ask('results.live', {}, 30_000).catch((error: unknown) => error);
  await clock.advance(31_000);
  expect(await asked).toMatchObject({ code: 'REQUEST_TIMEOUT' });
  expect(heard).toHaveLength(1);
});
