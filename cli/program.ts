/**
 * Every command with its options, and how wrong usage is told. Each command's code is loaded when it is run.
 * docs/cli.md describes the same commands and options (a test compares).
 */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { dispatchStatuses, electronStatuses, isTerminalDispatch, type DispatchStatus } from '../model/lifecycle.ts';
import { PolaronError } from '../model/errors.ts';
import type { Context } from './context.ts';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { graphFormats } from './hub-api.ts';
import type { AgentArguments } from './agent-options.ts';
import type { GraphArguments } from './commands/graph.ts';
import type { InviteArguments } from './commands/invite.ts';
import type { PilotArguments } from './commands/pilot.ts';
import type { ListArguments } from './commands/ls.ts';
import type { ShowArguments } from './commands/show.ts';
import type { StartArguments } from './start-options.ts';
import { roles } from '../host/invitation.ts';
import { milliseconds } from '../sdk/durations.ts';
import { packageVersion } from '../host/version.ts';

/** Parses and runs. Raises USAGE for what isn't a command or option, and what the command raises. */
export async function runProgram(context: Context, argv: readonly string[]): Promise<ExitCode> {
  let exit: ExitCode = exitCodes.ok;
  const program = makeProgram(context, (code) => {
    exit = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.ok; // --help, --version
    if (error.code === 'commander.help') {
      throw new PolaronError('USAGE', 'a command is missing', { help: 'See `polaron help`.' });
    }
    throw new PolaronError('USAGE', usageText(error.message), { help: helpFor(program, argv) });
  }
  return exit;
}

/** commander's `error: unknown command 'stauts'\n(Did you mean status?)` as one sentence. */
const usageText = (message: string): string =>
  message
    .replace(/^error: /, '')
    .replace(/\.?\s*\n\s*\((.*)\)/, '. $1')
    .trim();

function helpFor(program: Command, argv: readonly string[]): string {
  const known = program.commands.find((command) => command.name() === argv[0]);
  return known === undefined ? 'See `polaron help`.' : `See \`polaron help ${known.name()}\`.`;
}

type Done = (code: ExitCode) => void;

/** All commands; for `help`, and for the test that compares docs/cli.md. */
export function makeProgram(context: Context, done: Done): Command {
  const program = new Command('polaron')
    .description('Durable workflows of plain TypeScript functions over a NATS bus.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.raw(text),
      writeErr: () => undefined, // told once, in our own form
    });
  const add = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--json', 'print JSON on stdout, everything else on stderr')
      .allowExcessArguments(false);
  addProcessCommands(add, context, done);
  addDispatchCommands(add, context, done);
  addDataCommands(add, context, done);
  return program;
}

type Add = (name: string, description: string) => Command;

