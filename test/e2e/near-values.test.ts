/** A large value is worked on where it is: with two free agents a chain fetches nothing but its code. Counted on the bus. */
import { connect, type NatsConnection } from 'nats';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dispatch, getValue } from 'polaron';
import { decodeBody, decodeEnvelope } from '../../bus/codec.ts';
import { parseBlobRead } from '../../bus/protocol/wire-agent.ts';
import type { BusServer } from '../support/bus-server.ts';
import { anyServer, startNatsServer } from '../support/nats-server.ts';
import { RealHub } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { steps } from './workflows/steps.ts';

withRealPart('nats-server', anyServer, 'no nats-server was found', (binary) => {
  const hub = new RealHub();
  let server: BusServer;
  let ear: NatsConnection;
  /** Digests that agents asked for, chunk by chunk. */
  const fetched: string[] = [];

  beforeAll(async () => {
    server = await startNatsServer(binary, (listen) => `listen: "${listen}"\n`);
    const started = await hub.polaron(['start', '--detach', '--bus', server.url, '--no-agent', ...hub.options]);
    expect(started).toMatchObject({ exit: 0, err: '' });
    hub.use();
    for (const name of ['one', 'two']) {
      const agent = hub.launchPolaron(['agent', '--bus', server.url, '--name', name, '--slots', '1'], {
        POLARON_HOME: mkdtempSync(join(hub.home, `${name}-`)),
      });
      await until(() => agent.out().includes('ready'), `agent ${name} joins`, 20_000);
    }
    ear = await connect({ servers: server.url });
    ear.subscribe('polaron.blob.*.*.get', {
      callback: (error, { subject, data }) => {
        if (error === null && !subject.startsWith('polaron.blob.u.'))
          fetched.push(parseBlobRead(decodeBody(decodeEnvelope(data).body)).digest);
      },
    });
    await ear.flush();
  }, 60_000);
  afterAll(async () => {
    await ear.close();
    await hub.close();
    await server.stop();
  });

  it.each([200_000, 3_000_000])('a chain with values of %i bytes stays on the agent that made them', async (bytes) => {
    fetched.length = 0;
    expect(await getValue(await dispatch(steps)(bytes, 6))).toBe(`${bytes} times 7`);
    await ear.flush();
    // its code, by an agent that had not run it before
    expect(new Set(fetched).size).toBeLessThanOrEqual(1);
  });
});
