import { describe, expect, it } from 'vitest';
import type { AgentsRequest, DrainRequest } from '../../bus/protocol/agents.ts';
import type { CancelRequest, ListRequest, LogsRequest, SnapshotRequest } from '../../bus/protocol/api.ts';
import { PolaronError } from '../../model/errors.ts';
import { NOW, polaron } from './support/fake-context.ts';
import { dispatchDetail, electron, failure, hubStatus, ID, snapshots } from './support/hub-data.ts';

const unknown = async (): Promise<never> => {
  throw new PolaronError('UNKNOWN_DISPATCH', `there is no dispatch ${JSON.stringify('x')}`);
};

describe('polaron status and agents', () => {
  const { agents } = hubStatus;
  const hub = { status: async () => hubStatus, agents: async () => ({ agents }) };

  it('prints version, pid, bus, data and the agents as one JSON document', async () => {
    const { exit, out, err, closed } = await polaron(['status', '--json'], { hub });
    expect([exit, err, closed]).toEqual([0, '', true]);
    expect(JSON.parse(out)).toEqual({
      version: '0.1.0',
      pid: 4711,
      node: 'n1',
      bus: 'nats://127.0.0.1:4222',
      data: '/home/u/.polaron/data',
      startedAt: '2026-03-01T09:04:02.000Z',
      dispatches: { live: 2 },
      agents: hubStatus.agents,
    });
  });

  it('aligns what people read', async () => {
    const { out } = await polaron(['status'], { hub });
    expect(out).toContain('pid         4711\n');
    const [title = '', row = ''] = out.trimEnd().split('\n').slice(-2);
    expect(title.indexOf('STATE')).toBe(row.indexOf('live'));
    expect(row).toContain('laptop  local');
  });

  it('lists agents alone', async () => {
    expect(JSON.parse((await polaron(['agents', '--json'], { hub })).out)).toEqual({ agents: hubStatus.agents });
    const none = { agents: async () => ({ agents: [] }) };
    expect((await polaron(['agents'], { hub: none })).out).toMatch(/^no agents/);
  });

  it('lists the agents of all pages', async () => {
    const [agent] = agents;
    if (agent === undefined) throw new Error('no agent');
    const all = Array.from({ length: 7 }, (_, i) => ({ ...agent, name: `a${i}` }));
    const asked: AgentsRequest[] = [];
    const paged = {
      status: async () => ({ ...hubStatus, agents: all.slice(0, 3), more: 4 }),
      agents: async (request: AgentsRequest) => {
        asked.push(request);
        const rest = all.filter(({ site, name }) => `${site}.${name}` > (request.after ?? ''));
        return { agents: rest.slice(0, 3), ...(rest.length > 3 ? { more: rest.length - 3 } : {}) };
      },
    };
    for (const command of ['agents', 'status']) {
      const { out, err } = await polaron([command, '--json'], { hub: paged });
      expect([JSON.parse(out).agents, JSON.parse(out).more, err]).toEqual([all, undefined, '']);
    }
    expect(asked).toEqual([{}, ...['a2', 'a5', 'a2', 'a5'].map((name) => ({ after: `${agent.site}.${name}` }))]);
  });

  it('says that there are more, of a hub that has no pages', async () => {
    const old = { status: async () => ({ ...hubStatus, more: 3_500 }), agents: async () => ({ agents, more: 3_500 }) };
    for (const command of ['agents', 'status']) {
      expect(JSON.parse((await polaron([command, '--json'], { hub: old })).out)).toMatchObject({ agents, more: 3_500 });
      const { out, err, exit } = await polaron([command], { hub: old });
      expect([exit, err]).toEqual([
        0,
        'and 3500 more agents: these are the first by site and name, as one answer holds no more\n',
      ]);
      expect(out).toContain('laptop');
    }
  });

  it('shows load and round trip, and names clocks that are off', async () => {
    const off = agents.map((agent) => ({ ...agent, load: 0.5, roundTripMs: 101.26, clockMs: -3_600_100 }));
    const { out, err } = await polaron(['agents'], { hub: { agents: async () => ({ agents: off }) } });
    expect(out).toMatch(/LOAD .*ROUND TRIP .*VERSION/);
    expect(out).toMatch(/0\.50 .*101\.3 ms .*0\.1\.0/);
    expect(err).toBe("agent local.laptop: its clock is 1 h 00 m behind the hub's\n");
  });

  it('has an agent drain, and waits until it has left', async () => {
    const told: DrainRequest[] = [];
    let looks = 0;
    const draining = {
      drain: async (request: DrainRequest) => {
        told.push(request);
        return { agent: 'lab.a1', running: 2, queued: 1 };
      },
      agents: async () => ({ agents: ++looks < 3 ? agents : [] }),
    };
    const { exit, out } = await polaron(['agents', 'drain', 'a1', '--wait', '--grace', '10m'], { hub: draining });
    expect([exit, out]).toEqual([
      0,
      'agent lab.a1 drains: of 3 electrons it finishes what has begun, and gives back the rest\nagent lab.a1 has left\n',
    ]);
    const json = await polaron(['agents', 'drain', 'a1', '--json'], { hub: draining });
    expect(JSON.parse(json.out)).toEqual({ agent: 'lab.a1', running: 2, queued: 1, left: false });
    expect([told, looks]).toEqual([[{ agent: 'a1', graceMs: 600_000 }, { agent: 'a1' }], 3]);
    const signal = AbortSignal.abort();
    looks = -1_000;
    expect((await polaron(['agents', 'drain', 'a1', '--wait'], { hub: draining, signal })).exit).toBe(4);
  });

  it('drains only an agent that is named, and only with what belongs to it', async () => {
    for (const [argv, said] of [
      [['agents', 'drain'], 'which agent is to drain?'],
      [['agents', '--wait'], 'belong to `agents drain`'],
      [['agents', 'dran', 'a1'], 'Allowed choices are drain'],
      [['agents', 'drain', 'a1', '--grace', 'soon'], 'Expected a time such as 10m'],
    ] as const) {
      const { exit, err } = await polaron(argv, { hub });
      expect([exit, err]).toEqual([2, expect.stringContaining(said)]);
    }
  });

  it('colours only where colours are wanted', async () => {
    expect((await polaron(['agents'], { hub })).out).not.toContain('\u001B');
    expect((await polaron(['agents'], { hub, colour: true })).out).toContain('\u001B[32mlive\u001B[39m');
  });

  it('answers 3 and NO_HUB when there is no hub, as one line or one document', async () => {
    const human = await polaron(['status']);
    expect([human.exit, human.out]).toEqual([3, '']);
    expect(human.err).toBe(
      'polaron: NO_HUB: no hub found: there is no hub.json. Run `polaron start`, or set POLARON_URL.\n',
    );
    const json = await polaron(['status', '--json']);
    expect([json.exit, json.err]).toEqual([3, '']);
    expect(JSON.parse(json.out)).toEqual({
      error: {
        code: 'NO_HUB',
        message: 'no hub found: there is no hub.json',
        help: 'Run `polaron start`, or set POLARON_URL.',
      },
    });
  });
});

