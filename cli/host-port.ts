/** What `start` and `agent` ask of host/. Bound in bindings.ts; tests give a fake. */
import type { Log } from '../model/log.ts';

export interface HubStartOptions {
  readonly home: string;
  /** Absolute. */
  readonly data: string;
  /** A real NATS bus instead of the embedded broker. */
  readonly bus?: string;
  /** Of the local agent. */
  readonly slots: number;
  /** Start a local agent? */
  readonly agent: boolean;
  /** Where the embedded broker listens. */
  readonly host?: string;
  readonly port?: number;
  /** Absolute paths of PEM files. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly insecure: boolean;
  readonly isolateResults: boolean;
  readonly traceActors: boolean;
  /** Where a detached hub's output goes; for the hub file. */
  readonly logFile?: string;
  readonly log: Log;
}

export interface RunningHub {
  /** Bus URL without credentials. */
  readonly url: string;
  readonly data: string;
  readonly node: string;
  /** Accepts dispatches and its local agent has joined. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
  /** Resolves with the reason when the hub can't go on. */
  readonly failed: Promise<Error>;
}

export interface AgentRunOptions {
  readonly bus: string;
  readonly name: string;
  readonly site: string;
  readonly capabilities: readonly string[];
  readonly slots: number;
  readonly home: string;
  readonly log: Log;
}

export interface RunningAgent {
  /** Rejects when the agent is refused. */
  readonly joined: Promise<void>;
  /** Drains, reports, leaves. */
  stop(): Promise<void>;
  /** Resolves when the agent is over; with an Error (SUPERSEDED, say) when it wasn't asked to. */
  readonly ended: Promise<unknown>;
}

export interface HostPort {
  startHub(options: HubStartOptions): Promise<RunningHub>;
  runAgent(options: AgentRunOptions): Promise<RunningAgent>;
}
