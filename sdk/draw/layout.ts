/**
 * Where boxes and lines go, in rows, by dagre: it finds the rows, orders boxes in them and gives each line a gap between the boxes of every row that it passes.
 * Lines run straight through such a gap and bend only between rows, so that they never touch a box and never go back.
 * Everything is laid out downwards; what runs from left to right is turned around at the end.
 * Not here: what a box looks like (svg-box.ts). dagre is loaded when the first SVG is drawn: `import 'polaron'` doesn't need it.
 */
import { createRequire } from 'node:module';
import { PolaronError } from '../../model/errors.ts';
import { trusted } from '../../model/trusted.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}
export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Line<E> {
  readonly edge: E;
  /** The path as SVG writes it. */
  readonly path: string;
  /** Middle of its label. */
  readonly label: Point;
}
export interface Layout<E> extends Size {
  /** Upper left corners. */
  readonly corners: ReadonlyMap<string, Point>;
  readonly lines: readonly Line<E>[];
}

const BETWEEN_BOXES = 24;
const BETWEEN_LINES = 10;
const BETWEEN_ROWS = 52;
/** Lines at one side of a box. */
const LEAST_APART = 7;
const MOST_APART = 14;
/** Beyond it the shortest lines aren't looked for: that takes twice the time. */
const MANY_EDGES = 250;

interface Ends {
  readonly from: string;
  readonly to: string;
}
/** `row`: the middle of its row. */
interface Box extends Size, Point {
  readonly row: number;
}

/** What is used of dagre; its own types can't be resolved by modules of Node (docs/adr/023-drawing.md). Positions are middles; absent before the layout. */
interface Dagre {
  readonly Graph: new () => DagreGraph;
  layout(graph: DagreGraph): unknown;
}
interface DagreGraph {
  setGraph(options: Readonly<Record<string, string | number>>): unknown;
  setNode(key: string, size: Size): unknown;
  setEdge(from: string, to: string, label: Size & { readonly labelpos: 'c' }): unknown;
  node(key: string): Size & Partial<Point>;
  edge(from: string, to: string): Size & Partial<Point> & { readonly points?: readonly Point[] };
  graph(): Partial<Size>;
}

let loaded: Dagre | undefined;
function dagre(): Dagre {
  try {
    return (loaded ??= trusted<Dagre>(createRequire(import.meta.url)('@dagrejs/dagre')));
  } catch (error) {
    throw new PolaronError('USAGE', 'an SVG is laid out by the package @dagrejs/dagre, which is not beside polaron', {
      cause: error,
      help: "Where polaron is packed into a bundle of yours, install @dagrejs/dagre beside it; 'mermaid' and 'dot' need none.",
    });
  }
}

/** Lays out boxes of known sizes. Edges name boxes that are there, each pair once; `labelOf` gives the size of an edge's label. */
export function layout<E extends Ends>(
  sizes: ReadonlyMap<string, Size>,
  edges: readonly E[],
  labelOf: (edge: E) => Size | undefined,
  across: boolean,
): Layout<E> {
  const size = ({ width, height }: Size): Size => (across ? { width: height, height: width } : { width, height });
  const point = ({ x, y }: Point): Point => (across ? { x: y, y: x } : { x, y });
  const library = dagre();
  const graph = new library.Graph();
  graph.setGraph({
    nodesep: BETWEEN_BOXES,
    edgesep: BETWEEN_LINES,
    ranksep: BETWEEN_ROWS,
    ranker: edges.length > MANY_EDGES ? 'tight-tree' : 'network-simplex',
  });
  for (const [key, box] of sizes) graph.setNode(key, { ...size(box) });
  for (const edge of edges) graph.setEdge(edge.from, edge.to, { ...size(labelOf(edge) ?? NOTHING), labelpos: 'c' });
  library.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const mirrored = isMirrored([...sizes.keys()].map((key) => graph.node(key)));
  const along = (x: number): number => (mirrored ? width - x : x);
  const boxes = new Map<string, Box>();
  /** Half the height of each row, by its middle; a row of labels only is one too. */
  const rows = new Map<number, number>();
  const grow = (row: number, height: number): unknown => rows.set(row, Math.max(rows.get(row) ?? 0, height / 2));
  for (const key of sizes.keys()) {
    const { x = 0, y = 0, width, height } = graph.node(key);
    boxes.set(key, { width, height, x: along(x) - width / 2, y: y - height / 2, row: y });
    grow(y, height);
  }
  const routes = edges.map((edge) => {
    const { points = [], x = 0, y = 0, height } = graph.edge(edge.from, edge.to);
    if (height > 0) grow(y, height);
    const stops = points.slice(1, -1).map((stop) => ({ x: along(stop.x), y: stop.y }));
    return { edge, label: point({ x: along(x), y }), stops };
  });
  const leaving = ports(routes, boxes, 'from');
  const arriving = ports(routes, boxes, 'to');
  const lines = routes.map(({ edge, label, stops }, i) => {
    const path = new Path(rows, point);
    path.begin(leaving[i] ?? 0, boxes.get(edge.from) ?? NOWHERE);
    for (const stop of stops) path.through(stop);
    path.end(arriving[i] ?? 0, boxes.get(edge.to) ?? NOWHERE);
    return { edge, label, path: path.text };
  });
  const corners = new Map([...boxes].map(([key, box]) => [key, point(box)]));
  return { corners, lines, ...size({ width, height }) };
}

