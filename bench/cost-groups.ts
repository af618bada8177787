/** Sorts the samples of a CPU profile by what the code is for. The packed programs name the file that each part came from. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Frame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

export interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The first that fits. What fits none, as Node's own code and native code, counts for who called it. */
const groups: readonly (readonly [name: string, file: RegExp])[] = [
  ['digests', /^bus\/value\/digest/],
  ['events', /^actors\/events/],
  ['matching', /^actors\/matchmaker/],
  ['electron actors and their machine', /^actors\/(electron|machine)/],
  ['lattice supervisors', /^(actors\/lattice|model\/plan)/],
  ['results: records, journal, LMDB', /^(store|actors\/results)|node_modules\/(lmdb|msgpackr|ordered-binary)/],
  ['requests of users', /^actors\/dispatcher/],
  ['mailboxes and questions between actors', /^actors\//],
  ['embedded broker', /^bus\/broker/],
  ['NATS client and socket', /^bus\/(nats|capture)|node_modules\/@nats-io/],
  ['encoding and decoding', /^bus\/|^model\/graph/],
  ['agent: attempts, spool, reports', /^executors\/agent/],
  ['hand-over to runners (IPC)', /^executors\/(process|runner\/(frames|wire-runner|link|messages))/],
  ['runner: calls and values', /^executors\//],
];
const COLLECTOR = 'garbage collector, main thread';
const NODE = 'Node itself';

/** Share of each group in what wasn't idle. */
export function sharesOf(profile: Profile): ReadonlyMap<string, number> {
  const byNode = new Map<number, number>();
  profile.samples.forEach((id, i) => byNode.set(id, (byNode.get(id) ?? 0) + Math.max(0, profile.timeDeltas[i] ?? 0)));
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const sums = new Map<string, number>();
  let busy = 0;
  const open: [id: number, group: string][] = [[profile.nodes[0]?.id ?? 0, NODE]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const node = nodes.get(next[0]);
    if (node === undefined || isApart(node.callFrame)) continue;
    const group = groupOf(node.callFrame) ?? next[1];
    const time = byNode.get(node.id) ?? 0;
    sums.set(group, (sums.get(group) ?? 0) + time);
    busy += time;
    for (const child of node.children ?? []) open.push([child, group]);
  }
  // One that never worked has no shares.
  return new Map(busy === 0 ? [] : [...sums].map(([group, time]) => [group, time / busy]));
}

/** No work of the process, or the work of measuring. */
const isApart = ({ functionName, url }: Frame): boolean =>
  functionName === '(idle)' || url.endsWith('/bench/cpu-profile.cjs') || url === 'node:inspector';

function groupOf(frame: Frame): string | undefined {
  if (frame.functionName === '(garbage collector)') return COLLECTOR;
  if (!frame.url.startsWith('file:') && !frame.url.startsWith('/')) return undefined;
  const source = sourceOf(frame);
  return groups.find(([, file]) => file.test(source))?.[0];
}

/** In a packed program each part begins with a comment that names its file. */
const parts = new Map<string, readonly { readonly line: number; readonly file: string }[]>();
const PART = /^\/\/ (\S+\.(?:ts|js|cjs|mjs))$/;

function sourceOf({ url, lineNumber }: Frame): string {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  let known = parts.get(path);
  if (known === undefined) {
    known = readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((text, line) => {
        const file = PART.exec(text)?.[1];
        return file === undefined ? [] : [{ line, file }];
      });
    parts.set(path, known);
  }
  return known.findLast(({ line }) => line <= lineNumber)?.file ?? path.replace(/^.*\/dist\//, '');
}
