/** Gathers an attempt's inputs for the assign message: bytes from the cache, or from the result manager; a digest for what is large. */
import { errorInfoOf, type ErrorInfo, type ValueInfo } from '../../model/outcome.ts';
import type { TaskInput } from '../../bus/protocol/agent.ts';
import type { ResultsClient } from '../results-client.ts';
import type { ValueCache } from '../services.ts';

/** Values over this are pulled by the agent. The same as the store's INLINE_VALUE_BYTES. */
const INLINE_BYTES = 64 * 1024;
/** All inputs of one task inside one message; more become one list value that the agent pulls. */
const MESSAGE_BYTES = 256 * 1024;

export interface InputsResult {
  readonly inputs?: readonly TaskInput[] | ValueInfo;
  readonly error?: ErrorInfo;
}

/** The inputs when all are at hand; otherwise undefined, and `done` is called later. */
export function readInputs(
  infos: readonly ValueInfo[],
  values: ValueCache,
  results: ResultsClient,
  done: (result: InputsResult) => void,
): readonly TaskInput[] | undefined {
  let total = 0;
  for (const info of infos) total += info.size <= INLINE_BYTES ? info.size + 4 : 80;
  if (total > MESSAGE_BYTES) {
    results.ask('results.compose', { elements: infos }).then(
      (answer) => done({ inputs: answer.value }),
      (error: unknown) => done({ error: errorInfoOf(error, 'VALUE_MISSING') }),
    );
    return undefined;
  }
  const inputs: TaskInput[] = [];
  const missing: ValueInfo[] = [];
  for (const info of infos) {
    const bytes = info.size <= INLINE_BYTES ? values.get(info.digest) : undefined;
    if (bytes === undefined && info.size <= INLINE_BYTES) missing.push(info);
    inputs.push(bytes ?? info);
  }
  if (missing.length === 0) return inputs;
  results.ask('results.read', { digests: missing.map((info) => info.digest) }).then(
    (answer) => {
      answer.values.forEach((bytes, i) => {
        const info = missing[i];
        if (bytes !== undefined && info !== undefined) values.put(info.digest, bytes);
      });
      const found = new Map(missing.map((info, i) => [info.digest, answer.values[i]]));
      done({ inputs: infos.map((info) => found.get(info.digest) ?? values.get(info.digest) ?? info) });
    },
    (error: unknown) => done({ error: errorInfoOf(error, 'VALUE_MISSING') }),
  );
  return undefined;
}
