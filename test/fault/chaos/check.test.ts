/** The checker of chaos can fail: an account that holds every promise, and one made wrong for each. */
import { describe, expect, it } from 'vitest';
import type { Account, Blow, Execution, Heard } from './account.ts';
import { check } from './check.ts';

const AGENT = 100;
const began = 1_000_000;

const execution = (task: string, at: number, more: Partial<Execution> = {}): Execution => ({
  dispatch: 'D',
  task,
  node: 'start',
  attempt: 1,
  pid: 200,
  agent: AGENT,
  began: began + at,
  mark: `${task}#1`,
  given: [],
  ended: { how: 'end', at: began + at + 10 },
  ...more,
});
const blow = (more: Partial<Blow>): Blow => ({
  role: 'agent',
  how: 'kill',
  pid: AGENT,
  at: began + 5,
  until: began + 500,
  running: 1,
  ...more,
});
const event = (type: string, seq: number, more: Partial<Heard> = {}): Heard => ({
  dispatch: 'D',
  type,
  seq,
  transient: false,
  ...more,
});

const good: Account = {
  leaseMs: 3_000,
  heartbeatMs: 500,
  blows: [],
  dispatched: [
    {
      id: 'D',
      ordered: { kind: 'strict', strict: true, expected: { value: 1, electrons: 2 } },
      outcome: { status: 'completed', value: { value: 1, marks: ['c0#1', 'c1#1'] } },
    },
  ],
  executions: [execution('c0', 0), execution('c1', 20, { given: ['c0#1'] })],
  events: [
    event('dispatch.started', 1),
    event('electron.completed', 2, { node: 0 }),
    event('electron.completed', 3, { node: 1 }),
    event('dispatch.completed', 4),
  ],
  stored: {
    dispatches: new Map([['D', { status: 'completed', seq: 4 }]]),
    electrons: new Map([
      ['D/0', { status: 'completed', seq: 2 }],
      ['D/1', { status: 'completed', seq: 3 }],
    ]),
    attempts: new Map([['D', [1, 1]]]),
    live: [],
    damaged: [],
    values: 2,
  },
  left: [],
};
const [one] = good.dispatched;
if (one === undefined) throw new RangeError('the good account has a dispatch');
/** A second execution of c1, on another agent. */
const again = execution('c1', 600, { attempt: 2, mark: 'c1#2', agent: 101, given: ['c0#1'] });
const lost = execution('c1', 0, { given: ['c0#1'] });
delete lost.ended;
const repeated: Account = {
  ...good,
  executions: [execution('c0', -20), lost, again],
  dispatched: [{ ...one, outcome: { status: 'completed', value: { value: 1, marks: ['c0#1', 'c1#2'] } } }],
  stored: { ...good.stored, attempts: new Map([['D', [1, 2]]]) },
};

/** The first one had ended long before its agent was killed. */
const late: Account = {
  ...repeated,
  executions: [
    execution('c0', -20),
    execution('c1', 0, { given: ['c0#1'] }),
    execution('c1', 2_000, { attempt: 2, mark: 'c1#2', agent: 101, given: ['c0#1'] }),
  ],
  blows: [blow({ at: began + 1_500, until: began + 1_600 })],
};
const pipelined: Account = {
  ...repeated,
  dispatched: repeated.dispatched.map((d) => ({ ...d, ordered: { ...d.ordered, strict: false } })),
};

it('finds nothing wrong with an account that holds every promise', () => {
  expect(check(good)).toMatchObject({ violations: [] });
});