describe('polaron ls', () => {
  const old = dispatchDetail({ id: '00aaaaaaaaaaaaaaaaaa-n1', acceptedAt: 1_000, status: 'failed', error: failure });
  const asked: ListRequest[] = [];
  const hub = {
    list: async (request: ListRequest) => {
      asked.push(request);
      return { dispatches: [old, dispatchDetail()], more: true };
    },
  };

  it('lists the newest first and hands its options on', async () => {
    const { out, err, exit } = await polaron(['ls', '--limit', '2', '--status', 'failed', '--before', 'z'], { hub });
    expect(exit).toBe(0);
    expect(asked.at(-1)).toEqual({ limit: 2, status: 'failed', before: 'z' });
    const [title, first, second] = out.split('\n');
    expect(title).toMatch(/^ID +LATTICE +STATUS/);
    expect(first).toMatch(/train model +completed +2\/2 +12 s ago +4\.0 s$/);
    expect(second).toContain('train[3]: TASK_THREW: x is not a function');
    expect(err).toBe(`older ones: polaron ls --before ${old.id}\n`);
  });

  it('lists those of lattices inside others when asked to, with what is around each', async () => {
    const inside = { list: async () => ({ dispatches: [dispatchDetail({ id: old.id, outer: ID })], more: true }) };
    const { out, err } = await polaron(['ls', '--inner'], { hub: inside });
    const [title, line] = out.split('\n');
    expect(title).toMatch(/^ID +LATTICE +INSIDE +STATUS/);
    expect(line).toMatch(new RegExp(`^${old.id} +train model +${ID} +completed`));
    expect(err).toBe(`older ones: polaron ls --inner --before ${old.id}\n`);
    await polaron(['ls', '--inner'], { hub });
    expect(asked.at(-1)).toEqual({ limit: 20, inner: true });
    const { out: json } = await polaron(['ls', '--inner', '--json'], { hub: inside });
    expect(JSON.parse(json)).toMatchObject({ dispatches: [{ id: old.id, parent: ID }] });
  });

  it('has a stable JSON shape', async () => {
    const { out } = await polaron(['ls', '--json'], { hub });
    expect(JSON.parse(out)).toEqual({
      dispatches: [
        {
          id: ID,
          lattice: 'train model',
          user: 'u',
          status: 'completed',
          acceptedAt: '2026-03-01T09:04:55.000Z',
          startedAt: '2026-03-01T09:04:56.000Z',
          endedAt: '2026-03-01T09:05:00.000Z',
          counts: { completed: 2 },
          metadata: { team: 'ml' },
        },
        expect.objectContaining({ id: old.id, error: { node: 'train[3]', ...failure.error } }),
      ],
      more: true,
    });
  });

  it('keeps control characters of names away from the terminal', async () => {
    const evil = { list: async () => ({ dispatches: [dispatchDetail({ lattice: 'a\u001B[2Jb\nc' })], more: false }) };
    const { out } = await polaron(['ls'], { hub: evil });
    expect(out).not.toContain('\u001B');
    expect(out.split('\n')).toHaveLength(3);
  });
});

