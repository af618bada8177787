/**
 * Gathers what an attempt's assign carries of its arguments: bytes from the cache or the result manager, and for what is large a value to pull.
 * Not here: whether all of it fits a message (matchmaker/assigner.ts).
 */
import { errorInfoOf, type ErrorInfo, type ValueInfo } from '../../model/outcome.ts';
import type { Arguments } from '../../bus/protocol/actors.ts';
import type { TaskInput } from '../../bus/protocol/agent.ts';
import { PIN_MS } from '../../store/store.ts';
import type { ResultsClient } from '../results-client.ts';
import type { ElectronWork, ValueCache } from '../services.ts';

/** Values over this are pulled by the agent. The same as the store's INLINE_VALUE_BYTES. */
const INLINE_BYTES = 64 * 1024;
/** A larger template is stored and pulled: a fan-in over 100,000 electrons has one of a megabyte. */
const TEMPLATE_BYTES = 128 * 1024;
/** All inputs of one task inside one message; more become one list value that the agent pulls. */
const MESSAGE_BYTES = 256 * 1024;

/**
 * Stored templates, so that retries and the items of a map store theirs once. A template's bytes belong to one graph in one hub. No record names such a
 * value, so it is stored again before the sweep may take it.
 */
const stored = new WeakMap<Uint8Array, { readonly value: Promise<ValueInfo>; readonly untilMs: number }>();
const STORED_MS = PIN_MS / 2;

/** Template and inputs when all are at hand; otherwise undefined, and `done` is called later. */
export function readInputs(
  work: Pick<ElectronWork, 'template' | 'inputs'>,
  values: ValueCache,
  results: ResultsClient,
  /** By the monotonic clock. */
  nowMs: number,
  done: (result: Arguments | { readonly error: ErrorInfo }) => void,
): Arguments | undefined {
  const template = templateOf(work.template, results, nowMs);
  const inputs = inputsOf(work.inputs, values, results);
  if (!(template instanceof Promise) && !(inputs instanceof Promise)) return { template, inputs };
  Promise.all([template, inputs]).then(
    ([whole, all]) => done({ template: whole, inputs: all }),
    (error: unknown) => done({ error: errorInfoOf(error, 'VALUE_MISSING') }),
  );
  return undefined;
}

function templateOf(template: Uint8Array, results: ResultsClient, nowMs: number): Uint8Array | Promise<ValueInfo> {
  if (template.byteLength <= TEMPLATE_BYTES) return template;
  const known = stored.get(template);
  if (known !== undefined && known.untilMs > nowMs) return known.value;
  const value = results.ask('results.store', { bytes: template }).then((answer) => answer.value);
  stored.set(template, { value, untilMs: nowMs + STORED_MS });
  value.catch(() => stored.delete(template));
  return value;
}

function inputsOf(
  infos: readonly ValueInfo[],
  values: ValueCache,
  results: ResultsClient,
): readonly TaskInput[] | Promise<readonly TaskInput[] | ValueInfo> {
  let total = 0;
  for (const info of infos) total += info.size <= INLINE_BYTES ? info.size + 5 : 110;
  if (total > MESSAGE_BYTES) return results.ask('results.compose', { elements: infos }).then(({ value }) => value);
  const inputs: TaskInput[] = [];
  const missing: ValueInfo[] = [];
  for (const info of infos) {
    const bytes = info.size <= INLINE_BYTES ? values.get(info.digest) : undefined;
    if (bytes === undefined && info.size <= INLINE_BYTES) missing.push(info);
    inputs.push(bytes ?? info);
  }
  if (missing.length === 0) return inputs;
  return results.ask('results.read', { digests: missing.map((info) => info.digest) }).then((answer) => {
    answer.values.forEach((bytes, i) => {
      const info = missing[i];
      if (bytes !== undefined && info !== undefined) values.put(info.digest, bytes);
    });
    const found = new Map(missing.map((info, i) => [info.digest, answer.values[i]]));
    return infos.map((info) => found.get(info.digest) ?? values.get(info.digest) ?? info);
  });
}
