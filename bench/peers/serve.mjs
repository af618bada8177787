/** A driver's and a worker's side of driver-protocol.ts. Ends its process when its stdin ends: with whoever started it, whatever it is at. */
import { createInterface } from 'node:readline';

const say = (body) => process.stdout.write(`${JSON.stringify(body)}\n`);

/** Says that it is ready, and measures each form that is asked for: `{ 'W1 flow': async () => [2_671, …] }`. A worker has none. */
export function serve(forms = {}) {
  createInterface({ input: process.stdin })
    .on('close', () => process.exit(0))
    .on('line', (line) => void answer(forms, JSON.parse(line).form));
  say({ ready: true });
}

async function answer(forms, form) {
  try {
    say({ values: await forms[form]() });
  } catch (error) {
    say({ error: `${form}: ${error instanceof Error ? error.message : String(error)}` });
  }
}
