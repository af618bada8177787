/** docs/guides/nats-cli.md: each of its commands is run by the real `nats` as it stands there, on the embedded broker and on a nats-server with permissions. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatch, dispatchSync, getResult } from 'polaron';
import { auditorIdentity, observerIdentity, userIdentity } from '../../bus/identity.ts';
import { crashed, trained } from '../e2e/workflows/looked-at.ts';
import { root } from '../house/sources.ts';
import { onEmbedded, onServer, type AskedHub } from '../support/asked-hub.ts';
import { NatsCli, natsCli } from '../support/nats-cli.ts';
import { currentServer } from '../support/nats-server.ts';
import { withRealPart } from '../support/real-part.ts';
import { until } from '../support/until.ts';
import { codeBlocks } from './code-blocks.ts';
import { readPage } from './pages.ts';

interface Shown {
  /** A heading of the page. */
  readonly under: string;
  readonly command: string;
}

/** Every line of a `sh` block is a command. */
const page = readPage('docs/guides/nats-cli.md');
const commands: readonly Shown[] = codeBlocks(page)
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code, line }) => {
    const above = page.split('\n').slice(0, line);
    const under = above.findLast((text) => text.startsWith('## '))?.slice('## '.length) ?? '';
    return code
      .trim()
      .split('\n')
      .map((command) => ({ under, command }));
  });

const EMBEDDED = 'With the bus that is in the hub';
const SERVER = 'With a NATS server';

