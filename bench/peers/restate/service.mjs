/**
 * One service process. `NoopA` and `NoopB` are the two that workflows call in turn; `Workflows` has each workload twice: with service calls, and with
 * steps of its own (`…Run`), which stay in this process.
 */
import './with-resolvers.mjs';
import { createServer } from 'node:http2';
import * as restate from '@restatedev/restate-sdk';
import { steps, width } from '../loops.mjs';

const [, , role] = process.argv;
const all = (promises) => restate.RestatePromise.all(promises);
const noopServices = [{ name: 'NoopA' }, { name: 'NoopB' }];
const call = (ctx, index, x) => ctx.serviceClient(noopServices[index % 2]).run(x);
const step = (ctx, name, value) => ctx.run(String(name), async () => value);

const workflows = {
  one: (ctx, x) => call(ctx, x, x),
  async chain(ctx, start) {
    let value = start;
    for (let index = 0; index < steps; index++) value = await call(ctx, index, value);
    return value;
  },
  async fan(ctx) {
    const values = await all(Array.from({ length: width }, (_, index) => call(ctx, index, index)));
    return call(ctx, 0, values.length);
  },
  async diamond(ctx, x) {
    const a = await call(ctx, x, x);
    const [b, c, d] = await all([call(ctx, x + 1, a), call(ctx, x, a), call(ctx, x + 1, a)]);
    return call(ctx, x, b + c + d);
  },
  oneRun: (ctx, x) => step(ctx, 'one', x),
  async chainRun(ctx, start) {
    let value = start;
    for (let index = 0; index < steps; index++) {
      const given = value;
      value = await step(ctx, index, given);
    }
    return value;
  },
  async fanRun(ctx) {
    const values = await all(Array.from({ length: width }, (_, index) => step(ctx, index, index)));
    return step(ctx, 'count', values.length);
  },
  async diamondRun(ctx, x) {
    const a = await step(ctx, 'a', x);
    const [b, c, d] = await all(['b', 'c', 'd'].map((name) => step(ctx, name, a)));
    return step(ctx, 'e', b + c + d);
  },
};

const handlers = role === 'Workflows' ? workflows : { run: async (_ctx, x) => x };
const services = [restate.service({ name: role, handlers })];
const server = createServer(restate.createEndpointHandler({ services }));
process.stdin.on('end', () => process.exit(0)).resume();
server.listen(0, '127.0.0.1', () => console.log(`serving at http://127.0.0.1:${server.address().port}`));
