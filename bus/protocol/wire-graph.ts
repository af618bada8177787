/**
 * The transport graph as bytes: MessagePack with nodes as arrays instead of objects, so that 100,000 nodes stay small and quick.
 *
 * graph    [2, [electron…], [node…], [template, [input…]]]
 * electron bytes: an ElectronDef as a map (shared-parts.ts)
 * node     [0 or 1 (split), electron, template, [input…], [after…]]
 *          [2, name, over, [after…], concurrency, 0 (fail) or 1 (collect), [body node…], body output, where it was written (may be left out)]
 *          [3, name, graph, [after…]]
 * input    number | "digest" | [0, up, node] | [1, up] (item) | [2, up] (index)
 *
 * Counts are checked before what they count is read, so that a graph of ten million nodes is refused at its header.
 * Not here: whether references make sense (model/graph-check.ts).
 */
import { PolaronError } from '../../model/errors.ts';
import { DEFAULT_GRAPH_LIMITS, type GraphLimits } from '../../model/graph-check.ts';
import type { ElectronDef, ElectronNode, Input, LatticeNode, MapNode, WireGraph, WireNode } from '../../model/graph.ts';
import { isDigest } from '../../model/ids.ts';
import { type ByteWriter, takeWriter } from '../byte-writer.ts';
import { WireReader } from '../wire-reader.ts';
import { NAME_LENGTH } from './shape.ts';
import { partBytes, readElectron } from './shared-parts.ts';

const FORMAT = 2;
const SPLIT = 1;
const MAP = 2;
const LATTICE = 3;

/** A graph's bytes. Its definitions must not change afterwards. */
export function encodeGraph({ electrons, nodes, output }: WireGraph): Uint8Array {
  const definitions = electrons.map(partBytes);
  const out = takeWriter();
  out.array(4);
  out.number(FORMAT);
  out.array(definitions.length);
  for (const definition of definitions) out.binary(definition);
  writeNodes(out, nodes);
  out.array(2);
  out.binary(output.template);
  writeInputs(out, output.inputs);
  return out.finishMessage();
}

function writeNodes(out: ByteWriter, nodes: readonly WireNode[]): void {
  out.array(nodes.length);
  for (const node of nodes) {
    if (node.kind === 'map') writeMap(out, node);
    else if (node.kind === 'lattice') {
      out.array(4);
      out.number(LATTICE);
      out.text(node.name);
      writeInput(out, node.graph);
      writeNumbers(out, node.after);
    } else {
      out.array(5);
      out.number(node.split === true ? SPLIT : 0);
      out.number(node.electron);
      out.binary(node.template);
      writeInputs(out, node.inputs);
      writeNumbers(out, node.after);
    }
  }
}

function writeMap(out: ByteWriter, { name, over, after, concurrency, onItemError, body, at }: MapNode): void {
  out.array(at === undefined ? 8 : 9);
  out.number(MAP);
  out.text(name);
  writeInput(out, over);
  writeNumbers(out, after);
  out.number(concurrency);
  out.number(onItemError === 'collect' ? 1 : 0);
  writeNodes(out, body.nodes);
  out.number(body.output);
  if (at !== undefined) out.text(at);
}

function writeNumbers(out: ByteWriter, numbers: readonly number[]): void {
  out.array(numbers.length);
  for (const number of numbers) out.number(number);
}

function writeInputs(out: ByteWriter, inputs: readonly Input[]): void {
  out.array(inputs.length);
  for (const input of inputs) writeInput(out, input);
}

function writeInput(out: ByteWriter, input: Input): void {
  if (typeof input === 'number') out.number(input);
  else if ('up' in input) writeNumbers(out, [0, input.up, input.node]);
  else if ('item' in input) writeNumbers(out, [1, input.item]);
  else if ('index' in input) writeNumbers(out, [2, input.index]);
  else out.text(input.value);
}

/**
 * Reads a graph's structure; templates are views of `bytes`. Raises GRAPH_INVALID when it isn't one or is over a limit.
 * Give the result to `checkGraph` before using it.
 */
export function decodeGraph(bytes: Uint8Array, limits: GraphLimits = DEFAULT_GRAPH_LIMITS): WireGraph {
  try {
    return new GraphReader(bytes, limits).graph();
  } catch (error) {
    if (error instanceof PolaronError && error.code === 'BAD_MESSAGE') {
      throw new PolaronError('GRAPH_INVALID', `graph: ${error.message}`, { cause: error, details: error.details });
    }
    throw error;
  }
}

class GraphReader {
  readonly #reader: WireReader;
  readonly #limits: GraphLimits;
  #nodes = 0;
  #edges = 0;

