/**
 * Publishes events on their subjects, and keeps those that are worth telling only when they last.
 * Not here: when a transition may be told (its record is flushed first), and what is told of it (journals of the actors).
 */
import type { Bus } from '../bus/bus.ts';
import type { Subjects } from '../bus/subjects.ts';
import type { Clock } from '../model/clock.ts';
import type { Lingering, PublishEvent } from './services.ts';

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

export interface EventPublisher {
  readonly publish: PublishEvent;
  /** Calls `tell` after a moment. */
  readonly linger: (one: Lingering) => void;
}

/** Makes the publisher that all actors of a hub share. */
export function eventPublisher(bus: Bus, subjects: Subjects, clock: Clock): EventPublisher {
  /** What has waited since before the last tick, and what came after it. */
  let older: Lingering[] = [];
  let newer: Lingering[] = [];
  let planned = false;

  const tick = (): void => {
    const due = older;
    older = newer;
    newer = [];
    planned = older.length > 0;
    if (planned) clock.after(LINGER_MS, tick);
    for (const one of due) one.tell();
  };
  return {
    publish: (event) =>
      void bus.publish(
        subjects.event(event.user, event.dispatch, event.type),
        Buffer.from(eventText(event, clock.now())),
      ),
    linger: (one) => {
      if (older.length + newer.length >= MOST_LINGERING) {
        one.tell();
        return;
      }
      newer.push(one);
      if (!planned) clock.after(LINGER_MS, tick);
      planned = true;
    },
  };
}
