/**
 * The process of the local agent, which loads before it is needed: that takes longer than all else at a start (docs/adr/014-packed-programs.md).
 * It touches nothing until it is told to go, and ends when whoever began it goes away before that.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { programArgs } from '../executors/program.ts';
import { ensureDataFolder } from './data-folder.ts';
import { heapArgs } from './heap-growth.ts';
import { livingInstances } from './instances.ts';

/** What the process is told to go with. */
export interface AgentSettings {
  readonly home: string;
  readonly site: string;
  readonly name: string;
  readonly slots: number;
  readonly stateDir: string;
  readonly targetFile: string;
}

export interface AgentChild {
  readonly process: ChildProcess;
  /** Tells it to go; from now on it lives by itself. */
  go(settings: AgentSettings): void;
  /** It isn't needed: it ends. */
  drop(): void;
}

/** Its output goes into agent.log of the data folder. Raises what the file system raises. */
export function beginAgentChild(data: string): AgentChild {
  const output = openSync(join(data, 'agent.log'), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [...heapArgs, ...programArgs('host/agent-process')], {
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
      cwd: data,
    });
    child.on('error', () => undefined); // it isn't connected then, and who needs it begins another
    child.unref();
    child.channel?.unref();
    return {
      process: child,
      go: (settings) => {
        // it closes the channel when it has read this
        if (child.connected) child.send(settings, () => undefined);
      },
      drop: () => {
        if (child.connected) child.disconnect();
      },
    };
  } finally {
    closeSync(output);
  }
}

export const livingAgent = (home: string) => livingInstances(home).find(({ kind }) => kind === 'local-agent');

/** For a hub that is about to load. Undefined when an agent lives already, or what is wrong is for the hub to find and tell. */
export function beginAgentEarly(home: string, data: string): AgentChild | undefined {
  try {
    if (livingAgent(home) !== undefined) return undefined;
    ensureDataFolder(data);
    return beginAgentChild(data);
  } catch {
    return undefined;
  }
}
