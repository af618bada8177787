/**
 * A real Slurm of one node for a test file: munged, slurmctld and slurmd, with ports, key and folders of their own, ended by process id.
 * Not here: the executor that uses it (executors/slurm).
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './nats-server.ts';
import { until } from './until.ts';

const run = promisify(execFile);

const DAEMONS = ['munged', 'slurmctld', 'slurmd'] as const;
type Daemon = (typeof DAEMONS)[number];

const find = (program: string): string | undefined =>
  ['/usr/sbin', '/usr/local/sbin', '/usr/bin'].map((folder) => join(folder, program)).find((path) => existsSync(path));

/** Whether Slurm is on this machine: Debian's packages slurm-wlm and munge. */
export const slurmIsHere = DAEMONS.every((daemon) => find(daemon) !== undefined) ? true : undefined;

export interface Slurm {
  readonly folder: string;
  /** SLURM_CONF. */
  readonly conf: string;
  /** One of Slurm's commands; its output. */
  command(name: string, ...args: string[]): Promise<string>;
  start(daemon: Daemon): Promise<void>;
  /** Ends one, and waits for it. */
  stop(daemon: Daemon, signal?: NodeJS.Signals): Promise<void>;
  close(): Promise<void>;
}

export interface SlurmSettings {
  /** Lines for slurm.conf. */
  readonly conf?: string;
}

export async function startSlurm({ conf: more = '' }: SlurmSettings = {}): Promise<Slurm> {
  const folder = mkdtempSync(join(tmpdir(), 'polaron-slurm-'));
  for (const name of ['munge', 'state', 'spool']) mkdirSync(join(folder, name), { mode: 0o755 });
  writeFileSync(join(folder, 'munge', 'key'), randomBytes(1024), { mode: 0o600 });
  const conf = join(folder, 'slurm.conf');
  writeFileSync(conf, confOf(folder, await freePort(), await freePort(), more));
  const children = new Map<Daemon, ChildProcess>();
  const args: Record<Daemon, readonly string[]> = {
    munged: ['--foreground', '--force', ...['key', 'socket', 'pid', 'log', 'seed'].map((name) => munge(folder, name))],
    slurmctld: ['-D', '-f', conf],
    slurmd: ['-D', '-f', conf, '-N', 'n1'],
  };
  const command = async (name: string, ...given: string[]): Promise<string> =>
    (await run(name, given, { env: { ...process.env, SLURM_CONF: conf } })).stdout;
  const answers = async (...asked: [string, ...string[]]): Promise<boolean> => {
    try {
      return (await command(...asked)).includes('idle') || asked[0] !== 'sinfo';
    } catch {
      return false;
    }
  };
  const slurm: Slurm = {
    folder,
    conf,
    command,
    start: async (daemon) => {
      const log = openSync(join(folder, `${daemon}.out`), 'a');
      const env = { ...process.env, SLURM_CONF: conf };
      const child = spawn(find(daemon) ?? daemon, args[daemon], { stdio: ['ignore', log, log], env });
      closeSync(log);
      children.set(daemon, child);
      const isUp: Record<Daemon, () => boolean | Promise<boolean>> = {
        munged: () => existsSync(join(folder, 'munge', 'socket')),
        slurmctld: () => answers('scontrol', 'ping'),
        slurmd: () => answers('sinfo', '--noheader'),
      };
      for (const began = performance.now(); !(await isUp[daemon]()); ) {
        if (child.exitCode !== null || performance.now() - began > 30_000)
          throw new Error(`${daemon} doesn't start: ${readFileSync(join(folder, `${daemon}.out`), 'utf8')}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    stop: async (daemon, signal = 'SIGTERM') => {
      const child = children.get(daemon);
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      // slurmd waits for a controller that is down
      const later = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await until(() => child.exitCode !== null || child.signalCode !== null, `${daemon} to end`, 20_000);
      clearTimeout(later);
    },
    close: async () => {
      try {
        await command('scancel', `--user=${userInfo().username}`);
        for (let left = 100; left > 0 && (await command('squeue', '--noheader')) !== ''; left--)
          await new Promise((resolve) => setTimeout(resolve, 100));
      } catch {
        // the controller is down: a test has stopped it
      }
      for (const daemon of [...DAEMONS].reverse()) await slurm.stop(daemon);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    for (const daemon of DAEMONS) await slurm.start(daemon);
  } catch (error) {
    await slurm.close();
    throw error;
  }
  return slurm;
}

function munge(folder: string, name: string): string {
  const option = { key: 'key-file', socket: 'socket', pid: 'pid-file', log: 'log-file', seed: 'seed-file' }[name];
  return `--${option}=${join(folder, 'munge', name)}`;
}

/** More CPUs than there are: jobs of tests mostly wait. */
const confOf = (folder: string, controller: number, node: number, more: string): string => `
ClusterName=polaron
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=${userInfo().username}
SlurmdUser=${userInfo().username}
AuthType=auth/munge
AuthInfo=socket=${folder}/munge/socket
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=2
SlurmctldTimeout=5
MessageTimeout=5
SlurmdParameters=config_overrides
NodeName=n1 NodeAddr=127.0.0.1 NodeHostname=localhost Port=${node} CPUs=16 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=n1 Default=YES MaxTime=INFINITE State=UP
${more}
`;
