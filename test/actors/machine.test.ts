/** The electron machine: the derived table is XState's own behaviour, and its edges are exactly the legal ones. */
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { electronMachine, lifecycleEvents, nextStatus } from '../../actors/machine.ts';
import { electronStatuses, electronTransitions, isTerminalElectron } from '../../model/lifecycle.ts';

describe('the electron machine', () => {
  for (const status of electronStatuses) {
    it(`does the same as an XState actor at every event when it is ${status}`, () => {
      for (const type of lifecycleEvents) {
        const actor = createActor(electronMachine, {
          snapshot: electronMachine.resolveState({ value: status }),
        }).start();
        // XState writes to the console when something is sent to an actor that is done.
        if (actor.getSnapshot().status !== 'done') actor.send({ type });
        expect(nextStatus(status, type) ?? status, type).toBe(actor.getSnapshot().value);
      }
    });
  }

  it('begins waiting', () => {
    expect(createActor(electronMachine).start().getSnapshot().value).toBe('waiting');
  });

  it('makes every legal transition and no other', () => {
    for (const status of electronStatuses) {
      const made = new Set(
        lifecycleEvents.map((event) => nextStatus(status, event)).filter((next) => next !== undefined),
      );
      expect([...made].sort(), `from ${status}`).toEqual([...electronTransitions[status]].sort());
    }
  });

  it('ends in the terminal statuses, and from everywhere else an end can be reached', () => {
    for (const status of electronStatuses) {
      const final = createActor(electronMachine, { snapshot: electronMachine.resolveState({ value: status }) });
      expect(final.start().getSnapshot().status === 'done', status).toBe(isTerminalElectron(status));
      const reached = new Set([status]);
      for (const one of reached)
        for (const event of lifecycleEvents) {
          const next = nextStatus(one, event);
          if (next !== undefined) reached.add(next);
        }
      expect([...reached].some(isTerminalElectron), status).toBe(true);
    }
  });

  it('uses every event somewhere', () => {
    for (const event of lifecycleEvents)
      expect(
        electronStatuses.some((status) => nextStatus(status, event) !== undefined),
        event,
      ).toBe(true);
  });
});