function addProcessCommands(add: Add, context: Context, done: Done): void {
  add('start', 'run a hub with a local agent')
    .option('--bus <url>', 'use this NATS bus instead of an embedded one')
    .option('--data <dir>', 'data folder (default: $POLARON_HOME/data)')
    .option('--slots <n>', 'electrons that the local agent runs at once (default: CPU cores)', count(1, 4_096))
    .option('--no-agent', 'start no local agent')
    .option('--detach', 'run in the background; return when it is ready')
    .option('--host <host>', 'address that the embedded bus listens on (default: loopback)')
    .option('--port <port>', 'port of the embedded bus (default: a free one, kept over restarts)', count(0, 65_535))
    .option('--tls-cert <file>', 'certificate of the embedded bus, PEM')
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--insecure', 'allow listening off loopback without TLS')
    .addOption(new Option('--isolate <actor>', 'run this actor in a process of its own').choices(['results']))
    .option('--trace-actors', 'mirror every message between actors onto the bus')
    .action(async (options: StartArguments) =>
      done(await (await import('./commands/start.ts')).start(context, options)),
    );
  add('stop', 'stop the hub and all that it started').action(async () =>
    done(await (await import('./commands/stop.ts')).stop(context)),
  );
  add('status', 'the hub and its agents').action(async () =>
    done(await (await import('./commands/status.ts')).status(context)),
  );
  add('agent', 'run an agent that joins a hub elsewhere')
    .option('--config <file>', 'agent.yaml with what the options here say; an option goes before it')
    .option('--bus <url>', 'NATS bus of the hub, with credentials (default: POLARON_URL)')
    .option('--name <name>', "name of the agent (default: the credentials', else the host name)")
    .option('--site <site>', "site that it belongs to (default: the credentials', else local)")
    .option('--capability <capability>', 'what it offers, e.g. gpu; may be repeated', collect, [])
    .option('--slots <n>', 'electrons that it runs at once (default: CPU cores)', count(1, 4_096))
    .option(
      '--executor <name>',
      'what runs electrons: an own one, a file or a package; may be repeated (default: process, thread, python, shell)',
      collect,
      [],
    )
    .option('--no-deps', 'refuse electrons that want something installed')
    .option('--grace <duration>', 'how long it lets electrons end at SIGTERM (default: 5s)', span('--grace'))
    .option('--idle <duration>', 'end when nothing has run for so long (default: never)', span('--idle'))
    .action(async (options: AgentArguments) =>
      done(await (await import('./commands/agent.ts')).agent(context, options)),
    );
  add('doctor', 'what this machine has for electrons, what is missing and how to get it').action(async () =>
    done(await (await import('./commands/doctor.ts')).doctor(context)),
  );
  addPilot(add, context, done);
  add('invite', 'what an agent, a user, an observer or an auditor needs to join the hub of this machine')
    .argument('<name>', 'what it is called')
    .addOption(new Option('--as <role>', 'what it is').choices(roles).default('agent'))
    .option('--site <site>', 'site that the agent belongs to', 'local')
    .option('--host <host>', 'how it reaches this machine (default: where the hub listens)')
    .option('--url', 'print the bus URL only')
    .action(async (name: string, options: Omit<InviteArguments, 'name'>) =>
      done(await (await import('./commands/invite.ts')).invite(context, { ...options, name })),
    );
  add('agents', 'who can run electrons; `drain` has one of them finish and leave')
    .addArgument(new Argument('[action]', 'what to do with one').choices(['drain']))
    .argument('[agent]', 'name of the agent, or site.name')
    .option('--wait', 'return when it has left')
    .option('--grace <duration>', 'how long it waits for what runs (default: until all have ended)', span('--grace'))
    .action(async (action: string | undefined, agent: string | undefined, options: { wait?: true; grace?: number }) => {
      const { wait = false, grace } = options;
      if (action === undefined) {
        if (wait || grace !== undefined) throw new PolaronError('USAGE', '--wait and --grace belong to `agents drain`');
        return done(await (await import('./commands/agents.ts')).agents(context));
      }
      if (agent === undefined)
        throw new PolaronError('USAGE', 'which agent is to drain?', {
          help: 'Give its name; `polaron agents` lists them.',
        });
      const asked = { agent, wait, ...(grace === undefined ? {} : { graceMs: grace }) };
      done(await (await import('./commands/drain.ts')).drain(context, asked));
    });
}

function addPilot(add: Add, context: Context, done: Done): void {
  add('pilot', 'submit agents to Slurm, each a job that runs electrons until its time is over')
    .addOption(new Option('--time <limit>', 'their time limit, as sbatch takes it, e.g. 4:00:00').makeOptionMandatory())
    .option('--count <n>', 'how many', count(1, 1_000), 1)
    .option('--partition <partition>', 'where they are queued')
    .option('--sbatch <name=value>', 'any other option of sbatch, e.g. mem=16G; may be repeated', collect, [])
    .option('--pre-run <command>', 'run on the node before the agent; may be repeated', collect, [])
    .option('--slots <n>', 'electrons that each runs at once (default: cpus-per-task, else its cores)', count(1, 4_096))
    .option('--capability <capability>', 'what they offer, e.g. gpu; may be repeated', collect, [])
    .option('--name <name>', 'what their names begin with', 'pilot')
    .option('--site <site>', 'site that they belong to', 'local')
    .option('--bus <url>', 'NATS bus of the hub (default: POLARON_URL, else the hub of this home invites them)')
    .option('--host <host>', 'how the nodes reach the hub of this home (default: where it listens)')
    .option('--drain <duration>', 'they take nothing new for so long before their limit', span('--drain'), 60_000)
    .option('--idle <duration>', 'they end when nothing has run for so long', span('--idle'), 600_000)
    .action(async (options: PilotArguments) =>
      done(await (await import('./commands/pilot.ts')).pilot(context, options)),
    );
}

