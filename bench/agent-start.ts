/**
 * How long somebody waits who starts an agent for work that is there already: from the start of the process `polaron agent` until an electron that only it can run has ended,
 * its value in the caller's hands. Once with an agent that has nothing of before, and once more in the home that it left, where the code is kept.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { dispatch, getValue, lattice } from 'polaron';
import { field } from './field.ts';
import { forLate } from './noop.ts';
import { command, environmentOf } from './polaron.ts';
import type { Answer, Bed, Question } from './question.ts';
import { type Summary, summary } from './statistics.ts';
import { check } from './workload.ts';

const limit = { atMost: 500 };
const freshGoal = { what: 'a new agent to its first electron, ms', limit };
const againGoal = { what: 'an agent that ran before to its first electron, ms', limit };
const waits = lattice(function waits(value: number) {
  return forLate(value);
});

export const agentStart: Question = {
  id: 'agent-start',
  asks: 'from the start of `polaron agent` until an electron that waited for it has ended',
  bus: 'each',
  goals: [freshGoal, againGoal],
  notMeasured: [
    'a cold disk cache, a network between agent and hub',
    'NODE_EXTRA_CA_CERTS, which Node 20 reads at each start of a process, some 50 ms; it is taken out of the environment here',
  ],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  const { NODE_EXTRA_CA_CERTS: certificates } = process.env;
  delete process.env['NODE_EXTRA_CA_CERTS'];
  try {
    const hub = await bed.freshHub({ agents: 0 });
    const [fresh, again]: [number[], number[]] = [[], []];
    for (let run = 0; run < bed.runs; run++) {
      const name = `late-${run}`;
      const bus = bed.bus.hubUrl ?? invited(await hub.run(['invite', name, '--json']));
      const home = join(hub.home, 'agents', name);
      mkdirSync(home, { recursive: true });
      fresh.push(await started(bus, name, home, run));
      again.push(await started(bus, name, home, run));
    }
    const [freshMs, againMs] = [summary(fresh), summary(again)];
    const shown = ({ median, min, max }: Summary): string => `${median} ms (${min}–${max})`;
    return {
      figures: { freshMs, againMs },
      got: { [freshGoal.what]: freshMs.median, [againGoal.what]: againMs.median },
      text: `${shown(freshMs)} with nothing of before, ${shown(againMs)} in the home of one before`,
    };
  } finally {
    if (certificates !== undefined) process.env['NODE_EXTRA_CA_CERTS'] = certificates;
  }
}

function invited(json: string): string {
  const bus = field(JSON.parse(json), 'bus');
  if (typeof bus !== 'string') throw new Error('polaron invite --json has no bus');
  return bus;
}

/** ms. The agent is gone when it resolves. */
async function started(bus: string, name: string, home: string, value: number): Promise<number> {
  const id = await dispatch(waits)(value);
  const args = [command, 'agent', `--bus=${bus}`, `--name=${name}`, '--slots=1', '--capability=late'];
  const began = performance.now();
  // in a group of its own: a Ctrl-C leaves it alone until the bench ends it
  const child = spawn(process.execPath, args, { env: environmentOf(home), detached: true, stdio: 'ignore' });
  try {
    check(await getValue(id), value);
    return performance.now() - began;
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}