  constructor(bytes: Uint8Array, limits: GraphLimits) {
    this.#reader = new WireReader(bytes);
    this.#limits = limits;
  }

  graph(): WireGraph {
    const reader = this.#reader;
    this.#expect(4, 'graph');
    const format = reader.uint();
    if (format !== FORMAT) throw invalid(`format ${format}, expected ${FORMAT}`);
    const count = reader.arrayHeader();
    if (count > this.#limits.maxNodes) throw invalid(`${count} electrons; at most ${this.#limits.maxNodes} are taken`);
    const electrons: ElectronDef[] = [];
    for (let i = 0; i < count; i++) electrons.push(readElectron(reader.bytes()));
    const nodes = this.#scope(0);
    this.#expect(2, 'output');
    const output = { template: reader.bytes(), inputs: this.#inputs() };
    reader.end();
    return { electrons, nodes, output };
  }

  /** Recursion is bounded by `maxDepth`. */
  #scope(depth: number): WireNode[] {
    if (depth > this.#limits.maxDepth) throw invalid(`maps nested deeper than ${this.#limits.maxDepth}`);
    const count = this.#reader.arrayHeader();
    this.#nodes += count;
    if (this.#nodes > this.#limits.maxNodes) {
      throw invalid(`${this.#nodes} nodes or more; at most ${this.#limits.maxNodes} are taken`);
    }
    const nodes: WireNode[] = [];
    for (let i = 0; i < count; i++) nodes.push(this.#node(depth));
    return nodes;
  }

  #node(depth: number): WireNode {
    const reader = this.#reader;
    const fields = reader.arrayHeader();
    const kind = reader.uint();
    if (kind === MAP && fields === 8) return this.#map(depth);
    if (kind === MAP && fields === 9) return { ...this.#map(depth), at: reader.text(NAME_LENGTH) };
    if (kind === LATTICE && fields === 4) return this.#lattice();
    if (kind > SPLIT || fields !== 5) throw invalid(`node of kind ${kind} with ${fields} fields`);
    const node: ElectronNode = {
      kind: 'electron',
      electron: reader.uint(),
      template: reader.bytes(),
      inputs: this.#inputs(),
      after: this.#numbers(),
    };
    return kind === SPLIT ? { ...node, split: true } : node;
  }

  #map(depth: number): MapNode {
    const reader = this.#reader;
    const name = reader.text(NAME_LENGTH);
    const over = this.#input();
    const after = this.#numbers();
    const concurrency = reader.uint();
    const onItemError = reader.uint() === 1 ? 'collect' : 'fail';
    const nodes = this.#scope(depth + 1);
    return { kind: 'map', name, over, after, concurrency, onItemError, body: { nodes, output: reader.uint() } };
  }

  #lattice(): LatticeNode {
    return {
      kind: 'lattice',
      name: this.#reader.text(NAME_LENGTH),
      graph: this.#input(),
      after: this.#numbers(),
    };
  }

  #inputs(): Input[] {
    const count = this.#countEdges();
    const inputs: Input[] = [];
    for (let i = 0; i < count; i++) inputs.push(this.#input());
    return inputs;
  }

  #numbers(): number[] {
    const count = this.#countEdges();
    const numbers: number[] = [];
    for (let i = 0; i < count; i++) numbers.push(this.#reader.uint());
    return numbers;
  }

  #countEdges(): number {
    const count = this.#reader.arrayHeader();
    this.#edges += count;
    if (this.#edges > this.#limits.maxEdges) {
      throw invalid(`${this.#edges} edges or more; at most ${this.#limits.maxEdges} are taken`);
    }
    return count;
  }

  #input(): Input {
    const reader = this.#reader;
    if (!reader.atArray) {
      const plain = reader.value();
      if (typeof plain === 'number' && Number.isSafeInteger(plain) && plain >= 0) return plain;
      if (isDigest(plain)) return { value: plain };
      throw invalid(`an input is ${typeof plain}; expected a node or a digest`);
    }
    const fields = reader.arrayHeader();
    const kind = reader.uint();
    if (kind === 0 && fields === 3) return { up: reader.uint(), node: reader.uint() };
    if (kind === 1 && fields === 2) return { item: reader.uint() };
    if (kind === 2 && fields === 2) return { index: reader.uint() };
    throw invalid(`an input of kind ${kind} with ${fields} fields`);
  }

  #expect(fields: number, what: string): void {
    const found = this.#reader.arrayHeader();
    if (found !== fields) throw invalid(`${what} has ${found} fields, expected ${fields}`);
  }
}

const invalid = (reason: string): PolaronError =>
  new PolaronError('GRAPH_INVALID', `graph: ${reason}`, { details: { reason } });
