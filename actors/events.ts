/**
 * Publishes events on their subjects, and keeps those that are worth telling only when they last.
 * Not here: when a transition may be told (its record is flushed first), and what is told of it (journals of the actors).
 */
import type { Bus } from '../bus/bus.ts';
import type { Subjects } from '../bus/subjects.ts';
import type { Clock } from '../model/clock.ts';
import type { Lingering, Moment, PublishEvent } from './services.ts';

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
  readonly moment: Moment;
}

/** Makes what all actors of a hub share. */
export function eventPublisher(bus: Bus, subjects: Subjects, clock: Clock): EventPublisher {
  return {
    publish: (event) => {
      const subject = subjects.event(event.user, event.dispatch, event.type);
      bus.publish(subject, Buffer.from(eventText(event, clock.now())));
    },
    moment: makeMoment(clock),
  };
}

/** What waits is told after one to two of LINGER_MS. */
export function makeMoment(clock: Clock): Moment {
  /** What has waited since before the last tick, and what came after it. */
  let older = new Set<Lingering>();
  let newer = new Set<Lingering>();
  let planned = false;

  const tick = (): void => {
    const due = older;
    older = newer;
    newer = new Set();
    planned = older.size > 0;
    if (planned) clock.after(LINGER_MS, tick);
    for (const one of due) one.tell();
  };
  return {
    wait: (one) => {
      if (older.size + newer.size >= MOST_LINGERING) {
        one.tell();
        return;
      }
      newer.add(one);
      if (!planned) clock.after(LINGER_MS, tick);
      planned = true;
    },
    forget: (one) => void (newer.delete(one) || older.delete(one)),
    end: () => {
      const due = [...older, ...newer];
      older.clear();
      newer.clear();
      for (const one of due) one.tell();
    },
  };
}
