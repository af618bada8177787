/** Publishes events on their subjects. Not here: when a transition may be told (its record is flushed first), and what is told of it (journals of the actors). */
import type { Bus } from '../bus/bus.ts';
import type { Subjects } from '../bus/subjects.ts';
import type { Clock } from '../model/clock.ts';
import { asPolaronError } from '../model/errors.ts';
import { makeMoment } from './moment.ts';
import type { Moment, PublishEvent } from './services.ts';

type Event = Parameters<PublishEvent>[0];

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
      if (!bus.reaches(subjects.eventPrefix(event.user))) return;
      const subject = subjects.event(event.user, event.dispatch, event.type);
      const at = clock.now();
      try {
        bus.publish(subject, Buffer.from(eventText(event, at)));
      } catch (error) {
        // What is told of it is kept elsewhere, that it happened must be heard.
        if (event.data === undefined || asPolaronError(error, 'BUS_CLOSED').code !== 'PAYLOAD_TOO_LARGE') throw error;
        const { data: _, ...bare } = event;
        bus.publish(subject, Buffer.from(eventText(bare, at)));
      }
    },
    moment: makeMoment(clock),
  };
}
