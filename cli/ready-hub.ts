/** What `start` says of a ready hub, and a detached one to the process that waits for it. */
import type { HubFile } from '../host/home.ts';
import { writeJson } from './context.ts';
import type { Context } from './context.ts';
import { withoutPassword } from './start-options.ts';

export interface ReadyHub {
  /** Bus URL without credentials. */
  readonly url: string;
  readonly data: string;
  readonly node: string;
  readonly pid: number;
  /** Log file of a detached one. */
  readonly log?: string;
  /** It ran before. */
  readonly existing: boolean;
}

/** Of a hub that ran before. */
export const readyOf = (file: HubFile): ReadyHub => ({
  url: withoutPassword(file.bus),
  data: file.data,
  node: file.node,
  pid: file.pid,
  ...(file.logFile === undefined ? {} : { log: file.logFile }),
  existing: true,
});

/** The ready line, or the document. */
export function sayReady(context: Context, hub: ReadyHub): void {
  if (context.json) {
    const { url: bus, ...rest } = hub;
    writeJson(context, { bus, ...rest });
    return;
  }
  const log = hub.log === undefined ? '' : `, log ${hub.log}`;
  const state = hub.existing ? `already running (pid ${hub.pid})` : 'ready';
  context.terminal.out(`polaron ${state}: bus ${hub.url}, data ${hub.data}${log}`);
}