describe('polaron show', () => {
  const many = Array.from({ length: 120 }, (_, i) => electron(i, i === 7 ? { status: 'failed', ...failure } : {}));
  const dispatch = dispatchDetail({
    status: 'failed',
    counts: { completed: 119, failed: 1 },
    error: failure,
    errors: [failure],
    source: '() => 1',
  });
  const hub = { snapshot: snapshots(dispatch, many) };

  it('prints the facts, the errors with the first lines of their stacks, and fifty electrons', async () => {
    const { out, exit } = await polaron(['show', ID], { hub });
    expect(exit).toBe(0);
    expect(out).toContain('electrons  120: 119 completed, 1 failed\n');
    expect(out).toContain('metadata   team=ml\n');
    expect(out).toContain('train[3]: TASK_THREW: x is not a function\n    at f1 (file:///a/train.ts:1:1)\n');
    expect(out).not.toContain('at f4');
    expect(out).toContain('… 70 more; see them with --all, --status STATUS or --json\n');
    expect(out.match(/^ +\d+ {2}train/gm)).toHaveLength(50);
  });

  it('prints all with --all, and those of a status with --status', async () => {
    const all = await polaron(['show', ID, '--all'], { hub });
    expect(all.out.match(/^ +\d+ {2}train/gm)).toHaveLength(120);
    const failed = await polaron(['show', ID, '--status', 'failed'], { hub });
    expect(failed.out.match(/^ +\d+ {2}train/gm)).toHaveLength(1);
    expect(failed.out).not.toContain('more;');
  });

  it('says what no agent offers, so that somebody can start one', async () => {
    const page = snapshots(dispatchDetail({ status: 'running' }), [electron(0, { status: 'ready' })]);
    const unoffered = [
      { needs: ['gpu', 'process'], missing: ['gpu'], electrons: 1 },
      { needs: ['fast', 'process'], missing: [], electrons: 2 },
    ];
    const waiting = { snapshot: async (request: SnapshotRequest) => ({ ...(await page(request)), unoffered }) };
    const { out } = await polaron(['show', ID], { hub: waiting });
    expect(out).toContain('\nwaits      1 electron: no agent offers gpu\n');
    expect(out).toContain('\nwaits      2 electrons: no agent offers fast and process together\n');
    expect(JSON.parse((await polaron(['show', ID, '--json'], { hub: waiting })).out)).toMatchObject({ unoffered });
  });

  it('has every page of electrons in its JSON', async () => {
    const parsed: unknown = JSON.parse((await polaron(['show', ID, '--json'], { hub })).out);
    expect(parsed).toMatchObject({ id: ID, status: 'failed', source: '() => 1', errors: [{ node: 'train[3]' }] });
    expect(parsed).toHaveProperty('electrons.length', 120);
    expect(parsed).toHaveProperty('electrons.0', {
      id: 0,
      name: 'train[0]',
      status: 'completed',
      attempts: 1,
      agent: 'local.laptop',
      startedAt: '2026-03-01T09:04:57.000Z',
      endedAt: '2026-03-01T09:04:58.000Z',
    });
  });

  it('names near matches of an unknown id and exits with 2', async () => {
    const list = async () => ({ dispatches: [dispatchDetail()], more: false });
    const { exit, err, closed } = await polaron(['show', ID.replace('z5', '5z')], { hub: { snapshot: unknown, list } });
    expect([exit, closed]).toEqual([2, true]);
    expect(err).toBe(`polaron: UNKNOWN_DISPATCH: there is no dispatch "x". Did you mean ${ID}? See \`polaron ls\`.\n`);
    const elsewhere = async () => {
      throw new PolaronError('NOT_OWNER', 'it belongs to hub m1');
    };
    const other = await polaron(['show', `${ID}x`], { hub: { snapshot: elsewhere, list } });
    expect([other.exit, other.err]).toEqual([
      2,
      `polaron: NOT_OWNER: it belongs to hub m1. Did you mean ${ID}? Ask the hub that the id names.\n`,
    ]);
  });
});

