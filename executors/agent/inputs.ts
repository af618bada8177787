/**
 * Brings a task's template and inputs together: bytes that came along, values pulled from the hub, and pointers inside lists replaced by what they stand
 * for. Most tasks need nothing of it: `inlineInputs` says so without a promise. Not here: the transfer (pull.ts).
 */
import type { AssignedTask } from '../../bus/protocol/agent.ts';
import { encodeList, isPointer, pointerOf } from '../../bus/value/list.ts';
import { isSettled, mayPoint, partsOf, withContent } from '../../bus/value/settled.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { LARGEST_IN_MEMORY, type BlobCache, type LentFile } from './blob-cache.ts';
import type { TaskInput } from '../executor.ts';
import type { HeldValues } from './held-values.ts';
import { pull, pullTo, type PullOptions } from './pull.ts';
import { SharedWork } from './shared-work.ts';
import type { Stock } from './stock.ts';

/** Lists within lists. */
const DEEPEST = 32;
/** Pulls at once, so that a list of 10,000 pointers doesn't ask for all of them together. */
const AT_ONCE = 8;

type Arguments = Pick<AssignedTask, 'template' | 'inputs'>;

/** Template and inputs without pointers; large ones are files. */
export interface WholeArguments {
  readonly template: Uint8Array;
  readonly inputs: readonly TaskInput[];
}

/** When all of it came along; else undefined. */
export function inlineInputs({ template, inputs }: Arguments): WholeArguments | undefined {
  if (!(template instanceof Uint8Array) || !isInputs(inputs)) return undefined;
  return inputs.every(isPlain) ? { template, inputs } : undefined;
}

const isPlain = (input: Uint8Array | ValueInfo): input is Uint8Array => input instanceof Uint8Array && !mayPoint(input);

export class Inputs {
  readonly #options: PullOptions;
  readonly #cache: BlobCache;
  readonly #held: HeldValues;
  readonly #pulling = new SharedWork<Digest, Uint8Array>();
  readonly #filing = new SharedWork<Digest, void>();
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(options: PullOptions, { cache, values }: Pick<Stock, 'cache' | 'values'>) {
    this.#options = options;
    this.#cache = cache;
    this.#held = values;
  }

  /** The template and all inputs. `holds` gets the files among them. Raises VALUE_MISSING, VALUE_TOO_LARGE, BAD_MESSAGE, or the signal's reason. */
  async resolve(
    { template, inputs }: Arguments,
    signal: AbortSignal,
    holds: (file: LentFile) => void,
  ): Promise<WholeArguments> {
    const [whole, all] = await Promise.all([
      template instanceof Uint8Array ? template : this.#fetch(template, signal),
      this.#all(inputs, signal, holds),
    ]);
    return { template: whole, inputs: all };
  }

  async #all(
    inputs: AssignedTask['inputs'],
    signal: AbortSignal,
    holds: (file: LentFile) => void,
  ): Promise<readonly TaskInput[]> {
    if (isInputs(inputs)) return Promise.all(inputs.map((input) => this.#whole(input, signal, holds)));
    const list = await this.#fetch(inputs, signal);
    return Promise.all(partsOf(list).map((element) => this.#whole(element, signal, holds)));
  }

  async #whole(
    input: Uint8Array | ValueInfo,
    signal: AbortSignal,
    holds: (file: LentFile) => void,
  ): Promise<TaskInput> {
    if (input instanceof Uint8Array)
      return isPointer(input) ? this.#whole(pointerOf(input), signal, holds) : this.#expand(input, signal, 0);
    const lent = input.size > LARGEST_IN_MEMORY ? await this.#lend(input, signal) : undefined;
    if (lent === undefined) return this.#expand(await this.#fetch(input, signal), signal, 0);
    const first = await lent.first();
    if (first === undefined || mayPoint(first)) {
      lent.giveBack();
      return this.#expand(await this.#fetch(input, signal), signal, 0);
    }
    holds(lent);
    return { file: lent.file };
  }

  /** The file of a value, pulled if it isn't here; undefined when this disk can't take it. */
  async #lend({ digest, size }: ValueInfo, signal: AbortSignal): Promise<LentFile | undefined> {
    const kept = this.#held.lend({ digest, size }) ?? (await this.#cache.lend(digest, size));
    if (kept !== undefined) return kept;
    const toFile = (): Promise<void> =>
      this.#cache.take(digest, size, (to) =>
        pullTo(this.#options, { digest, size }, { begin: () => to.begin(), take: (bytes) => to.write(bytes) }, signal),
      );
    try {
      await this.#filing.run(digest, signal, () => this.#limited(toFile));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PolaronError) throw error;
      return undefined;
    }
    return this.#cache.lend(digest, size);
  }

  /** Replaces pointers by the values that they stand for. */
  async #expand(bytes: Uint8Array, signal: AbortSignal, depth: number): Promise<Uint8Array> {
    if (depth > DEEPEST) throw new PolaronError('BAD_MESSAGE', `input: lists nested deeper than ${DEEPEST}`);
    if (isPointer(bytes)) return this.#expand(await this.#fetch(pointerOf(bytes), signal), signal, depth + 1);
    const parts = partsOf(bytes);
    if (!parts.some(holdsPointers)) return bytes;
    const whole = await Promise.all(parts.map((part) => this.#expand(part, signal, depth + 1)));
    const [content] = whole;
    return isSettled(bytes) && content !== undefined ? withContent(bytes, content) : encodeList(whole);
  }

  async #fetch(info: ValueInfo, signal: AbortSignal): Promise<Uint8Array> {
    const kept = (await this.#held.whole(info)) ?? (await this.#cache.get(info.digest, info.size));
    if (kept !== undefined) return kept;
    return this.#pulling.run(info.digest, signal, () =>
      this.#limited(async () => {
        const bytes = await pull(this.#options, info, signal);
        await this.#cache.put(info.digest, bytes);
        return bytes;
      }),
    );
  }

  async #limited<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#queue.shift()?.();
    }
  }
}

const isInputs = (inputs: AssignedTask['inputs']): inputs is readonly (Uint8Array | ValueInfo)[] =>
  Array.isArray(inputs);

/** As far as can be told at little cost. Ends of items stand in a list by thousands, nearly all without a pointer. */
const holdsPointers = (part: Uint8Array): boolean => (isSettled(part) ? partsOf(part).some(mayPoint) : mayPoint(part));
