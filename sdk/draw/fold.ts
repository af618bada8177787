/**
 * Makes a drawing small enough to be read: a map of one electron is one box; alike siblings, and the alike steps of a chain, are drawn once with their number;
 * what is still too much is left out, and counted. A box goes where the first that it stands for was, so edges still point forward.
 */
import type { DrawnEdge, DrawnNode, Drawing } from './drawing.ts';
import { sum, totalOf } from './seen.ts';

export interface Limits {
  readonly nodes: number;
  readonly edges: number;
}

/** Alike siblings are drawn one by one up to this number. */
const FEW = 12;
/** Of a merged edge; of more labels nothing can be said in short. */
const LABELS = 2;

/** `whole` within the limits, folded no more than that takes. */
export function folded(whole: Drawing, limits: Limits): Drawing {
  const steps = [
    (now: Drawing) => foldSiblings(now, 1),
    foldChains,
    (now: Drawing) => closeMaps(now, () => true),
    (now: Drawing) => foldChains(foldSiblings(now, 1)),
    (now: Drawing) => cut(now, limits),
  ];
  let now = foldSiblings(
    closeMaps(whole, (body) => body.length === 1),
    FEW,
  );
  for (const step of steps) {
    if (nodeCount(now.nodes) <= limits.nodes && now.edges.length <= limits.edges) break;
    now = step(now);
  }
  return now;
}

const nodeCount = (nodes: readonly DrawnNode[]): number =>
  nodes.reduce((count, { body }) => count + 1 + (body === undefined ? 0 : nodeCount(body)), 0);

/** Draws maps whose body is chosen as one box. */
function closeMaps(whole: Drawing, chosen: (body: readonly DrawnNode[]) => boolean): Drawing {
  const into = new Map<string, string>();
  const close = (node: DrawnNode): DrawnNode => {
    if (node.body === undefined) return node;
    const body = node.body.map(close);
    if (!chosen(body)) return { ...node, body };
    for (const { key } of body) into.set(key, node.key);
    const { body: _, ...closed } = node;
    const [only, ...others] = body;
    if (only === undefined || others.length > 0)
      return { ...closed, notes: [...node.notes, `of ${body.length} electrons`] };
    const counts = totalOf(only.counts) === 0 ? node.counts : only.counts;
    return { ...closed, runs: only.runs, counts, notes: [...node.notes, ...only.notes] };
  };
  return { nodes: whole.nodes.map(close), edges: moved(whole.edges, into) };
}

/** Siblings of one name and kind, with parents that are alike too, become one box where they are more than a few. */
function foldSiblings(whole: Drawing, few: number): Drawing {
  const parents = edgesBy(whole.edges, 'to');
  const classes = new Map<string, string[]>();
  const classOf = new Map<string, string>();
  const visit = (nodes: readonly DrawnNode[], scope: string): void => {
    for (const { key, kind, name, notes, body } of nodes) {
      const from = (parents.get(key) ?? []).map((edge) => [classOf.get(edge.from) ?? edge.from, edge.data].join(' '));
      const alike = JSON.stringify([
        scope,
        kind === 'electron' || kind === 'lattice' ? `${kind} ${name}` : key,
        notes,
        [...new Set(from)].sort(),
      ]);
      const members = classes.get(alike) ?? [];
      classes.set(alike, members);
      members.push(key);
      classOf.set(key, members[0] ?? key);
      if (body !== undefined) visit(body, key);
    }
  };
  visit(whole.nodes, '');
  const into = new Map<string, string>();
  for (const [first, ...others] of classes.values())
    if (first !== undefined && others.length >= few) for (const key of others) into.set(key, first);
  return joined(whole, into);
}

