/**
 * What does a warm call of a Python lepton cost, beside the same electron in JavaScript? Chains of both in turn, each step after the one before, from `dispatch()`
 * to the value; and the same call without hub and agent, by `.local()`. The functions give back what they are given.
 */
import { dispatch, getValue, lattice, lepton } from 'polaron';
import { noop } from './noop.ts';
import type { Answer, Bed, Question } from './question.ts';
import { median, tidy } from './statistics.ts';
import { check } from './workload.ts';

const steps = 100;
const rounds = 10;
const calls = 500;

const same = lepton<[number], number>({ name: 'same', language: 'python', source: './same.py', function: 'same' });
const inPython = lattice(function inPython(start: number) {
  let value = same(start);
  for (let step = 1; step < steps; step++) value = same(value);
  return value;
});
const inJavaScript = lattice(function inJavaScript(start: number) {
  let value = noop(start);
  for (let step = 1; step < steps; step++) value = noop(value);
  return value;
});

const overhead = { what: 'a warm Python call over the same electron in JavaScript, ms', limit: { atMost: 3 } };

export const leptons: Question = {
  id: 'lepton',
  asks: `${steps} dependent calls of a Python function, warm, beside the same in JavaScript`,
  bus: 'one',
  onlyNamed: 'it needs python3',
  goals: [overhead],
  notMeasured: ['the start of an interpreter, and imports', 'values that are not small'],
  measure,
};

async function measure(bed: Bed): Promise<Answer> {
  await bed.sharedHub();
  const [python, javascript]: [number[], number[]] = [[], []];
  for (let round = -2; round < rounds; round++) {
    const [inPythonMs, inJavaScriptMs] = [await perStep(inPython, round), await perStep(inJavaScript, round)];
    // the first rounds start the processes
    if (round < 0) continue;
    python.push(inPythonMs);
    javascript.push(inJavaScriptMs);
  }
  const localMs = await perLocalCall();
  const [pythonMs, javascriptMs] = [median(python), median(javascript)];
  const figures = { pythonMs: tidy(pythonMs), javascriptMs: tidy(javascriptMs), localMs: tidy(localMs) };
  return {
    figures,
    got: { [overhead.what]: pythonMs - javascriptMs },
    text: `a step in Python ${figures.pythonMs} ms, in JavaScript ${figures.javascriptMs} ms; a call by .local() ${figures.localMs} ms`,
  };
}

async function perStep(of: typeof inPython | typeof inJavaScript, start: number): Promise<number> {
  const began = performance.now();
  const value = await getValue(await dispatch(of)(start));
  const ms = (performance.now() - began) / steps;
  check(value, start);
  return ms;
}

async function perLocalCall(): Promise<number> {
  for (let call = 0; call < calls; call++) check(await same.local(call), call);
  const began = performance.now();
  for (let call = 0; call < calls; call++) check(await same.local(call), call);
  return (performance.now() - began) / calls;
}