function addDispatchCommands(add: Add, context: Context, done: Done): void {
  add('ls', 'dispatches, newest first')
    .option('--limit <n>', 'how many', count(1, 1_000), 20)
    .addOption(new Option('--status <status>', 'only of this status').choices(dispatchStatuses))
    .option('--before <id>', 'only older ones than this')
    .option('--inner', 'those of lattices inside others, too')
    .action(async (options: ListArguments) => {
      const { limit, status, before, inner } = options;
      const request = {
        limit,
        ...(status && { status }),
        ...(before === undefined ? {} : { before }),
        ...(inner && { inner }),
      };
      done(await (await import('./commands/ls.ts')).list(context, request));
    });
  add('show', 'a dispatch and its electrons')
    .addArgument(id())
    .argument('[electron]', 'name or node id: this one with its attempts')
    .addOption(new Option('--status <status>', 'only electrons of this status').choices(electronStatuses))
    .option('--all', 'all electrons, errors and output, not only some')
    .option('--why', 'what those that do not run yet wait for')
    .action(async (id: string, electron: string | undefined, options: Partial<ShowArguments> & { why?: boolean }) => {
      const { status, all, why } = options;
      if (why === true) {
        const { showWhy } = await import('./commands/show-why.ts');
        return done(await showWhy(context, { id, ...(electron === undefined ? {} : { electron }) }));
      }
      if (electron !== undefined) {
        const { showElectron } = await import('./commands/show-electron.ts');
        return done(await showElectron(context, { id, electron, all: all ?? false }));
      }
      const asked = { id, all: all ?? false, ...(status && { status }) };
      done(await (await import('./commands/show.ts')).show(context, asked));
    });
  add('result', "a dispatch's value, or why there is none")
    .addArgument(id())
    .option('--wait', 'wait until it has ended')
    .action(async (id: string, { wait }: { wait?: boolean }) =>
      done(await (await import('./commands/result.ts')).result(context, { id, wait: wait ?? false })),
    );
  add('watch', "a dispatch's events until it ends")
    .addArgument(id())
    .action(async (id: string) => done(await (await import('./commands/watch.ts')).watch(context, { id })));
  add('logs', 'what electrons wrote')
    .addArgument(id())
    .argument('[electron]', 'name or node id (default: all)')
    .option('--attempt <n>', 'of this attempt (default: the last that wrote something)', count(1, 1_000_000_000))
    .option('--follow', 'go on until the electron, or the dispatch, has ended')
    .action(async (id: string, electron: string | undefined, o: { attempt?: number; follow?: boolean }) => {
      const asked = {
        id,
        follow: o.follow ?? false,
        ...(electron === undefined ? {} : { electron }),
        ...(o.attempt === undefined ? {} : { attempt: o.attempt }),
      };
      done(await (await import('./commands/logs.ts')).logs(context, asked));
    });
  add('cancel', 'cancel a dispatch, or some of its electrons')
    .addArgument(id())
    .option('--electron <electron>', 'only this one and what depends on it; may be repeated', collect, [])
    .option('--reason <text>', 'kept with the dispatch')
    .action(async (id: string, { electron, reason }: { electron: readonly string[]; reason?: string }) => {
      const asked = { id, electrons: electron, ...(reason === undefined ? {} : { reason }) };
      done(await (await import('./commands/cancel.ts')).cancel(context, asked));
    });
  add('redispatch', 'dispatch again what was dispatched, without its source')
    .addArgument(id())
    .option('--reuse', 'take over the values of electrons whose code and inputs are the same')
    .option('--set <name=value>', 'another argument, by name or number; may be repeated', collect, [])
    .action(async (id: string, { reuse, set }: { reuse?: boolean; set: readonly string[] }) => {
      const asked = { id, reuse: reuse ?? false, settings: set };
      done(await (await import('./commands/redispatch.ts')).redispatch(context, asked));
    });
  add('graph', "a dispatch's transport graph with its statuses, as text or a picture")
    .addArgument(id())
    .addOption(new Option('--format <format>', 'default: by the name of FILE, else mermaid').choices(graphFormats))
    .option('--output <file>', 'write it there instead of printing it')
    .option('--open', 'write it as SVG, and open it with what this system opens such files with')
    .action(async (id: string, options: Partial<GraphArguments>) => {
      const asked = { ...options, id, open: options.open ?? false };
      done(await (await import('./commands/graph.ts')).graph(context, asked));
    });
}

