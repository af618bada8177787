/**
 * Runs a traced lattice in this process, without a hub: `.local()`.
 * Values go through the codec between electrons, so what an electron gets is what it would get in a real run. Not so: retries, timeouts,
 * executors and isolation. A failure skips what needs it, and the first one that the output needs is thrown.
 */
import { decodeTemplate, followPath } from '../bus/value/template.ts';
import { decodeValue, encodeValue } from '../bus/value/value.ts';
import type { ElectronEntry } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import {
  DRAWING,
  IDENTITY_ELECTRON,
  type ElectronNode,
  type Input,
  type LatticeNode,
  type MapNode,
  type WireNode,
} from '../model/graph.ts';
import type { Digest } from '../model/ids.ts';
import { withLocalTask, type LocalRunAbout } from './context.ts';
import { LocalGate } from './local-gate.ts';
import { Failures } from './local-settled.ts';
import { traceInner, type Trace } from './trace.ts';

type Bytes = Uint8Array;

/** A scope being run: the lattice, or a map's body for one item. */
interface Frame {
  readonly parent: Frame | undefined;
  /** `[3]` of an item; shown behind electrons' names. */
  readonly suffix: string;
  /** `2[3].` of item 3 of node 2; before a node's number it is `context().nodeId`. */
  readonly path: string;
  readonly item: Bytes | undefined;
  readonly index: number;
  readonly nodes: Promise<Bytes>[];
}

class LocalRun {
  readonly #definitions: readonly (ElectronEntry | undefined)[];
  readonly #values: ReadonlyMap<Digest, Bytes>;
  readonly #inner: Trace['inner'];

  /** By the number of its definition: an electron with the lattice's hooks around it. */
  readonly #functions: readonly (ElectronEntry['fn'] | undefined)[];
  readonly #about: LocalRunAbout;
  readonly #failures = new Failures();

