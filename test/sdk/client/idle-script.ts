/** Run by idle.test.ts as a user's script: does one thing, says when its last await was over, and is left to end by itself. */
import { connect, dispatchSync, electron, getResult, lattice, watch } from '../../../sdk/index.ts';

const double = electron(function double(x: number): number {
  return 2 * x;
});
const twice = lattice(function twice(x: number) {
  return double(x);
});

const [what = '', id = ''] = process.argv.slice(2);

async function act(): Promise<unknown> {
  switch (what) {
    case 'getResult':
      return (await getResult(id, { wait: true })).status;
    case 'watch': {
      let last = '';
      for await (const event of watch(id, { from: 'start' })) last = event.type;
      return last;
    }
    case 'client': {
      const client = await connect();
      return (await client.getResult(id)).status;
    }
    case 'dispatchSync': {
      const result = await dispatchSync(twice)(21);
      return result.status === 'completed' ? result.value : result.status;
    }
    default:
      return undefined;
  }
}

const answer = await act();
process.stdout.write(`${JSON.stringify({ at: Date.now(), answer })}\n`);
