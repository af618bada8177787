/** docs/protocol.md against the code. Words that are only types in the code stand here as records, which the compiler holds complete. */
import { describe, expect, it } from 'vitest';
import type {
  Assign,
  Cancel,
  Done,
  Verdict,
  LogLine,
  Progress,
  RefusalReason,
  RunEntry,
  Sync,
  SyncReply,
} from '../../bus/protocol/agent.ts';
import type {
  DispatcherMessage,
  ElectronMessage,
  LatticeMessage,
  MatchmakerMessage,
} from '../../bus/protocol/actors.ts';
import { eventTypes } from '../../bus/protocol/api.ts';
import type { ResultsRequestType } from '../../bus/protocol/results.ts';
import { apiVerbs, makeSubjects, type BlobKind, type DownKind, type UpKind } from '../../bus/subjects.ts';
import { defaults } from '../../model/defaults.ts';
import { readSource } from '../house/sources.ts';
import { firstColumn, plain, readPage, section, tableOf } from './pages.ts';

const page = readPage('docs/protocol.md');
const keysOf = <K extends string>(words: Readonly<Record<K, true>>): string[] => Object.keys(words).sort();

const upKinds: Readonly<Record<UpKind, true>> = { sync: true, done: true, log: true, progress: true };
const downKinds: Readonly<Record<DownKind, true>> = {
  assign: true,
  cancel: true,
  control: true,
  blob: true,
  logs: true,
};
const blobKinds: Readonly<Record<BlobKind, true>> = { get: true, has: true, put: true };
const capabilityKinds = ['probe', 'wake'] as const;
const kinds = <K extends string>(words: Readonly<Record<K, true>>): K[] =>
  Object.keys(words).filter((word): word is K => Object.hasOwn(words, word));

/** Subjects as the page writes them, made by the code: names in lower case become the page's placeholders. */
function codedSubjects(): string[] {
  const subjects = makeSubjects();
  const made = [
    subjects.api('user', 'status').replace(/status$/, 'VERB'),
    subjects.event('user', 'dispatch', 'TYPE'),
    ...kinds(upKinds).map((kind) => subjects.up('site', 'agent', kind)),
    ...kinds(downKinds).map((kind) => subjects.down('site', 'agent', kind)),
    subjects.probe,
    ...capabilityKinds.map((kind) => subjects.capability('name', kind)),
    ...kinds(blobKinds).map((kind) => subjects.agentBlob('site', 'agent', kind)),
    ...kinds(blobKinds).map((kind) => subjects.userBlob('user', kind)),
    subjects.actor('node', 'kind', 'ID'),
    '_INBOX.identity.>',
  ];
  return made.map((subject) =>
    subject.replaceAll(/\b(user|dispatch|site|agent|name|node|kind|identity)\b/g, (word) => word.toUpperCase()),
  );
}

