/** Hears all events with a plain NATS client that is none of Polaron's, and lives longer than any hub or broker of a round. */
import { connect } from 'nats';
import type { Heard } from './account.ts';

export interface Ear {
  readonly events: readonly Heard[];
  /** Resolves when all that the broker had for it has come. */
  close(): Promise<void>;
}

/** `login` as the broker wants it. */
export async function listen(url: string, login: { readonly user?: string; readonly pass?: string }): Promise<Ear> {
  const events: Heard[] = [];
  const nats = await connect({
    servers: url,
    inboxPrefix: '_INBOX.o.chaos',
    reconnectTimeWait: 50,
    maxReconnectAttempts: -1,
    ...login,
  });
  nats.subscribe('polaron.event.>', {
    callback: (error, message) => {
      if (error === null) events.push(eventOf(message.json()));
    },
  });
  await nats.flush();
  return {
    events,
    close: async () => {
      await nats.flush().catch(() => undefined);
      await nats.close();
    },
  };
}

/** Raises RangeError for what is no event. */
function eventOf(body: unknown): Heard {
  if (
    typeof body !== 'object' ||
    body === null ||
    !('dispatch' in body) ||
    !('type' in body) ||
    !('seq' in body) ||
    !('transient' in body)
  )
    throw new RangeError(`not an event: ${JSON.stringify(body)}`);
  const { dispatch, type, seq, transient } = body;
  const node = 'node' in body ? { node: Number(body.node) } : {};
  return { dispatch: String(dispatch), type: String(type), seq: Number(seq), transient: transient === true, ...node };
}
