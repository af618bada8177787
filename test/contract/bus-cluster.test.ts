/** A cluster of real nats-servers: a connection that knows one of them lives on another when that one dies. */
import { expect, test } from 'vitest';
import { connectNats } from '../../bus/nats-bus.ts';
import { noLog } from '../support/log-list.ts';
import { anyServer, freePort, startNatsServer } from '../support/nats-server.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';

withRealPart('a cluster of nats-servers', anyServer, 'no nats-server is installed', (binary) => {
  test('a bus moves to a server of the cluster that it was never told of', async () => {
    const [one, two] = [await freePort(), await freePort()];
    const config = (own: number, other: number) => (listen: string) =>
      `listen: "${listen}"\nserver_name: "s${own}"\ncluster { name: c, listen: "127.0.0.1:${own}", routes: ["nats://127.0.0.1:${other}"] }\n`;
    const first = await startNatsServer(binary, config(one, two));
    const second = await startNatsServer(binary, config(two, one));
    try {
      const options = { name: 'x', identity: 'x', log: noLog, maxReconnectDelayMs: 50 };
      const watcher = await connectNats({ ...options, servers: second.url, identity: 'watcher' });
      let bus = await connectNats({ ...options, servers: first.url });
      // The servers tell of each other once their route stands; a connection made after that knows both.
      let seen = 0;
      watcher.subscribe('across', () => void seen++);
      await watcher.flush();
      await until(() => {
        if (seen === 0) bus.publish('across', new Uint8Array(0));
        return seen > 0;
      }, 'the route');
      await bus.close();
      bus = await connectNats({ ...options, servers: first.url });
      bus.subscribe('moved', (message) => message.respond(message.data));
      await bus.flush();
      await first.stop();
      await until(() => bus.server !== undefined && bus.server !== first.url, 'the move');
      expect(bus.server).toBe(second.url);
      await bus.flush();
      await watcher.request('moved', new Uint8Array(0), { timeoutMs: 5_000 });
      await bus.close();
      await watcher.close();
    } finally {
      await first.stop();
      await second.stop();
    }
  });
});
