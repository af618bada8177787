/**
 * `agent.yaml`: what `polaron agent` may be told by a file. Reads and checks it; every complaint says file, line, key and what is expected.
 * Not here: what goes before what (agent-options.ts). docs/guides/running-agents.md has a whole example, which a test parses.
 */
import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument, type Node, type ParsedNode } from 'yaml';
import type { ExecutorUse } from '../host/agent.ts';
import { PolaronError } from '../model/errors.ts';
import { nearMatches } from '../model/near.ts';
import { milliseconds } from '../sdk/durations.ts';

/** What the file says; each key may be left out. */
export interface AgentFile {
  /** NATS URLs of the hub's bus, with the agent's credentials. */
  readonly bus?: string;
  readonly name?: string;
  readonly site?: string;
  readonly capabilities?: readonly string[];
  readonly slots?: number;
  /** What runs electrons, some with settings. */
  readonly executors?: readonly ExecutorUse[];
  /** False: electrons that want something installed are refused. */
  readonly deps?: boolean;
  /** It ends when nothing has run for so long, ms. */
  readonly idle?: number;
  /** How long a drain at SIGTERM waits for what runs, ms. */
  readonly grace?: number;
}

export const MOST_SLOTS = 4_096;

/** How a key is read; undefined: it isn't what is expected. */
interface Key<T> {
  readonly expected: string;
  readonly read: (x: unknown) => T | undefined;
}

const text = (expected: string): Key<string> => ({
  expected,
  read: (x) => (typeof x === 'string' && x.trim() !== '' ? x.trim() : undefined),
});
const isText = (x: unknown): x is string => typeof x === 'string' && x.trim() !== '';

/** All keys: a new one is a line here, and one in the guide's table. */
export const agentKeys: { readonly [K in keyof AgentFile]-?: Key<NonNullable<AgentFile[K]>> } = {
  bus: text('a bus URL such as nats://host:4222'),
  name: text('a name'),
  site: text('the name of a site'),
  capabilities: {
    expected: 'a list of texts such as [gpu, memory=64GiB]',
    read: (x) => (Array.isArray(x) && x.every(isText) ? x.map((word) => word.trim()) : undefined),
  },
  slots: {
    expected: `a whole number from 1 to ${MOST_SLOTS}`,
    read: (x) => (typeof x === 'number' && Number.isInteger(x) && x >= 1 && x <= MOST_SLOTS ? x : undefined),
  },
  executors: {
    expected:
      'a list of names, files or packages, each alone or with its settings, such as [process, ./mine.ts, { container: { pull: never } }]',
    read: executorUses,
  },
  deps: { expected: 'true or false', read: (x) => (typeof x === 'boolean' ? x : undefined) },
  idle: {
    expected: 'a duration such as 10m',
    read: (x) => (typeof x === 'string' ? span(x) : undefined),
  },
  grace: {
    expected: 'a duration such as 30s or 10m',
    read: (x) => (typeof x === 'string' ? span(x) : undefined),
  },
};

const isFields = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

/** A name, or a name with settings. */
function executorUses(x: unknown): readonly ExecutorUse[] | undefined {
  const uses = (Array.isArray(x) ? x : [undefined]).map((item: unknown): ExecutorUse | undefined => {
    if (isText(item)) return { name: item.trim() };
    const [only, ...more] = isFields(item) ? Object.entries(item) : [];
    if (only === undefined || more.length > 0) return undefined;
    const [name, settings] = only;
    return isFields(settings) ? { name, settings } : undefined;
  });
  const good = uses.filter((use) => use !== undefined);
  return good.length === uses.length ? good : undefined;
}

function span(words: string): number | undefined {
  try {
    return milliseconds(words, 'grace');
  } catch {
    return undefined;
  }
}

/** Raises USAGE with file and line. */
export function readAgentFile(file: string): AgentFile {
  let written: string;
  try {
    written = readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PolaronError('USAGE', `${file} can't be read: ${why}`, { cause, help: 'Give --config an agent.yaml.' });
  }
  return parseAgentFile(written, file);
}

/** The same of its text; `file` names it in errors. */
export function parseAgentFile(written: string, file: string): AgentFile {
  const lines = new LineCounter();
  const document = parseDocument(written, { lineCounter: lines, prettyErrors: false });
  const complain = (offset: number, what: string, help: string): PolaronError =>
    new PolaronError('USAGE', `${file}:${lines.linePos(offset).line}: ${what}`, { help });
  const [broken] = document.errors;
  if (broken !== undefined) throw complain(broken.pos[0], `no valid YAML: ${broken.message}`, 'Mend that line.');
  const { contents } = document;
  // an empty file says nothing
  if (contents === null || (isScalar(contents) && contents.value === null)) return {};
  const known = Object.keys(agentKeys);
  const all = `Known are ${known.join(', ')}.`;
  if (!isMap<ParsedNode, ParsedNode | null>(contents))
    throw complain(offsetOf(contents), 'expected keys and values such as `slots: 4`', all);
  const found = new Map<string, { readonly value: unknown; readonly at: number }>();
  for (const { key, value } of contents.items) {
    const name = isScalar(key) ? String(key.value) : '';
    if (!known.includes(name)) {
      const [near] = nearMatches(name, known);
      const meant = near === undefined ? '' : `; did you mean ${near}?`;
      throw complain(offsetOf(key), `unknown key ${JSON.stringify(name)}${meant}`, all);
    }
    found.set(name, { value: value?.toJS(document), at: offsetOf(value ?? key) });
  }
  const pick = <K extends keyof AgentFile, T>(name: K, { expected, read }: Key<T>): { readonly [P in K]?: T } => {
    const none: { readonly [P in K]?: T } = {};
    const given = found.get(name);
    if (given === undefined) return none;
    const value = read(given.value);
    if (value !== undefined) return { ...none, [name]: value };
    const said = JSON.stringify(given.value)?.slice(0, 80) ?? 'nothing';
    throw complain(given.at, `${name} is ${said}; expected ${expected}`, `Correct ${name} in that line.`);
  };
  return {
    ...pick('bus', agentKeys.bus),
    ...pick('name', agentKeys.name),
    ...pick('site', agentKeys.site),
    ...pick('capabilities', agentKeys.capabilities),
    ...pick('slots', agentKeys.slots),
    ...pick('executors', agentKeys.executors),
    ...pick('deps', agentKeys.deps),
    ...pick('idle', agentKeys.idle),
    ...pick('grace', agentKeys.grace),
  };
}

const offsetOf = (node: Node): number => node.range?.[0] ?? 0;