const NOTHING: Size = { width: 0, height: 0 };
const NOWHERE: Box = { x: 0, y: 0, width: 0, height: 0, row: 0 };

/** Nodes of one row come in either order: true when most stand in the opposite one of how they were made. */
function isMirrored(nodes: readonly Partial<Point>[]): boolean {
  const last = new Map<number, number>();
  let balance = 0;
  for (const { x = 0, y = 0 } of nodes) {
    balance += Math.sign(x - (last.get(y) ?? x));
    last.set(y, x);
  }
  return balance < 0;
}

/** Where each line leaves or meets its box: side by side, in the order of where they come from. */
function ports(
  routes: readonly { readonly edge: Ends; readonly stops: readonly Point[] }[],
  boxes: ReadonlyMap<string, Box>,
  end: 'from' | 'to',
): readonly number[] {
  const at = new Map<string, number[]>();
  for (const [i, { edge }] of routes.entries()) {
    const list = at.get(edge[end]);
    if (list === undefined) at.set(edge[end], [i]);
    else list.push(i);
  }
  const found: number[] = [];
  const nearest = (i: number): number => routes[i]?.stops.at(end === 'from' ? 0 : -1)?.x ?? 0;
  for (const [key, list] of at) {
    const { x, width } = boxes.get(key) ?? NOWHERE;
    const room = (width * 0.7) / list.length;
    // Too many to be told apart meet at one point.
    const step = room < LEAST_APART ? 0 : Math.min(MOST_APART, room);
    list.sort((a, b) => nearest(a) - nearest(b));
    for (const [place, i] of list.entries()) found[i] = x + width / 2 + (place - (list.length - 1) / 2) * step;
  }
  return found;
}

class Path {
  text = '';
  readonly #rows: ReadonlyMap<number, number>;
  readonly #turned: (point: Point) => Point;
  #x = 0;
  #y = 0;

  constructor(rows: ReadonlyMap<number, number>, turned: (point: Point) => Point) {
    this.#rows = rows;
    this.#turned = turned;
  }

  /** From the lower side of a box, out of its row. */
  begin(x: number, { y, height, row }: Box): void {
    this.#x = x;
    this.text = `M${this.#at(x, y + height)}`;
    this.#down(row + this.#half(row));
  }

  /** Through the gap that a row has for it. */
  through({ x, y }: Point): void {
    const half = this.#half(y);
    if (half === 0) return;
    this.#bend(x, y - half);
    this.#down(y + half);
  }

  /** Into the row of a box, to its upper side. */
  end(x: number, { y, row }: Box): void {
    this.#bend(x, row - this.#half(row));
    this.#down(y);
  }

  #half(row: number): number {
    return this.#rows.get(row) ?? 0;
  }

  #down(y: number): void {
    this.#y = y;
    this.text += `L${this.#at(this.#x, y)}`;
  }

  #bend(x: number, y: number): void {
    const middle = (this.#y + y) / 2;
    this.text += `C${this.#at(this.#x, middle)} ${this.#at(x, middle)} ${this.#at(x, y)}`;
    this.#x = x;
    this.#y = y;
  }

  #at(x: number, y: number): string {
    const point = this.#turned({ x, y });
    return `${round(point.x)} ${round(point.y)}`;
  }
}

const round = (n: number): number => Math.round(n * 10) / 10;
