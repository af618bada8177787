/**
 * Outcomes as bytes: what an agent keeps in its spool is what it reports, encoded once. The usual outcome is written by hand, every other by the
 * codec; both read as the same `done` (wire-agent.ts). Not here: messages, files.
 */
import { encodeBody } from '../codec.ts';
import { ByteWriter } from '../byte-writer.ts';
import type { FinishedTask } from './agent.ts';

/** An outcome and where its bytes are. */
export interface EncodedTask extends FinishedTask {
  readonly source: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** The keys in the order in which they are written, each with the header of the map that it begins. */
function key(map: number, name: string): Uint8Array {
  const out = new ByteWriter();
  if (map > 0) out.map(map);
  out.text(name);
  return out.finish();
}
const TASK = key(4, 'task');
const TOKEN = key(0, 'token');
const INPUTS_DIGEST = key(0, 'inputsDigest');
const STATUS = Buffer.concat([key(0, 'outcome'), key(4, 'status'), key(0, 'completed'), key(0, 'value')]);
const DIGEST = key(2, 'digest');
const SIZE = key(0, 'size');
const BYTES = key(0, 'bytes');
const STARTED_AT = Buffer.concat([key(0, 'usage'), key(2, 'startedAt')]);
const ENDED_AT = key(0, 'endedAt');
const EPOCH = key(2, 'epoch');
const OUTCOMES = key(0, 'outcomes');

function writeFinished(out: ByteWriter, finished: FinishedTask): void {
  const { task, token, inputsDigest, outcome } = finished;
  if (
    outcome.status !== 'completed' ||
    outcome.bytes === undefined ||
    outcome.logs !== undefined ||
    outcome.value.length !== undefined
  ) {
    out.raw(encodeBody({ task, token, inputsDigest, outcome }));
    return;
  }
  out.raw(TASK);
  out.text(task);
  out.raw(TOKEN);
  out.array(2);
  out.number(token[0]);
  out.number(token[1]);
  out.raw(INPUTS_DIGEST);
  out.text(inputsDigest);
  out.raw(STATUS);
  out.raw(DIGEST);
  out.text(outcome.value.digest);
  out.raw(SIZE);
  out.number(outcome.value.size);
  out.raw(BYTES);
  out.binary(outcome.bytes);
  out.raw(STARTED_AT);
  out.number(outcome.usage.startedAt);
  out.raw(ENDED_AT);
  out.number(outcome.usage.endedAt);
}

function writeHead(out: ByteWriter, epoch: number, count: number): void {
  out.raw(EPOCH);
  out.number(epoch);
  out.raw(OUTCOMES);
  out.array(count);
}

/** Only `cut`, never given back. */
const writer = new ByteWriter();

/** A whole `done` of epoch 0 behind `room` free bytes, and its outcomes with their places in it. */
export function encodeOutcomes(
  outcomes: readonly FinishedTask[],
  room: number,
): { readonly bytes: Uint8Array; readonly tasks: readonly EncodedTask[] } {
  const places: number[] = [];
  // whatever an error left behind
  writer.at = 0;
  for (let i = 0; i < room; i++) writer.byte(0);
  writeHead(writer, 0, outcomes.length);
  for (const finished of outcomes) {
    places.push(writer.at);
    writeFinished(writer, finished);
  }
  places.push(writer.at);
  const source = writer.cut();
  const tasks = outcomes.map(({ task, token, inputsDigest, outcome }, i) => ({
    task,
    token,
    inputsDigest,
    outcome,
    source,
    from: places[i] ?? 0,
    to: places[i + 1] ?? 0,
  }));
  return { bytes: source, tasks };
}

/** The body of a `done` with outcomes that are encoded already. */
export function encodeDone(epoch: number, tasks: readonly EncodedTask[]): Uint8Array {
  writer.at = 0;
  writeHead(writer, epoch, tasks.length);
  for (let i = 0; i < tasks.length; ) i = copyRun(tasks, i);
  return writer.cut();
}

/** Copies outcomes that lie behind each other in one piece; returns the first that doesn't. */
function copyRun(tasks: readonly EncodedTask[], first: number): number {
  const begin = tasks[first];
  if (begin === undefined) return tasks.length;
  let { to } = begin;
  let next = first + 1;
  for (let one = tasks[next]; one !== undefined && one.source === begin.source && one.from === to; one = tasks[next]) {
    ({ to } = one);
    next++;
  }
  writer.raw(begin.source.subarray(begin.from, to));
  return next;
}
