/** A function service on loopback, for tests: answers as it is told, and counts. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { builtIn } from '../../executors/built-in.ts';
import type { ExecutorFactory } from '../../executors/executor-ground.ts';
import { processExecutor } from '../../executors/process/process-executor.ts';

export interface FunctionServer {
  readonly url: string;
  /** Requests that came. */
  readonly requests: () => number;
  /** What answers from now on. */
  answer: RequestListener;
  close(): Promise<void>;
}

export async function startFunctionServer(answer: RequestListener): Promise<FunctionServer> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    running.answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const running: FunctionServer = {
    url: `http://127.0.0.1:${address.port}/run`,
    requests: () => requests,
    answer,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return running;
}

/** The executor with these settings of an operator. */
export function httpWith(settings: Readonly<Record<string, unknown>>): ExecutorFactory {
  const make = builtIn.get('http') ?? processExecutor;
  return (ground) => make({ ...ground, settings });
}