describe('finds', () => {
  const wrong: readonly [what: string, promise: string, account: Account][] = [
    [
      'a dispatch without an end',
      'C1',
      { ...good, dispatched: [{ id: 'D', ordered: one.ordered }], events: [], stored: { ...good.stored, live: [] } },
    ],
    [
      'one that failed',
      'C1',
      { ...good, events: [], dispatched: [{ ...one, outcome: { status: 'failed', errors: ['start POISON'] } }] },
    ],
    [
      'a wrong value',
      'C2',
      { ...good, dispatched: [{ ...one, outcome: { status: 'completed', value: { value: 2, marks: ['c0#1'] } } }] },
    ],
    [
      'two executions of one electron in a value',
      'C2',
      {
        ...good,
        executions: [...good.executions, execution('c1', 500, { mark: 'c1#2', attempt: 2, given: ['c0#1'] })],
        dispatched: [
          { ...one, outcome: { status: 'completed', value: { value: 1, marks: ['c0#1', 'c1#1', 'c1#2'] } } },
        ],
      },
    ],
    [
      'a value that rests on an execution that did not end',
      'C2',
      { ...good, executions: [lost, ...good.executions.slice(0, 1)] },
    ],
    [
      'a dependent that ran on what is not recorded',
      'C3',
      { ...good, executions: [execution('c0', 0), execution('c1', 20, { given: ['c0#7'] })] },
    ],
    ['a repeat without a cause', 'C4', repeated],
    ['a repeat of what its agent had long had before it was killed', 'C4', late],
    ['a repeat after the kill of another agent', 'C4', { ...repeated, blows: [blow({ pid: 7 })] }],
    ['a repeat in a strict lattice after a kill of the hub', 'C4', { ...repeated, blows: [blow({ role: 'hub' })] }],
    [
      'a repeat of what its agent had when the hub was killed',
      'C4',
      { ...pipelined, blows: [blow({ role: 'hub', at: began + 310 })] },
    ],
    [
      'a repeat after a halt of its agent that was too short for a lease',
      'C4',
      { ...repeated, blows: [blow({ how: 'halt', until: began + 2_200 })] },
    ],
    ['a repeat after a short outage of the broker', 'C4', { ...repeated, blows: [blow({ role: 'broker' })] }],
    [
      'a repeat of what was in the spool',
      'C4',
      {
        ...repeated,
        executions: [execution('c0', -20), execution('c1', 0, { given: ['c0#1'] }), { ...again, began: began + 3_000 }],
        blows: [blow({ at: began + 1_000, until: began + 1_500 })],
      },
    ],
    [
      'an electron that ended twice',
      'C5',
      { ...good, events: [...good.events, event('electron.failed', 9, { node: 0 })] },
    ],
    [
      'a number of an event that was given twice',
      'C5',
      { ...good, events: [...good.events, event('electron.retrying', 2, { node: 5 })] },
    ],
    [
      'an end that was told and is not in the store',
      'C5',
      { ...good, events: [event('electron.completed', 7, { node: 1 })] },
    ],
    ['an answer that changed', 'C5', { ...good, dispatched: [{ ...one, later: { status: 'cancelled' } }] }],
    [
      'an attempt that the store does not have',
      'C6',
      { ...good, stored: { ...good.stored, attempts: new Map([['D', [1, 3]]]) } },
    ],
    ['a value that is damaged', 'C6', { ...good, stored: { ...good.stored, damaged: ['value'] } }],
    ['a dispatch that the store holds for live', 'C6', { ...good, stored: { ...good.stored, live: ['D'] } }],
    [
      'an execution that ended after the answer that it was cancelled',
      'C7',
      {
        ...good,
        events: [],
        executions: [execution('p0', 500)],
        stored: { ...good.stored, dispatches: new Map([['D', { status: 'cancelled', seq: 1 }]]) },
        dispatched: [
          {
            ...one,
            ordered: { ...one.ordered, cancelAfterMs: 1 },
            cancel: { at: began + 400, unconfirmed: [] },
            outcome: { status: 'cancelled' },
          },
        ],
      },
    ],
    ['what is left over', 'C8', { ...good, left: ['process 1'] }],
  ];

  it.each(wrong)('%s (%s)', (_what, promise, account) => {
    expect(check(account).violations).toContainEqual(expect.stringMatching(new RegExp(`^${promise}`)));
  });
});

describe('excuses a repeat', () => {
  it.each([
    ['after the kill of its agent', 'agent', { ...repeated, blows: [blow({})] }],
    [
      'after the kill of its agent, which had not had it from a runner that was halted at its end',
      'agent',
      {
        ...late,
        blows: [...late.blows, blow({ role: 'runner', how: 'halt', pid: 200, at: began + 5, until: began + 1_400 })],
      },
    ],
    [
      'after the kill of its runner',
      'runner',
      { ...repeated, blows: [blow({ role: 'runner', pid: 200, until: began + 5 })] },
    ],
    [
      'after a lease without its agent',
      'silence',
      { ...repeated, blows: [blow({ how: 'halt', until: began + 4_000 })] },
    ],
    [
      'after a lease without its agent, which went away when the broker was back',
      'silence',
      {
        ...repeated,
        blows: [
          blow({ role: 'broker', pid: 1, at: began - 2_000, until: began - 300 }),
          blow({ how: 'halt', at: began - 100, until: began + 400 }),
        ],
      },
    ],
    [
      'that its agent was given before it was halted',
      'silence',
      { ...repeated, blows: [blow({ how: 'halt', pid: again.agent, at: began - 3_000, until: began + 590 })] },
    ],
    [
      'of an unrecorded attempt after a kill of the hub',
      'unrecorded',
      { ...pipelined, blows: [blow({ role: 'hub' })] },
    ],
  ] as const)('%s', (_what, cause, account) => {
    const { violations, repeats } = check(account);
    expect([violations, repeats[cause]]).toEqual([[], 1]);
  });
});