function addDataCommands(add: Add, context: Context, done: Done): void {
  add('purge', 'remove ended dispatches, and the values that nothing else refers to')
    .addOption(
      new Option('--older-than <time>', 'ended at least so long ago, e.g. 30d')
        .argParser(span('--older-than'))
        .makeOptionMandatory(),
    )
    .addOption(new Option('--status <status>', 'only of these statuses, with commas between them').argParser(ended))
    .option('--dry-run', 'only tell what would be removed')
    .action(async (o: { olderThan: number; status?: readonly DispatchStatus[]; dryRun?: boolean }) => {
      const asked = { olderThanMs: o.olderThan, dryRun: o.dryRun ?? false, ...(o.status && { statuses: o.status }) };
      done(await (await import('./commands/purge.ts')).purge(context, asked));
    });
  add('backup', 'copy the data folder of the running hub')
    .addArgument(new Argument('<dir>', 'a new or empty folder'))
    .action(async (folder: string) => done(await (await import('./commands/backup.ts')).backup(context, { folder })));
  add('decode', 'one message of the bus, from stdin, in clear')
    .argument('[subject]', 'that it came on')
    .action(async (subject: string | undefined) => {
      await (await import('./commands/decode.ts')).decode(process, { subject, json: context.json });
      done(exitCodes.ok);
    });
  const data = '--data <dir>';
  const whose = 'data folder of a hub that is stopped (default: $POLARON_HOME/data)';
  add('check', 'verify every value, record and reference of a data folder')
    .option(data, whose)
    .action(async (o: { data?: string }) => done(await (await import('./commands/check.ts')).check(context, o)));
  add('compact', 'make a data folder as small as what is in it')
    .option(data, whose)
    .action(async (o: { data?: string }) => done(await (await import('./commands/compact.ts')).compact(context, o)));
}

/** Milliseconds of a duration with its unit. */
const span =
  (option: string) =>
  (text: string): number => {
    if (!/^[\d.]+(ms|s|m|h|d)$/.test(text)) throw new InvalidArgumentError('Expected a time such as 10m, 12h or 30d.');
    return milliseconds(text, option);
  };

const endings = dispatchStatuses.filter(isTerminalDispatch);
function ended(text: string): readonly DispatchStatus[] {
  return text.split(',').map((word) => {
    const status = endings.find((one) => one === word.trim());
    if (status === undefined) throw new InvalidArgumentError(`Allowed are ${endings.join(', ')}.`);
    return status;
  });
}

const id = (): Argument => new Argument('<id>', 'dispatch id, as `polaron ls` shows it');

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** A whole number within bounds. */
const count =
  (least: number, most: number) =>
  (text: string): number => {
    const n = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (n >= least && n <= most) return n;
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  };
