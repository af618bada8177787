/**
 * Publishes events on their subjects. Not here: when a transition may be told (its record is flushed first).
 * A passing `electron.assigned` waits a moment, and is left out when the electron has ended meanwhile: for short electrons it would double the traffic and say nothing.
 */
import type { Bus } from '../bus/bus.ts';
import type { Subjects } from '../bus/subjects.ts';
import type { Clock } from '../model/clock.ts';
import type { PublishEvent } from './services.ts';

type Event = Parameters<PublishEvent>[0];

/** It waits for one to two of these. */
const LINGER_MS = 100;
/** More waiting ones are told at once: the wait must not hold memory. */
const MOST_LINGERING = 10_000;

/** An EventBody as JSON. Put together by hand, three times as quick as from an object: several of them tell of each electron. Ids and types need no escapes. */
function eventText({ dispatch, type, seq, transient, node, electron, data }: Event, at: number): string {
  let text = `{"dispatch":"${dispatch}","type":"${type}","seq":${seq},"transient":${transient},"at":${at}`;
  if (node !== undefined) text += `,"node":${node}`;
  if (electron !== undefined) text += `,"electron":${JSON.stringify(electron)}`;
  if (data !== undefined) text += `,"data":${JSON.stringify(data)}`;
  return `${text}}`;
}

/** Makes the publisher that all actors of a hub share. */
export function eventPublisher(bus: Bus, subjects: Subjects, clock: Clock): PublishEvent {
  /** What has waited since before the last tick, and what came after it. */
  let older = new Map<string, Event>();
  let newer = new Map<string, Event>();
  let planned = false;

  const send = (event: Event): void => {
    bus.publish(subjects.event(event.user, event.dispatch, event.type), Buffer.from(eventText(event, clock.now())));
  };
  const tick = (): void => {
    const due = older;
    older = newer;
    newer = new Map();
    planned = older.size > 0;
    if (planned) clock.after(LINGER_MS, tick);
    for (const event of due.values()) send(event);
  };
  const linger = (key: string, event: Event): void => {
    newer.set(key, event);
    if (!planned) clock.after(LINGER_MS, tick);
    planned = true;
  };

  return (event) => {
    if (event.node === undefined) {
      send(event);
      return;
    }
    const key = `${event.dispatch}_${event.node}`;
    if (event.type === 'electron.assigned' && older.size + newer.size < MOST_LINGERING) {
      linger(key, event);
      return;
    }
    const waiting = newer.get(key) ?? older.get(key);
    if (waiting !== undefined) {
      newer.delete(key);
      older.delete(key);
      // What passes on the way is told in order; the end alone says enough.
      if (event.transient) send(waiting);
    }
    send(event);
  };
}
