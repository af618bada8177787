/** Measures DBOS in the process that runs its workflows, as it is used. */
import { DBOS } from '@dbos-inc/dbos-sdk';
import { steps, w1, w2, w3, w4, width } from '../loops.mjs';
import { serve } from '../serve.mjs';

const [, , systemDatabaseUrl] = process.argv;
const step = (value) => DBOS.runStep(async () => value, { name: 'noop' });

const one = DBOS.registerWorkflow(step, { name: 'one' });

async function runChain(start) {
  let value = start;
  for (let index = 0; index < steps; index++) value = await step(value);
  return value;
}
const chain = DBOS.registerWorkflow(runChain, { name: 'chain' });

async function runFan() {
  const values = await Promise.all(Array.from({ length: width }, (_, index) => step(index)));
  return step(values.length);
}
const fan = DBOS.registerWorkflow(runFan, { name: 'fan' });

async function runDiamond(x) {
  const a = await step(x);
  const [b, c, d] = await Promise.all([step(a), step(a), step(a)]);
  return step(b + c + d);
}
const diamond = DBOS.registerWorkflow(runDiamond, { name: 'diamond' });

DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl,
  systemDatabasePoolSize: 20,
  runAdminServer: false,
  logLevel: 'error',
  applicationVersion: '1',
});
await DBOS.launch();
serve({
  'W1 steps': () => w1(chain),
  'W2 steps': () => w2(fan),
  'W3 steps, 20 in flight': () => w3(20, diamond),
  'W3 steps, 100 in flight': () => w3(100, diamond),
  'W4 steps': () => w4(one),
});