describe('polaron logs', () => {
  const hub = {
    snapshot: snapshots(dispatchDetail(), [electron(0), electron(1, { attempts: 0, status: 'waiting' }), electron(2)]),
    logs: async ({ electron: which }: { electron: number | string }) => {
      if (typeof which === 'string' && which !== 'train[2]')
        throw new PolaronError('UNKNOWN_ELECTRON', `no electron ${which}`);
      return { electron: electron(which === 0 ? 0 : 2), stdout: 'one\n\ntwo', stderr: 'oops\n' };
    },
  };

  it("prints one electron's output as it is", async () => {
    expect((await polaron(['logs', ID, 'train[2]'], { hub })).out).toBe('one\n\ntwo\noops\n');
  });

  it('prefixes the lines of several, and leaves out those that have not run', async () => {
    const { out } = await polaron(['logs', ID], { hub });
    const of = (name: string): string => `${name} | one\n${name} | \n${name} | two\n${name} ! oops\n`;
    expect(out).toBe(of('train[0]') + of('train[2]'));
  });

  it('is one JSON document per line', async () => {
    const { out } = await polaron(['logs', ID, '2', '--json'], { hub });
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    const last: unknown = JSON.parse(lines[3] ?? '');
    expect(last).toEqual({ node: 2, electron: 'train[2]', stream: 'stderr', text: 'oops' });
  });

  it('names near electrons', async () => {
    const { exit, err } = await polaron(['logs', ID, 'trian[2]'], { hub });
    expect(exit).toBe(2);
    expect(err).toMatch(/UNKNOWN_ELECTRON: no electron trian\[2\]\. Did you mean train\[2\]/);
  });
});

