/**
 * Publishes events on their subjects. Not here: when a transition may be told (its record is flushed first).
 * A passing `electron.assigned` waits a moment, and is left out when the electron has ended meanwhile: for short electrons it would double the traffic and say nothing.
 */
import type { Bus } from '../bus/bus.ts';
import type { EventBody } from '../bus/protocol/api.ts';
import type { Subjects } from '../bus/subjects.ts';
import type { Clock } from '../model/clock.ts';
import type { PublishEvent } from './services.ts';

type Event = Parameters<PublishEvent>[0];

const LINGER_MS = 100;
/** More waiting ones are told at once: the wait must not hold memory. */
const MOST_LINGERING = 10_000;

/** Makes the publisher that all actors of a hub share. */
export function eventPublisher(bus: Bus, subjects: Subjects, clock: Clock): PublishEvent {
  const lingering = new Map<string, Event>();
  let planned = false;

  const send = ({ user, ...event }: Event): void => {
    const body: EventBody = { ...event, at: clock.now() };
    bus.publish(subjects.event(user, event.dispatch, event.type), Buffer.from(JSON.stringify(body)));
  };
  const tell = (): void => {
    planned = false;
    for (const event of lingering.values()) send(event);
    lingering.clear();
  };

  return (event) => {
    if (event.node === undefined) {
      send(event);
      return;
    }
    const key = `${event.dispatch}_${event.node}`;
    if (event.type === 'electron.assigned' && lingering.size < MOST_LINGERING) {
      lingering.set(key, event);
      if (!planned) clock.after(LINGER_MS, tell);
      planned = true;
      return;
    }
    if (event.transient && lingering.has(key)) tell();
    lingering.delete(key);
    send(event);
  };
}
