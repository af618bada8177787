/** What an agent hears on the bus, and on which subjects. Not here: what it does then (agent.ts). */
import type {
  Assign,
  AssignReply,
  BlobRead,
  Cancel,
  CancelReply,
  Control,
  LiveLogs,
} from '../../bus/protocol/agent.ts';
import { parseAssign, parseBlobRead, parseCancel, parseControl, parseLogsAsk } from '../../bus/protocol/wire-agent.ts';
import type { BusMessage, Subscription } from '../../bus/bus.ts';
import type { DownKind } from '../../bus/subjects.ts';
import { isToken, type TaskId } from '../../model/ids.ts';
import type { Channel } from './channel.ts';
import type { ResolvedAgent } from './options.ts';
import type { AgentView } from './running-agent.ts';
import { agentService } from './service.ts';

export interface Hearing {
  /** `answer` before anything is started: the hub waits for it. */
  assign(assign: Assign, answer: (reply: AssignReply) => void): void;
  /** Undefined: another process of this name has to answer. */
  cancel(cancel: Cancel): CancelReply | undefined;
  control(control: Control): void;
  read(read: BlobRead): Promise<Uint8Array | undefined>;
  /** Undefined: another process of this name has to answer. */
  logs(task: TaskId): LiveLogs | undefined;
  /** Everybody is asked to sync. */
  probed(): void;
  /** Work waits for something that this agent offers. */
  woken(): void;
  status(): AgentView;
}

/** A chunk of a value that the hub pulls. */
const LARGEST_READ = 512 * 1024;

/** A capability's name without its amount: `memory>=32` is `memory`. */
const nameOf = (capability: string): string => /^[^\s=<>:]*/.exec(capability.toLowerCase())?.[0] ?? '';

/** Subscribes; returns how to stop. */
export function listen(channel: Channel, options: ResolvedAgent, hearing: Hearing): () => void {
  const { bus } = channel;
  const { subjects, site, name: agent, capabilities, clock } = options;
  const service = agentService(options, () => hearing.status());
  /** Hears one kind, and counts it. */
  const hear = <T>(
    kind: DownKind,
    read: (x: unknown) => T,
    handle: (body: T, message: BusMessage) => void | Promise<void>,
  ): Subscription =>
    channel.hear(
      subjects.down(site, agent, kind),
      read,
      async (body, message) => {
        const began = clock.monotonic();
        try {
          await handle(body, message);
          service.count(kind, clock.monotonic() - began);
        } catch (error) {
          service.count(kind, clock.monotonic() - began, error);
          throw error;
        }
      },
      (error) => service.count(kind, 0, error),
    );
  const subscriptions = [
    hear('assign', parseAssign, (assign, message) =>
      hearing.assign(assign, (reply) => message.respond(channel.encode(reply))),
    ),
    hear('cancel', parseCancel, (cancel, message) => {
      const reply = hearing.cancel(cancel);
      if (reply !== undefined) message.respond(channel.encode(reply));
    }),
    hear('control', parseControl, (control, message) => {
      message.respond(channel.encode({ ok: true }));
      hearing.control(control);
    }),
    hear('blob', parseBlobRead, async (read, message) => {
      const length = Math.max(0, Math.min(read.length, LARGEST_READ, bus.maxPayload - 1024));
      const bytes = await hearing.read({ ...read, length });
      if (bytes !== undefined) message.respond(bytes);
    }),
    hear('logs', parseLogsAsk, ({ task }, message) => {
      const reply = hearing.logs(task);
      if (reply !== undefined) message.respond(channel.encode(reply));
    }),
    bus.subscribe(subjects.probe, () => hearing.probed()),
  ];
  // people ask it, by any client of the bus
  const answer = Buffer.from(JSON.stringify({ site, agent }));
  for (const name of new Set(capabilities.map(nameOf).filter(isToken))) {
    subscriptions.push(
      bus.subscribe(subjects.capability(name, 'probe'), (message) => message.respond(answer)),
      bus.subscribe(subjects.capability(name, 'wake'), () => hearing.woken()),
    );
  }
  const stopService = service.listen();
  return () => {
    stopService();
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}