describe('docs/protocol.md', () => {
  it('has exactly the subjects that the code makes', () => {
    expect(firstColumn(section(page, 'Subjects'), 'subject').sort()).toEqual(codedSubjects().sort());
  });

  it('has exactly the verbs and the event types of the code', () => {
    expect(firstColumn(page, 'verb').sort()).toEqual([...apiVerbs].sort());
    expect(firstColumn(section(page, 'Events'), 'type')).toEqual([...eventTypes]);
  });

  it('has exactly the answers, verdicts and refusals of the code', () => {
    const answers: Readonly<Record<SyncReply['type'], true>> = {
      ok: true,
      'epoch-low': true,
      'name-taken': true,
      superseded: true,
      'other-version': true,
      'unreadable-offer': true,
      'not-ready': true,
    };
    const verdicts: Readonly<Record<Verdict, true>> = {
      committed: true,
      duplicate: true,
      stale: true,
      later: true,
      missing: true,
      unknown: true,
    };
    const refusals: Readonly<Record<RefusalReason, true>> = {
      busy: true,
      epoch: true,
      stale: true,
      draining: true,
      capability: true,
    };
    expect(firstColumn(page, 'answer to a sync').sort()).toEqual(keysOf(answers));
    expect(firstColumn(page, 'verdict on an outcome').sort()).toEqual(keysOf(verdicts));
    expect(firstColumn(page, 'refusal of an attempt').sort()).toEqual(keysOf(refusals));
  });

  it('has exactly the messages between hub and agent, with every field', () => {
    const syncFields: Readonly<Record<keyof Sync | keyof RunEntry, true>> = {
      epoch: true,
      seq: true,
      seen: true,
      hub: true,
      history: true,
      slots: true,
      free: true,
      queue: true,
      capabilities: true,
      host: true,
      pid: true,
      version: true,
      draining: true,
      instance: true,
      run: true,
      sentAt: true,
      roundTripMs: true,
      load: true,
      leaving: true,
      task: true,
      token: true,
      inputsDigest: true,
      state: true,
      startedAt: true,
      progress: true,
      holds: true,
      takes: true,
    };
    const assignFields: Readonly<Record<keyof Assign | keyof Assign['tasks'][number], true>> = {
      epoch: true,
      instance: true,
      hub: true,
      history: true,
      n: true,
      manifests: true,
      electrons: true,
      tasks: true,
      task: true,
      token: true,
      inputsDigest: true,
      manifest: true,
      electron: true,
      name: true,
      path: true,
      template: true,
      inputs: true,
      split: true,
      timeoutMs: true,
      holds: true,
    };
    const doneFields: Readonly<Record<keyof Done | keyof Done['outcomes'][number], true>> = {
      epoch: true,
      outcomes: true,
      task: true,
      token: true,
      inputsDigest: true,
      outcome: true,
    };
    const cancelFields: Readonly<Record<keyof Cancel | keyof Cancel['tasks'][number], true>> = {
      hub: true,
      tasks: true,
      task: true,
      token: true,
      reason: true,
      revoke: true,
    };
    const logFields: Readonly<Record<keyof LogLine, true>> = {
      task: true,
      token: true,
      n: true,
      stream: true,
      text: true,
    };
    const progressFields: Readonly<Record<keyof Progress, true>> = {
      task: true,
      token: true,
      fraction: true,
      note: true,
    };
    const { rows } = tableOf(page, 'message');
    expect(rows.map(([message]) => plain(message)).sort()).toEqual([...keysOf(upKinds), ...keysOf(downKinds)].sort());
    const fieldsOf = (message: string): string[] => {
      const text = rows.find(([name]) => plain(name) === message)?.[1] ?? '';
      return [...new Set(text.match(/\w+/g))].sort();
    };
    expect(fieldsOf('sync')).toEqual(keysOf(syncFields));
    expect(fieldsOf('assign')).toEqual(keysOf(assignFields));
    expect(fieldsOf('done')).toEqual(keysOf(doneFields));
    expect(fieldsOf('cancel')).toEqual(keysOf(cancelFields));
    expect(fieldsOf('log')).toEqual(keysOf(logFields));
    expect(fieldsOf('progress')).toEqual(keysOf(progressFields));
  });

  it('has every rule once, in order', () => {
    const rules = [...page.matchAll(/^- \*\*([HA]\d+)\.\*\* /gm)].map(([, rule]) => rule);
    const numbered = (letter: string, count: number): string[] =>
      Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
    expect(rules).toEqual([...numbered('H', 11), ...numbered('A', 5)]);
  });

  it('has the numbers of the code', () => {
    for (const [what = '', value = '', where = ''] of tableOf(section(page, 'Numbers'), 'what').rows) {
      const [, file = '', name = ''] = /^`(.+)` `(.+)`$/.exec(where) ?? [];
      expect(Number.parseInt(value, 10), `${what} (${where})`).toBe(constantIn(file, name));
    }
    const lease = tableOf(section(page, 'Numbers'), 'what').rows.find(([what]) => what === 'lease');
    expect(Number.parseInt(lease?.[1] ?? '', 10)).toBe(defaults.leaseMs);
  });

  it('has exactly the messages between actors', () => {
    const received: Readonly<
      Record<
        | LatticeMessage['type']
        | ElectronMessage['type']
        | MatchmakerMessage['type']
        | DispatcherMessage['type']
        | ResultsRequestType,
        'lattice' | 'electron' | 'matchmaker' | 'dispatcher' | 'results'
      >
    > = {
      'lattice.start': 'lattice',
      'lattice.resume': 'lattice',
      'lattice.cancel': 'lattice',
      'lattice.expired': 'lattice',
      'lattice.explain': 'lattice',
      'lattice.continue': 'lattice',
      'match.found': 'lattice',
      'attempt.claimed': 'lattice',
      'electron.ended': 'lattice',
      'map.sliced': 'lattice',
      'map.composed': 'lattice',
      'lattice.entered': 'lattice',
      'lattice.left': 'lattice',
      'attempt.assigned': 'electron',
      'attempt.adopt': 'electron',
      'inputs.read': 'electron',
      'attempt.unsendable': 'electron',
      'attempt.started': 'electron',
      'attempt.lost': 'electron',
      'attempt.finished': 'electron',
      'value.fetched': 'electron',
      'deadline.passed': 'electron',
      'attempt.stopped': 'electron',
      'backoff.elapsed': 'electron',
      'electron.cancel': 'electron',
      'attempt.logged': 'electron',
      'attempt.progressed': 'electron',
      'match.request': 'matchmaker',
      'match.withdraw': 'matchmaker',
      'attempt.send': 'matchmaker',
      'attempt.recovered': 'matchmaker',
      'attempt.refused': 'matchmaker',
      'attempt.abandoned': 'matchmaker',
      'attempt.cancel': 'matchmaker',
      'attempt.revoke': 'matchmaker',
      'attempt.judged': 'matchmaker',
      'roster.load': 'matchmaker',
      'lattice.gone': 'matchmaker',
      'lattice.resumed': 'matchmaker',
      'dispatch.ended': 'dispatcher',
      'cancel.settled': 'dispatcher',
      'lattice.explained': 'dispatcher',
      'dispatch.inner': 'dispatcher',
      'dispatch.leave': 'dispatcher',
      'results.write': 'results',
      'results.admit': 'results',
      'results.read': 'results',
      'results.bytes': 'results',
      'results.cached': 'results',
      'results.store': 'results',
      'results.compose': 'results',
      'results.slice': 'results',
      'results.fetch': 'results',
      'results.live': 'results',
      'results.spec': 'results',
      'results.load': 'results',
      'results.judge': 'results',
      'results.ended': 'results',
      'results.list': 'results',
      'results.detail': 'results',
      'results.snapshot': 'results',
      'results.wait': 'results',
      'results.value': 'results',
      'results.logs': 'results',
      'results.attempts': 'results',
      'results.purge': 'results',
      'results.backup': 'results',
    };
    const { rows } = tableOf(section(page, 'Messages between actors'), 'type');
    expect(Object.fromEntries(rows.map(([type, to]) => [plain(type), to]))).toEqual(received);
    expect(rows).toHaveLength(Object.keys(received).length);
  });
});

/** The number that a source gives to a name: `const NAME = 64 * 1024` or `name: 15_000`. NaN when there is none. */
function constantIn(file: string, name: string): number {
  const factors = new RegExp(`\\b${name}\\s*[=:]\\s*([\\d_]+(?:\\s*\\*\\s*[\\d_]+)*)\\s*[;,\\n]`).exec(
    readSource(file),
  )?.[1];
  if (factors === undefined) return Number.NaN;
  return factors.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '').trim()), 1);
}
