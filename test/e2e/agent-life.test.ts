/** An agent's life with real processes: before its hub, through outages, drained by a user and by a signal, refused for its version, with a clock that is an hour off. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, getResult, getValue } from 'polaron';
import { connectNats } from '../../bus/nats-bus.ts';
import { decodeEnvelope, encodeEnvelope, encodeEnvelopeFor } from '../../bus/codec.ts';
import { makeSubjects } from '../../bus/subjects.ts';
import type { BusServer } from '../support/bus-server.ts';
import { noLog } from '../support/log-list.ts';
import { anyServer, startNatsServer } from '../support/nats-server.ts';
import { RealHub, type Running } from '../support/real-hub.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { throughGate } from './workflows/gates.ts';

const preload = fileURLToPath(new URL('../fixtures/jumping-clock.cjs', import.meta.url));
const HOUR_MS = 3_600_000;
const subjects = makeSubjects();

withRealPart('nats-server', anyServer, 'no nats-server was found', (binary) => {
  describe('an agent', { timeout: 60_000 }, () => {
    const hub = new RealHub({ env: { POLARON_LEASE_MS: '3000', POLARON_HEARTBEAT_MS: '300' } });
    let server: BusServer;
    let folder: string;

    function launch(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
      const home = mkdtempSync(join(hub.home, `agent-${name}-`));
      return hub.launchPolaron(['agent', '--name', name, '--site', 's1', '--slots', '2', ...args], {
        POLARON_HOME: home,
        ...env,
      });
    }
    const joined = (agent: Running): Promise<void> =>
      until(() => agent.out().includes('ready'), `it joins: ${agent.err()}`, 20_000);
    const notes = (): string => (existsSync(join(folder, 'notes')) ? readFileSync(join(folder, 'notes'), 'utf8') : '');
    const begun = (name: string): Promise<void> =>
      until(() => notes().includes(`begin ${name} `), `${name} runs`, 20_000);
    const open = (name: string): void => writeFileSync(join(folder, `${name}.open`), '');

    let early: Running;
    beforeAll(async () => {
      server = await startNatsServer(binary, (listen) => `listen: "${listen}"\n`);
      // before its hub
      const file = join(hub.home, 'agent.yaml');
      writeFileSync(file, `bus: ${server.url}\nname: early\nsite: s1\nslots: 2\ngrace: 20s\ncapabilities: [gpu]\n`);
      early = hub.launchPolaron(['agent', '--config', file], { POLARON_HOME: mkdtempSync(join(hub.home, 'early-')) });
      await until(() => early.err().includes('waiting for a hub'), 'it waits for a hub', 20_000);
      const started = await hub.polaron(['start', '--detach', '--bus', server.url, '--no-agent', ...hub.options]);
      expect(started).toMatchObject({ exit: 0, err: '' });
      hub.use();
      folder = mkdtempSync(join(hub.home, 'life-'));
    }, 60_000);
    afterAll(async () => {
      await hub.close();
      await server.stop();
    });

    it('waits for its hub, joins as its file says, and ends what it runs at SIGTERM', async () => {
      await joined(early);
      expect(await hub.json(['agents'])).toMatchObject({
        agents: [
          {
            name: 'early',
            slots: 2,
            capabilities: expect.arrayContaining(['gpu']) as unknown,
            load: expect.any(Number) as unknown,
          },
        ],
      });
      const id = await dispatch(throughGate)(folder, 'term');
      await begun('term');
      early.child.kill('SIGTERM');
      await until(async () => JSON.stringify(await hub.json(['agents'])).includes('"draining"'), 'it drains', 10_000);
      open('term');
      expect(await early.finished).toMatchObject({ exit: 0 });
      const next = launch('next', ['--bus', server.url]);
      await joined(next);
      expect(await getValue(id)).toBe(3);
      expect((await (await getResult(id)).electrons.get('gated')).attempts).toBe(1);
      next.child.kill('SIGTERM');
      expect((await next.finished).exit).toBe(0);
    });

    it('that a user drains finishes, however long that is, and leaves at once; others take what waits', async () => {
      const old = launch('old', ['--bus', server.url]);
      await joined(old);
      const id = await dispatch(throughGate)(folder, 'drain');
      await begun('drain');
      const draining = hub.launchPolaron(['agents', 'drain', 's1.old', '--wait']);
      await until(() => draining.out().includes('of 1 electron it finishes'), `it is told: ${draining.err()}`, 10_000);
      // longer than the grace of a SIGTERM
      await until(async () => JSON.stringify(await hub.json(['agents'])).includes('"draining"'), 'it drains', 10_000);
      open('drain');
      const { exit, out } = await draining.finished;
      expect([exit, out.trimEnd().split('\n').at(-1)]).toEqual([0, 'agent s1.old has left']);
      expect((await old.finished).exit).toBe(0);
      expect(await hub.json(['agents'])).toEqual({ agents: [] });
      const next = launch('new', ['--bus', server.url]);
      await joined(next);
      expect(await getValue(id)).toBe(3);
      expect((await (await getResult(id)).electrons.get('gated')).attempts).toBe(1);
      const unknown = await hub.polaron(['agents', 'drain', 'nwe']);
      expect([unknown.exit, unknown.err]).toEqual([2, expect.stringContaining('UNKNOWN_AGENT')]);
      next.child.kill('SIGTERM');
      await next.finished;
    });

    it('that is given too little time gives back what runs', async () => {
      const old = launch('hasty', ['--bus', server.url]);
      await joined(old);
      const id = await dispatch(throughGate)(folder, 'hasty');
      await begun('hasty');
      expect((await hub.polaron(['agents', 'drain', 's1.hasty', '--wait', '--grace', '1ms'])).exit).toBe(0);
      expect((await old.finished).exit).toBe(0);
      expect(await hub.json(['show', id, 'gated'])).toMatchObject({
        history: [{ attempt: 1, status: 'lost', agent: 's1.hasty', error: { code: 'AGENT_DRAINED' } }],
      });
      open('hasty');
      const next = launch('patient', ['--bus', server.url]);
      await joined(next);
      expect(await getValue(id)).toBe(3);
      next.child.kill('SIGTERM');
      await next.finished;
    });

    it('that is signalled twice ends at once', async () => {
      const agent = launch('twice', ['--bus', server.url, '--grace', '10m']);
      await joined(agent);
      await dispatch(throughGate)(folder, 'twice');
      await begun('twice');
      agent.child.kill('SIGTERM');
      await until(async () => JSON.stringify(await hub.json(['agents'])).includes('"draining"'), 'it drains', 10_000);
      agent.child.kill('SIGTERM');
      expect((await agent.finished).exit).toBe(null);
      open('twice');
    });

    it('whose name is taken says by whom, and exits with 1', async () => {
      const first = launch('same', ['--bus', server.url]);
      await joined(first);
      const second = launch('same', ['--bus', server.url]);
      const { exit, err } = await second.finished;
      expect([exit, err]).toEqual([1, expect.stringMatching(/AGENT_NAME_TAKEN: agent s1\.same: .* \(pid \d+\)/)]);
      expect(err).toContain(`pid ${first.pid}`);
      expect(readFileSync(join(hub.home, 'hub.log'), 'utf8')).toContain(
        `(pid ${second.pid}), wants this name and is refused`,
      );
      first.child.kill('SIGTERM');
      await first.finished;
    });

    it('whose clock is an hour off loses and repeats nothing, and it is said by how much', async () => {
      const clock = join(folder, 'clock');
      writeFileSync(clock, String(HOUR_MS));
      const env = { NODE_OPTIONS: `--require ${preload}`, TEST_CLOCK_FILE: clock };
      const agent = launch('fast', ['--bus', server.url], env);
      await joined(agent);
      const id = await dispatch(throughGate)(folder, 'clock');
      await begun('clock');
      const { out, err } = await hub.polaron(['agents']);
      expect(out).toContain('fast');
      expect(err).toMatch(/^agent s1\.fast: its clock is 1 h 00 m ahead of the hub's$/m);
      // and back, behind the hub's, while it runs
      writeFileSync(clock, String(-HOUR_MS));
      await until(
        async () => (await hub.polaron(['agents'])).err.includes("1 h 00 m behind the hub's"),
        'seen',
        15_000,
      );
      open('clock');
      expect(await getValue(id)).toBe(3);
      expect((await (await getResult(id)).electrons.get('gated')).attempts).toBe(1);
      expect(notes().match(/begin clock /g)).toHaveLength(1);
      const log = readFileSync(join(hub.home, 'hub.log'), 'utf8');
      expect(log).toMatch(/the clock of agent s1\.fast is 3(599|600|601) s ahead of the hub's/);
      expect(log).not.toMatch(/agent lost.*s1\.fast/);
      agent.child.kill('SIGTERM');
      await agent.finished;
    });

    it('of another protocol is refused by the hub, whatever else its sync says', async () => {
      const by = 'a.s1.later';
      const bus = await connectNats({ servers: server.url, name: by, identity: by, log: noLog });
      const body = { what: 'comes', later: [1, 2] };
      const { data } = await bus.request(subjects.up('s1', 'later', 'sync'), encodeEnvelopeFor(9, by, body), {
        timeoutMs: 5_000,
      });
      expect(Buffer.from(data).includes('other-version')).toBe(true);
      expect(() => decodeEnvelope(data)).toThrow(/protocol version 9/);
      await bus.close();
      expect((await hub.polaron(['status'])).exit).toBe(0);
    });

    it('that meets a hub of another protocol says which package it needs, and exits', async () => {
      const other = await startNatsServer(binary, (listen) => `listen: "${listen}"\n`);
      const by = 'hub.later';
      const bus = await connectNats({ servers: other.url, name: by, identity: by, log: noLog });
      bus.subscribe(subjects.allUp, (message) =>
        message.respond(encodeEnvelope(by, { type: 'other-version', protocol: 2, version: '9.9.9', more: true })),
      );
      const { exit, err } = await launch('lonely', ['--bus', other.url]).finished;
      await bus.close();
      await other.stop();
      expect([exit, err]).toEqual([1, expect.stringContaining('polaron: WRONG_VERSION: agent s1.lonely: this agent')]);
      expect(err).toContain('npm install -g polaron@9.9.9');
    });

    it('whose bus is away dials on, seldom says so, and takes new credentials from its file', async () => {
      // nats-server reads it from its environment
      process.env['TEST_NATS_PASSWORD'] = 'one';
      const away = await startNatsServer(
        binary,
        (listen) => `listen: "${listen}"\nauthorization { user: "a.s1.keys", password: $TEST_NATS_PASSWORD }\n`,
      );
      const file = join(hub.home, 'keys.yaml');
      const say = (word: string): void =>
        writeFileSync(file, `bus: ${away.url.replace('//', `//a.s1.keys:${word}@`)}\n`);
      say('one');
      const agent = hub.launchPolaron(['agent', '--config', file], { POLARON_HOME: mkdtempSync(join(hub.home, 'k-')) });
      const said = (what: RegExp): Promise<void> =>
        until(() => what.test(agent.err()), `${what.source}: ${agent.err()}`, 20_000);
      await said(/waiting for a hub/);
      const dials = (): number => agent.err().match(/no bus answers/g)?.length ?? 0;
      await away.restart(async () => {
        await said(/no bus answers.*dialling on.*"failures":8/);
        process.env['TEST_NATS_PASSWORD'] = 'two';
      });
      // the connections for messages and for values: the first, second, fourth and eighth failure of each
      expect(dials()).toBeLessThanOrEqual(10);
      await said(/refused the credentials of user "a\.s1\.keys"; dialling on/);
      say('two');
      await said(/bus connected again/);
      agent.child.kill('SIGTERM');
      expect((await agent.finished).exit).toBe(0);
      await away.stop();
      delete process.env['TEST_NATS_PASSWORD'];
    });

    it('that waits for a bus which never came ends at the first signal', async () => {
      const agent = launch('nowhere', ['--bus', 'nats://no-such-host.invalid:4222']);
      await until(() => /no bus answers.*dialling on/.test(agent.err()), `it dials: ${agent.err()}`, 20_000);
      agent.child.kill('SIGTERM');
      expect((await agent.finished).exit).toBe(0);
    });
  });
});
