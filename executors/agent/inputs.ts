/**
 * Brings a task's template and inputs together: bytes that came along, values pulled from the hub, and pointers inside lists replaced by what they stand
 * for. Most tasks need nothing of it: `inlineInputs` says so without a promise. Not here: the transfer (pull.ts).
 */
import type { AssignedTask } from '../../bus/protocol/agent.ts';
import { encodeList, isList, isPointer, listElement, listLength, pointerOf } from '../../bus/value/list.ts';
import { PolaronError } from '../../model/errors.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import type { BlobCache } from './blob-cache.ts';
import { pull, type PullOptions } from './pull.ts';

/** Lists within lists. */
const DEEPEST = 32;
/** Pulls at once, so that a list of 10,000 pointers doesn't ask for all of them together. */
const AT_ONCE = 8;

type Arguments = Pick<AssignedTask, 'template' | 'inputs'>;

/** Template and inputs as bytes without pointers. */
export interface WholeArguments {
  readonly template: Uint8Array;
  readonly inputs: readonly Uint8Array[];
}

/** When all of it came along; else undefined. */
export function inlineInputs({ template, inputs }: Arguments): WholeArguments | undefined {
  if (!(template instanceof Uint8Array) || !isInputs(inputs)) return undefined;
  return inputs.every(isPlain) ? { template, inputs } : undefined;
}

const isPlain = (input: Uint8Array | ValueInfo): input is Uint8Array =>
  input instanceof Uint8Array && !isList(input) && !isPointer(input);

export class Inputs {
  readonly #options: PullOptions;
  readonly #cache: BlobCache;
  readonly #pulling = new Map<Digest, Promise<Uint8Array>>();
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(options: PullOptions, cache: BlobCache) {
    this.#options = options;
    this.#cache = cache;
  }

  /** The template and all inputs as bytes. Raises VALUE_MISSING, VALUE_TOO_LARGE, BAD_MESSAGE, or the signal's reason. */
  async resolve({ template, inputs }: Arguments, signal: AbortSignal): Promise<WholeArguments> {
    const [whole, all] = await Promise.all([
      template instanceof Uint8Array ? template : this.#fetch(template, signal),
      this.#all(inputs, signal),
    ]);
    return { template: whole, inputs: all };
  }

  async #all(inputs: AssignedTask['inputs'], signal: AbortSignal): Promise<readonly Uint8Array[]> {
    if (isInputs(inputs)) return Promise.all(inputs.map((input) => this.#whole(input, signal)));
    const list = await this.#fetch(inputs, signal);
    return Promise.all(elementsOf(list).map((element) => this.#expand(element, signal, 0)));
  }

  async #whole(input: Uint8Array | ValueInfo, signal: AbortSignal): Promise<Uint8Array> {
    return this.#expand(input instanceof Uint8Array ? input : await this.#fetch(input, signal), signal, 0);
  }

  /** Replaces pointers by the values that they stand for. */
  async #expand(bytes: Uint8Array, signal: AbortSignal, depth: number): Promise<Uint8Array> {
    if (depth > DEEPEST) throw new PolaronError('BAD_MESSAGE', `input: lists nested deeper than ${DEEPEST}`);
    if (isPointer(bytes)) return this.#expand(await this.#fetch(pointerOf(bytes), signal), signal, depth + 1);
    if (!isList(bytes)) return bytes;
    const elements = elementsOf(bytes);
    if (!elements.some((element) => isPointer(element) || isList(element))) return bytes;
    return encodeList(await Promise.all(elements.map((element) => this.#expand(element, signal, depth + 1))));
  }

  async #fetch(info: ValueInfo, signal: AbortSignal): Promise<Uint8Array> {
    const kept = await this.#cache.get(info.digest, info.size);
    if (kept !== undefined) return kept;
    // several tasks may wait for one value: a task that gives up must not take it from the others, so each pull has its first task's signal
    const pulling = this.#pulling.get(info.digest);
    if (pulling !== undefined) {
      try {
        return await pulling;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof PolaronError) throw error;
        return this.#fetch(info, signal);
      }
    }
    const mine = this.#limited(() => pull(this.#options, info, signal)).finally(() =>
      this.#pulling.delete(info.digest),
    );
    this.#pulling.set(info.digest, mine);
    const bytes = await mine;
    await this.#cache.put(info.digest, bytes);
    return bytes;
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

function elementsOf(list: Uint8Array): Uint8Array[] {
  const elements: Uint8Array[] = [];
  const length = listLength(list);
  for (let i = 0; i < length; i++) elements.push(listElement(list, i));
  return elements;
}