/** Steps of one name, each the only child of the one before, become one box. */
function foldChains(whole: Drawing): Drawing {
  const parents = edgesBy(whole.edges, 'to');
  const children = edgesBy(whole.edges, 'from');
  const into = new Map<string, string>();
  const visit = (nodes: readonly DrawnNode[]): void => {
    const alike = new Map(nodes.map(({ key, kind, name, notes }) => [key, JSON.stringify([kind, name, notes])]));
    for (const { key, kind, body } of nodes) {
      const [before, ...others] = parents.get(key) ?? [];
      const follows = before !== undefined && others.length === 0 && children.get(before.from)?.length === 1;
      if (kind === 'electron' && follows && alike.get(before.from) === alike.get(key))
        into.set(key, into.get(before.from) ?? before.from);
      if (body !== undefined) visit(body);
    }
  };
  visit(whole.nodes);
  return joined(whole, into);
}

/** The first nodes and the edges among them; one box stands for the others. */
function cut({ nodes, edges }: Drawing, limits: Limits): Drawing {
  const parents = edgesBy(edges, 'to');
  let budget = limits.edges;
  let kept = 0;
  for (const { key } of nodes.slice(0, limits.nodes - 1)) {
    // One for the edge that may lead from it to what is left out.
    budget -= (parents.get(key)?.length ?? 0) + 1;
    if (budget < 0) break;
    kept++;
  }
  const left = nodes.slice(kept).filter(({ kind }) => kind !== 'result');
  const runs = left.reduce((total, node) => total + (node.runs === 'n' ? 1 : node.runs), 0);
  const rest: DrawnNode = {
    key: 'rest',
    kind: 'rest',
    name: 'not drawn',
    notes: [],
    runs,
    counts: sum(...left.map(({ counts }) => counts)),
  };
  const into = new Map(nodes.slice(kept).map(({ key }) => [key, rest.key]));
  return { nodes: [...nodes.slice(0, kept), rest], edges: moved(edges, into) };
}

/** The same drawing, with each node that `into` names joined to the earlier one that it names. */
function joined(whole: Drawing, into: ReadonlyMap<string, string>): Drawing {
  if (into.size === 0) return whole;
  const scope = (nodes: readonly DrawnNode[]): readonly DrawnNode[] => {
    const groups = new Map<string, DrawnNode[]>();
    for (const node of nodes) {
      const key = last(into, node.key);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [node]);
      else group.push(node);
    }
    return [...groups.values()].flatMap(([first, ...others]) => {
      if (first === undefined) return [];
      const body = first.body === undefined ? {} : { body: scope(first.body) };
      if (others.length === 0) return [{ ...first, ...body }];
      const group = [first, ...others];
      const { dispatch: _, ...shared } = first;
      const runs = group.reduce<DrawnNode['runs']>((total, node) => plus(total, node.runs), 0);
      return [{ ...shared, ...body, runs, counts: sum(...group.map(({ counts }) => counts)) }];
    });
  };
  return { nodes: scope(whole.nodes), edges: moved(whole.edges, into) };
}

const plus = (a: DrawnNode['runs'], b: DrawnNode['runs']): DrawnNode['runs'] => (a === 'n' || b === 'n' ? 'n' : a + b);

function last(into: ReadonlyMap<string, string>, key: string): string {
  let at = key;
  for (let next = into.get(at); next !== undefined; next = into.get(at)) at = next;
  return at;
}

/** Edges between what the nodes became: each pair once, none from a node to itself. */
function moved(edges: readonly DrawnEdge[], into: ReadonlyMap<string, string>): readonly DrawnEdge[] {
  const found = new Map<string, DrawnEdge>();
  for (const edge of edges) {
    const [from, to] = [last(into, edge.from), last(into, edge.to)];
    if (from === to) continue;
    const other = found.get(`${from} ${to}`);
    const labels = [...new Set([...(other?.labels ?? []), ...edge.labels])].slice(0, LABELS + 1);
    found.set(`${from} ${to}`, { from, to, data: edge.data || other?.data === true, labels });
  }
  return [...found.values()].map((edge) => (edge.labels.length > LABELS ? { ...edge, labels: [] } : edge));
}

function edgesBy(edges: readonly DrawnEdge[], end: 'from' | 'to'): ReadonlyMap<string, readonly DrawnEdge[]> {
  const found = new Map<string, DrawnEdge[]>();
  for (const edge of edges) {
    const list = found.get(edge[end]);
    if (list === undefined) found.set(edge[end], [edge]);
    else list.push(edge);
  }
  return found;
}