describe('polaron show ID ELECTRON', () => {
  const error = { code: 'TASK_THREW', message: 'not yet' };
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`).join('\n');
  const asked: LogsRequest[] = [];
  const hub = {
    attempts: async () => ({
      electron: electron(2, { status: 'running', attempts: 3 }),
      attempts: [
        {
          ...{
            attempt: 1,
            status: 'failed' as const,
            agent: 'local.laptop',
            error,
            stdout: lines.length,
            stderr: 4,
            log: 0,
          },
          ...{ startedAt: NOW - 9_000, endedAt: NOW - 8_000 },
        },
        { attempt: 2, status: 'lost' as const, agent: 'lab.gone', stdout: 0, stderr: 0, log: 0 },
        {
          attempt: 3,
          status: 'running' as const,
          agent: 'lab.a1',
          startedAt: NOW - 2_000,
          stdout: 0,
          stderr: 0,
          log: 0,
        },
      ],
    }),
    logs: async (request: LogsRequest) => {
      asked.push(request);
      return { electron: electron(2), stdout: `${lines}\n`, stderr: 'oops' };
    },
  };

  it('lists each attempt with its agent, times and end, and the last lines of what it wrote', async () => {
    const { exit, out } = await polaron(['show', ID, 'train[2]'], { hub });
    expect(exit).toBe(0);
    expect(asked).toEqual([1, 3].map((attempt) => ({ id: ID, electron: 2, attempt })));
    expect(out).toMatch(/^ +1 +failed +local\.laptop .* 1\.0 s +TASK_THREW: not yet$/m);
    expect(out).toMatch(/^ +2 +lost +lab\.gone/m);
    expect(out).toMatch(/^ +3 +running +lab\.a1 .* 2\.0 s/m);
    expect(out).toContain('attempt 1, stdout, the last 10 of 30 lines:\nline 20\n');
    expect(out).toContain('attempt 1, stderr:\noops\n');
    expect(out).not.toContain('line 19');
    expect((await polaron(['show', ID, 'train[2]', '--all'], { hub })).out).toContain('attempt 1, stdout:\nline 0\n');
  });

  it('has a stable JSON shape, with all that each wrote', async () => {
    const { out } = await polaron(['show', ID, '2', '--json'], { hub });
    expect(JSON.parse(out)).toMatchObject({
      ...{ dispatch: ID, id: 2, name: 'train[2]', status: 'running', attempts: 3 },
      history: [
        {
          ...{ attempt: 1, status: 'failed', agent: 'local.laptop', error, stdout: `${lines}\n`, stderr: 'oops' },
          ...{ startedAt: '2026-03-01T09:04:58.000Z', endedAt: '2026-03-01T09:04:59.000Z' },
        },
        { attempt: 2, status: 'lost', agent: 'lab.gone', stdout: '', stderr: '' },
        { attempt: 3, status: 'running' },
      ],
    });
  });

  it('gives the output of one attempt by `logs --attempt`', async () => {
    await polaron(['logs', ID, 'train[2]', '--attempt', '2'], { hub });
    expect(asked.at(-1)).toEqual({ id: ID, electron: 'train[2]', attempt: 2 });
    expect((await polaron(['logs', ID, 'x', '--attempt', '0'], { hub })).exit).toBe(2);
  });
});

describe('polaron cancel', () => {
  it('cancels some electrons, by name or node id, with a reason', async () => {
    const asked: CancelRequest[] = [];
    const cancel = async (request: CancelRequest) => {
      asked.push(request);
      return { cancelled: ['a'], unconfirmed: ['b'] };
    };
    const argv = ['cancel', ID, '--electron', 'train[2]', '--electron', '7', '--reason', 'late'];
    const { exit, out, err } = await polaron(argv, { hub: { cancel } });
    expect(asked).toEqual([{ id: ID, electrons: ['train[2]', 7], reason: 'late' }]);
    expect([exit, out]).toEqual([0, `cancelled train[2], 7 of ${ID}: 1 electron stopped\n`]);
    expect(err).toContain('not confirmed by their agents yet: b');
    const none = { cancel: async () => ({ cancelled: [], unconfirmed: [] }) };
    expect((await polaron(['cancel', ID], { hub: none })).out).toBe(`nothing was left to cancel of dispatch ${ID}\n`);
    const json = await polaron(['cancel', ID, '--json'], { hub: { cancel } });
    expect(asked.at(-1)).toEqual({ id: ID });
    expect(JSON.parse(json.out)).toEqual({ id: ID, cancelled: ['a'], unconfirmed: ['b'] });
  });
});

describe('wrong usage', () => {
  it.each([
    [['stauts'], /^polaron: USAGE: unknown command 'stauts'\. Did you mean status\? See `polaron help`\.\n$/],
    [['ls', '--limt', '3'], /^polaron: USAGE: unknown option '--limt'\. Did you mean --limit\?/],
    [['ls', '--limit', 'x'], /^polaron: USAGE: .*whole number from 1 to 1000/],
    [['show'], /^polaron: USAGE: missing required argument 'id'/],
    [['ls', 'extra'], /^polaron: USAGE: too many arguments/],
    [[], /^polaron: USAGE: a command is missing/],
  ])('%j exits with 2 and one line', async (argv, line) => {
    const { exit, out, err } = await polaron(argv);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toMatch(line);
    expect(err.trimEnd()).not.toContain('\n');
  });

  it('is a document with --json', async () => {
    const { exit, out, err } = await polaron(['stauts', '--json']);
    expect([exit, err]).toEqual([2, '']);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'USAGE' } });
  });

  it('help is no error', async () => {
    const { exit, out } = await polaron(['help', 'ls']);
    expect(exit).toBe(0);
    expect(out).toContain('--limit <n>');
  });

  it('an error that is no coded one is told as a defect, in one line', async () => {
    const status = async (): Promise<never> => {
      throw new TypeError('boom\nat x');
    };
    const { exit, err } = await polaron(['status'], { hub: { status } });
    expect(exit).toBe(1);
    expect(err).toBe('polaron: INTERNAL: boom at x. This is a defect of polaron: please report it.\n');
  });
});
