/** `polaron show ID --why`: a line for each thing that is waited for, and the same as JSON. */
import { expect, it } from 'vitest';
import type { Why, WhyGroup, WhyReply, WhyRequest } from '../../bus/protocol/why.ts';
import { parseWhyReply } from '../../bus/protocol/why.ts';
import { polaron } from './support/fake-context.ts';

const group = (why: Why, electrons: number, ...names: string[]): WhyGroup => ({
  why,
  electrons,
  first: names.map((name, node) => ({ node, name })),
});
const reasons: readonly WhyGroup[] = [
  group({ kind: 'slot', needs: ['process'], agents: 2, slots: 8, ahead: 1 }, 90_000, 'step[0]', 'step[1]'),
  group({ kind: 'parent', node: 3, name: 'parse', status: 'running' }, 2, 'load', 'join'),
  group({ kind: 'key', key: 'db', limit: 2, held: 2, holders: ['d1_1', 'd2_7'] }, 1, 'query'),
  group({ kind: 'capability', needs: ['gpu', 'process'], nearest: { agent: 'lab.a1', lacks: ['gpu'] } }, 1, 'train'),
  group({ kind: 'capability', needs: ['process'] }, 1, 'any'),
  group(
    {
      kind: 'capability',
      needs: ['memory>=128GiB'],
      nearest: { agent: 'lab.a1', lacks: ['memory>=128GiB'] },
      most: [
        { need: 'memory>=128GiB', offers: '64GiB', agent: 'lab.a1', as: 'largest' },
        { need: 'site=lab', offers: 'site=cern', agent: 'lab.a1', as: 'instead' },
        // of an earlier hub
        { need: 'site=lab', offers: 'site=desy', agent: 'lab.a1' },
      ],
    },
    1,
    'huge',
  ),
  group(
    {
      kind: 'slot',
      needs: ['memory>=32GiB'],
      agents: 1,
      slots: 8,
      ahead: 0,
      taken: [{ need: 'memory>=32GiB', agent: 'lab.a1', used: '48GiB', has: '64GiB' }],
    },
    1,
    'large',
  ),
  group({ kind: 'map', node: 4, name: 'sweep', limit: 10 }, 5, 'run[10]'),
  group({ kind: 'back-off', until: 0, attempt: 2, code: 'TASK_THREW' }, 1, 'flaky'),
  group({ kind: 'attempt' }, 1, 'alone'),
  group({ kind: 'restart' }, 1, 'old'),
  group({ kind: 'room', ahead: 1_024 }, 3),
  group({ kind: 'agent', agent: 'lab.a1' }, 1, 'next'),
  group({ kind: 'reused', dispatch: 'd0', name: 'load' }, 1, 'load'),
  group({ kind: 'reused', dispatch: 'd0', name: 'work' }, 2, 'work[0]', 'work[1]'),
  group({ kind: 'replaced', dispatch: 'd0', name: 'best' }, 1, 'lowest'),
  group({ kind: 'code', dispatch: 'd0', own: true, whole: false, captured: [], options: [] }, 1, 'sum'),
  group(
    { kind: 'code', dispatch: 'd0', own: true, whole: true, captured: ['k', 'l'], options: ['env'] },
    2,
    'sum',
    'x',
  ),
  group({ kind: 'arguments', dispatch: 'd0' }, 1, 'fit'),
  group(
    {
      kind: 'input',
      dispatch: 'd0',
      from: [
        { kind: 'node', name: 'load', ran: true },
        { kind: 'item', name: 'm[3]', ran: false },
        { kind: 'given', name: '', ran: false },
      ],
    },
    1,
    'score',
  ),
  group({ kind: 'no-value', dispatch: 'd0', status: 'failed' }, 1, 'heal'),
  group({ kind: 'too-late', dispatch: 'd0' }, 1, 'slow'),
  group({ kind: 'new', dispatch: 'd0' }, 1, 'other'),
  group({ kind: 'uncached', dispatch: 'd1' }, 1, 'fresh'),
  group({ kind: 'gone', dispatch: 'd0' }, 3, 'p'),
  group({ kind: 'lattice', dispatch: 'd2' }, 1, 'part'),
];
const hub = { why: async () => parseWhyReply({ reasons }) };

it('tells each reason in a line, with the first who wait for it', async () => {
  const { exit, out } = await polaron(['show', 'd1', '--why'], { hub });
  expect([
    exit,
    out
      .replace(/until \d[^,]+,/, 'until TIME,')
      .trimEnd()
      .split('\n'),
  ]).toEqual([
    0,
    [
      '90000 electrons wait for one of the 8 slots of the 2 agents with process, in turn with 1 other dispatch: step[0], step[1], …',
      '2 electrons wait for parse (running): load, join',
      '1 electron waits for the key "db", held by 2 of 2 (d1_1, d2_7): query',
      '1 electron waits for an agent that offers gpu, process (lab.a1 lacks gpu): train',
      '1 electron waits for an agent that offers process (no agent is there): any',
      '1 electron waits for an agent that offers memory>=128GiB (lab.a1 lacks memory>=128GiB; memory>=128GiB: the largest agent offers 64GiB, lab.a1; site=lab: lab.a1 offers site=cern; site=lab: lab.a1 offers site=desy): huge',
      '1 electron waits until there is room on 1 agent with memory>=32GiB (memory>=32GiB: in use on lab.a1: 48GiB of 64GiB): large',
      '5 electrons wait since sweep runs 10 items at once: run[10], …',
      '1 electron waits until TIME, since attempt 2 failed with TASK_THREW: flaky',
      '1 electron waits until an older attempt is known to have stopped (exclusive): alone',
      '1 electron waits until the agents have told the restarted hub what they have: old',
      '3 electrons wait for 1024 dispatches that want the same and came before',
      '1 electron waits on lab.a1, which has not begun with it: next',
      '1 electron was reused from d0/load: load',
      '2 electrons were reused from d0/work: work[0], work[1]',
      '1 electron had to run, since it replaced best: lowest',
      '1 electron had to run, since its code changed: sum',
      '2 electrons had to run, since the bundle changed, all of which counts as their code and what they captured changed (k, l) and their options changed (env): sum, x',
      '1 electron had to run, since it is called with other arguments in the lattice: fit',
      '1 electron had to run, since the value of load, which ran, and the element of m[3] and a value that the lattice was given differ: score',
      '1 electron had to run, since it had no value in d0 (failed): heal',
      '1 electron had to run, since it had no value in d0 yet (now there is one): slow',
      '1 electron had to run, since d0 has no such electron there: other',
      '1 electron had to run, since the cache had no value of it, or one that was too old: fresh',
      '3 electrons had to run: why is not known any more, since d0 is gone: p, …',
      '1 electron is a lattice, see `polaron show d2 --why`: part',
    ],
  ]);
});

it('says so when nothing waits, and gives JSON of one flat record a reason', async () => {
  const asked: unknown[] = [];
  const why = async (request: WhyRequest): Promise<WhyReply> => (asked.push(request), { reasons: [] });
  expect((await polaron(['show', 'd1', '3', '--why'], { hub: { why } })).out).toBe('nothing waits\n');
  expect(asked).toEqual([{ id: 'd1', electron: 3 }]);
  expect(JSON.parse((await polaron(['show', 'd1', '--why', '--json'], { hub })).out)).toMatchObject({
    dispatch: 'd1',
    why: expect.arrayContaining([
      {
        kind: 'parent',
        node: 3,
        name: 'parse',
        status: 'running',
        electrons: 2,
        first: [
          { node: 0, name: 'load' },
          { node: 1, name: 'join' },
        ],
      },
    ]),
  });
});
