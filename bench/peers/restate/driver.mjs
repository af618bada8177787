/** Measures Restate from its ingress: a workflow is called, and its value comes as the answer. */
import './with-resolvers.mjs';
import { connect } from '@restatedev/restate-sdk-clients';
import { w1, w2, w3, w4 } from '../loops.mjs';
import { serve } from '../serve.mjs';

const [, , url] = process.argv;
const workflows = connect({ url }).serviceClient({ name: 'Workflows' });

serve({
  'W1 ctx.run': () => w1((start) => workflows.chainRun(start)),
  'W1 service calls': () => w1((start) => workflows.chain(start)),
  'W2 ctx.run': () => w2(() => workflows.fanRun()),
  'W2 service calls': () => w2(() => workflows.fan()),
  'W3 ctx.run, 50 in flight': () => w3(50, (x) => workflows.diamondRun(x)),
  'W3 ctx.run, 200 in flight': () => w3(200, (x) => workflows.diamondRun(x)),
  'W3 service calls, 200 in flight': () => w3(200, (x) => workflows.diamond(x)),
  'W4 ctx.run': () => w4((x) => workflows.oneRun(x)),
  'W4 service calls': () => w4((x) => workflows.one(x)),
});