/** What a command has to say; a command without an entry is an error. The first that fits counts. */
const says: readonly (readonly [command: RegExp, ...said: RegExp[]])[] = [
  [/^nats context add .*--select/, /Connection: OK/],
  [/^nats context add/, /Server URLs: nats:/],
  [/--no-context .*\.list ''$/, /"lattice":"trained"/],
  [/^nats micro ls$/, /polaron-agent/, /polaron-dispatcher/, /polaron-results/],
  [/^nats micro info polaron-agent$/, /site: /, /slots: 2/, /capabilities: .*process/],
  [/^nats micro stats polaron-dispatcher$/, /submit\s+│ [1-9]/, /dispatchers/],
  [/^nats micro stats polaron-results$/, /write\s+│ [1-9]/],
  [/^nats micro ping$/, /polaron-agent .*rtt=/, /polaron-dispatcher n1 .*rtt=/],
  [/\.list /, /"ok":true.*"lattice":"trained","status":"completed"/],
  [/\.status ''$/, /"node":"n1".*"agents":\[\{/],
  [/\.status ID$/, /"id":"ID","user":"kim","lattice":"trained","status":"completed"/],
  [/\.agents ''$/, /"agents":\[\{"name":"/],
  [/\.snapshot /, /"electrons":\[\{"id":0,"name":"train","status":"completed"/],
  [/\.wait ID$/, /"status":"completed".*"output":\{"template":"/],
  [/\.logs /, /"stdout":"training on 7 rows\\n"/],
  [/\.attempts /, /"attempts":\[\{"attempt":1,"status":"completed"/],
  [/\.why ID$/, /"ok":true.*"reasons":/],
  [/\.cancel /, /"ok":true,"body":\{"cancelled":\[\]/],
  [/\.purge /, /"ok":true,"body":\{"dispatches":0/],
  [/\.value .*decode'$/, /answer in JSON/, /"rows": 7/, /"\$type": "Date", "value": "1970-01-01T00:00:00.000Z"/],
  [/\.redispatch /, /"ok":true,"body":\{"id":"[0-9a-z]+-n1","existing":false\}/],
  [/capability\.process\.probe ''$/, /^\{"site":"[a-z0-9_-]+","agent":"[a-z0-9_-]+"\}$/m],
  [/capability\.memory\.probe '' --replies 0/, /^\{"site":"[a-z0-9_-]+","agent":"[a-z0-9_-]+"\}$/m],
  [/electron\.failed'$/, /"type":"electron.failed".*"electron":"crash"/],
  [/sub 'polaron\.event/, /"type":"dispatch.completed"/, /"type":"electron.completed".*"electron":"train"/],
  [
    /'polaron\.>' '_INBOX\.>'$/,
    /^(answer to a sync), by hub\.n1/m,
    /^answer to a done, by hub\.n1, .*\n\{ "all": "committed" \}/m,
    /^answer to an assign, by a\./m,
  ],
  [
    /'polaron\.>'$/,
    /^submit of user kim, by u\.kim/m,
    /"\$graph": \{/,
    /^assign, by hub\.n1/m,
    /"\$template": \[7\]/,
    /^done, by a\./m,
    /"\$value": \{ "rows": 7, "at": \{ "\$type": "Date"/,
    /^event: dispatch\.completed/m,
  ],
  [/'polaron\.up\.\*\.\*\.done'$/, /^done, by a\./m],
  [
    /'polaron\.actor\.>'$/,
    /^between actors, mirrored: lattice\.start, from n1\.dispatcher\.main, by hub\.n1/m,
    /^between actors, mirrored: attempt\.finished/m,
    /^between actors, mirrored: dispatch\.ended/m,
  ],
];
const saidBy = (command: string): readonly RegExp[] => says.find(([of]) => of.test(command))?.slice(1) ?? [];

it('the page has commands, and each has to say something', () => {
  expect(commands.length).toBeGreaterThan(25);
  expect(commands.filter(({ command }) => saidBy(command).length === 0)).toEqual([]);
  expect([...new Set(commands.map(({ under }) => under))]).toEqual(expect.arrayContaining([EMBEDDED, SERVER]));
});

function describeCommands(where: string, binary: string, open: () => Promise<AskedHub>, left: string): void {
  describe(`the nats command ${where}`, () => {
    let asked: AskedHub;
    let nats: NatsCli;
    let id: string;
    beforeAll(async () => {
      asked = await open();
      const path = [dirname(binary), join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
      nats = new NatsCli(binary, { PATH: path, POLARON_HOME: asked.hub.home, NO_COLOR: '1' });
      process.env['POLARON_URL'] = asked.url(userIdentity('kim'));
      id = await dispatch(trained)(7);
      expect(await getResult(id, { wait: true })).toMatchObject({ status: 'completed' });
    });
    afterAll(async () => {
      delete process.env['POLARON_URL'];
      nats?.close();
      await asked?.stop();
    });

    /** The line as a person would have typed it here. */
    const typed = (command: string): string =>
      [userIdentity('kim'), observerIdentity('eye'), auditorIdentity('ears')]
        .reduce((line, who) => line.replace(`nats://${who}:PASSWORD@nats.example:4222`, asked.url(who)), command)
        .replaceAll(/\bID\b/g, id);
    const wanted = (command: string): RegExp[] =>
      saidBy(command).map((said) => new RegExp(said.source.replaceAll('"ID"', `"${id}"`), said.flags));

    async function listen(command: string): Promise<void> {
      const child = spawn('bash', ['-c', `exec ${typed(command)}`], {
        env: nats.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let out = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (out += text));
      try {
        await until(() => out.includes('Subscribing on'), `it listens: ${out}`, 10_000);
        // It says so before the server knows of it: what is sent then is not heard. And it begins a process for each message, so that it lags behind.
        const missing = (): RegExp[] => wanted(command).filter((said) => !said.test(out));
        for (let round = 0; round < 6 && missing().length > 0; round++) {
          await dispatchSync(trained)(7);
          await dispatchSync(crashed)(7);
          await until(() => missing().length === 0, 'all is said', 8_000).catch(() => undefined);
        }
        if (missing().length > 0) expect(out).toMatch(missing()[0] ?? /./);
      } finally {
        child.kill('SIGKILL');
      }
      expect(out).not.toMatch(/Error while translating|Permissions Violation/);
    }

    async function ask(command: string): Promise<void> {
      const child = spawn('bash', ['-c', typed(command)], { env: nats.env, stdio: ['ignore', 'pipe', 'pipe'] });
      let out = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (out += text));
      const exit = await new Promise((resolve) => child.once('close', resolve));
      expect(exit, out).toBe(0);
      for (const said of wanted(command)) expect(out).toMatch(said);
    }

    for (const { command } of commands.filter(({ under }) => under !== left))
      it(command, { timeout: 60_000 }, () => (/\bsub\b/.test(command) ? listen(command) : ask(command)));

    it('is told what is wrong in JSON, with what to do', async () => {
      const said = await nats.run('req', '--raw', 'polaron.api.kim.snapshot', '{"id":"no"}');
      expect(JSON.parse(said.out)).toMatchObject({
        ok: false,
        error: { code: 'UNKNOWN_DISPATCH', message: expect.stringContaining('"no"'), help: expect.stringMatching(/./) },
      });
      const garbled = await nats.run('req', '--raw', 'polaron.api.kim.snapshot', 'what is this');
      expect(JSON.parse(garbled.out)).toMatchObject({
        error: { code: 'BAD_REQUEST', help: 'Send {"id":"…"}, or the id alone.' },
      });
    });

    it('is refused without the inbox prefix, as the page says', async () => {
      const said = await nats.run(
        '--no-context',
        '--server',
        asked.url(userIdentity('kim')),
        '--timeout',
        '1s',
        'req',
        'polaron.api.kim.list',
        '',
      );
      expect(`${said.out}${said.err}`).toMatch(/Permissions Violation for Subscription to "_INBOX\./i);
    });
  });
}

withRealPart('nats CLI', natsCli, 'no nats command was found', (binary) => {
  describeCommands('on the bus that is in the hub', binary, () => onEmbedded('--trace-actors'), SERVER);
  withRealPart('nats-server (current)', currentServer, 'no current nats-server was found', (server) => {
    describeCommands('on a nats-server', binary, () => onServer(server, '--trace-actors'), EMBEDDED);
  });
});