  constructor(trace: Trace, about: LocalRunAbout) {
    const { hooking, graph } = trace;
    this.#functions = trace.definitions.map((entry, i) =>
      entry === undefined || hooking === undefined || graph.electrons[i]?.hooks === undefined
        ? entry?.fn
        : hooking.fn(entry.fn, entry.name),
    );
    this.#about = about;
    this.#inner = trace.inner;
    this.#definitions = trace.definitions;
    this.#values = trace.values;
  }

  async output(trace: Trace): Promise<unknown> {
    const frame: Frame = { parent: undefined, suffix: '', path: '', item: undefined, index: 0, nodes: [] };
    this.#start(frame, trace.graph.nodes);
    const { template, inputs } = trace.graph.output;
    const output = await this.#fill(frame, 'result of the lattice', template, inputs);
    // As in a real run: what the output doesn't need also runs to its end, and may fail.
    await Promise.allSettled(frame.nodes);
    return output;
  }

  #start(frame: Frame, nodes: readonly WireNode[]): void {
    for (const [number, node] of nodes.entries()) {
      const nodeId = `${frame.path}${number}`;
      const running = this.#run(frame, node, nodeId);
      // Those that nobody awaits before the first failure is thrown don't count as unhandled, either.
      running.catch((error: unknown) =>
        this.#failures.add(error, { node: this.#nameOf(frame, node), isLattice: node.kind === 'lattice' }),
      );
      frame.nodes.push(running);
    }
  }

  #nameOf({ suffix }: Frame, node: WireNode): string {
    const name = node.kind === 'electron' ? this.#definitions[node.electron]?.name : node.name;
    return (name ?? IDENTITY_ELECTRON) + suffix;
  }

  #run(frame: Frame, node: WireNode, nodeId: string): Promise<Bytes> {
    if (node.kind === 'map') return this.#runMap(frame, node, nodeId);
    return node.kind === 'lattice' ? this.#runLattice(frame, node) : this.#runElectron(frame, node, nodeId);
  }

  async #runLattice(frame: Frame, node: LatticeNode): Promise<Bytes> {
    await this.#waitFor(frame, node.after);
    const drawn: unknown = decodeValue(await this.#bytes(frame, node.graph));
    const args: unknown = Array.isArray(drawn) ? drawn[1] : undefined;
    const trace = traceInner(this.#inner.get(node), Array.isArray(args) ? args : []);
    return encodeValue(
      await runLocal(trace, { ...this.#about, latticeName: node.name }),
      `lattice "${node.name}": result`,
    );
  }

  async #runElectron(frame: Frame, node: ElectronNode, nodeId: string): Promise<Bytes> {
    await this.#waitFor(frame, node.after);
    const entry = this.#definitions[node.electron];
    const name = (entry?.name ?? 'identity') + frame.suffix;
    const args = await this.#fill(frame, `electron "${name}"`, node.template, node.inputs);
    const list: readonly unknown[] = Array.isArray(args) ? args : [];
    const fn = this.#functions[node.electron];
    if (entry === undefined || fn === undefined) return encodeValue(list[0], 'identity');
    // what an agent would draw from these is traced here when it is run
    if (name.startsWith(DRAWING)) return encodeValue([undefined, list], name);
    try {
      const run = async (): Promise<unknown> => Reflect.apply(fn, undefined, list);
      const value: unknown = await withLocalTask(nodeId, entry.name, run, this.#about);
      return encodeValue(value, `electron "${name}": result`, 'RESULT_NOT_SERIALISABLE');
    } catch (error) {
      throw failureOf(name, error);
    }
  }

  async #runMap(frame: Frame, node: MapNode, nodeId: string): Promise<Bytes> {
    await this.#waitFor(frame, node.after);
    const items = decodeValue(await this.#bytes(frame, node.over));
    if (!Array.isArray(items)) {
      const label = `map "${node.name}${frame.suffix}"${node.at === undefined ? '' : ` (${node.at})`}`;
      throw new PolaronError(
        'MAP_ARG',
        `${label}: the value that it runs over is not an array but of type ${typeof items}`,
      );
    }
    const gate = new LocalGate(node.concurrency);
    const list: readonly unknown[] = items;
    const results = list.map((item, index) =>
      gate.run(() => {
        const run = this.#runItem(frame, node, nodeId, item, index);
        return node.onItemError === 'collect' ? this.#failures.settled(run) : run;
      }),
    );
    return encodeValue(await Promise.all(results), `map "${node.name}"`);
  }

  async #runItem(parent: Frame, node: MapNode, nodeId: string, item: unknown, index: number): Promise<unknown> {
    const bytes = encodeValue(item, `item ${index} of map "${node.name}"`);
    const suffix = `${parent.suffix}[${index}]`;
    const frame: Frame = { parent, suffix, path: `${nodeId}[${index}].`, item: bytes, index, nodes: [] };
    this.#start(frame, node.body.nodes);
    // The map ends when all of its bodies have ended, as in a real run.
    const ended = Promise.allSettled(frame.nodes);
    if (node.onItemError === 'collect') await ended;
    const output = await found(frame.nodes[node.body.output]);
    await ended;
    return decodeValue(output);
  }

  async #waitFor(frame: Frame, after: readonly number[]): Promise<void> {
    await Promise.all(after.map(async (id) => frame.nodes[id]));
  }

  /** A template with its inputs' values; each gets its own copy, as on an agent. */
  async #fill(frame: Frame, what: string, template: Bytes, inputs: readonly Input[]): Promise<unknown> {
    const bytes = await Promise.all(inputs.map((input) => this.#bytes(frame, input)));
    const whose = (input: number): string => `${what}, input ${input + 1}`;
    const values = bytes.map((b, input) => decodeValue(b, undefined, () => whose(input)));
    return decodeTemplate(template, (input, path) => followPath(values[input], path, whose(input)), what);
  }

  async #bytes(frame: Frame, input: Input): Promise<Bytes> {
    if (typeof input === 'number') return found(frame.nodes[input]);
    if ('value' in input) return found(this.#values.get(input.value));
    if ('up' in input) return found(outer(frame, input.up).nodes[input.node]);
    if ('item' in input) return found(outer(frame, input.item).item);
    return encodeValue(outer(frame, input.index).index, 'index');
  }
}

function found<T>(value: T | undefined): T {
  if (value !== undefined) return value;
  throw new PolaronError('GRAPH_INVALID', 'an input of the graph names nothing');
}

function outer(frame: Frame, up: number): Frame {
  let at: Frame | undefined = frame;
  for (let i = 0; i < up; i++) at = at?.parent;
  return found(at);
}

/** Codes whose message names the electron already. */
const OWN_TEXT = new Set<string>(['RESULT_NOT_SERIALISABLE', 'HOOK_FAILED']);

/** The user's error, with the electron's name in front. */
function failureOf(name: string, error: unknown): PolaronError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof PolaronError && OWN_TEXT.has(error.code)) return error;
  const code = error instanceof PolaronError ? error.code : 'TASK_THREW';
  return new PolaronError(code, `electron "${name}" failed: ${message}`, { cause: error, details: { electron: name } });
}

/** Runs `trace` here. Raises TASK_THREW (or the code of the electron's own PolaronError) for the first failed electron that the output needs; its error is the `cause`. */
export const runLocal = (trace: Trace, about: LocalRunAbout): Promise<unknown> =>
  new LocalRun(trace, about).output(trace);
