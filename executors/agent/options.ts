/** What an agent is started with, and its defaults. */
import { checkOffers } from '../../model/capability.ts';
import { defaults } from '../../model/defaults.ts';
import { maxValueBytesOf } from '../../model/value-limit.ts';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Bus } from '../../bus/bus.ts';
import type { Subjects } from '../../bus/subjects.ts';
import type { Clock } from '../../model/clock.ts';
import type { Log } from '../../model/log.ts';
import type { ExecutorFactory } from '../executor-ground.ts';
import { processExecutor } from '../process/process-executor.ts';

export interface AgentOptions {
  readonly bus: Bus;
  /** A connection of its own for values and code, so that they delay no message. @default bus */
  readonly blobBus?: Bus;
  readonly subjects: Subjects;
  /** Tokens. */
  readonly site: string;
  readonly name: string;
  /** Electrons at once. */
  readonly slots: number;
  readonly capabilities: readonly string[];
  /** What runs electrons; each is offered by its name. @default processes of this machine */
  readonly executors?: readonly ExecutorFactory[];
  /** Of this agent alone: boot number, spool, values, code. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** @default 2000 */
  readonly heartbeatMs?: number;
  /** From a cancel or timeout to SIGTERM, and for a drain. @default 5000 */
  readonly graceMs?: number;
  /** @default POLARON_MAX_VALUE_BYTES, else 1 GiB */
  readonly maxValueBytes?: number;
  /** Node.js of the runners. @default this one */
  readonly nodePath?: string;
  /** Environment of user code. @default this process's, without POLARON_* */
  readonly runnerEnv?: Readonly<Record<string, string>>;
  /** Working folder of user code. @default the state folder */
  readonly runnerCwd?: string;
  /** Keep a process without code ready, so that the first electron of a bundle waits less. @default true */
  readonly spareRunner?: boolean;
  /** What electrons ask for by `deps` is installed here, or refused with DEPS_REFUSED. @default true */
  readonly installDeps?: boolean;
  /** Where it is installed; agents of one machine may share it. @default deps, in the state folder */
  readonly depsDir?: string;
  /** Python that venvs are made with. @default POLARON_PYTHON, else python3 */
  readonly python?: string;
  /** From 0 to 1, for jitter. @default Math.random */
  readonly random?: () => number;
  /** Tells two processes of one name apart. @default random */
  readonly instance?: string;
  /** Processes that want to run on this machine, for each core. @default nobody is told */
  readonly load?: (() => number) | undefined;
}

export interface ResolvedAgent extends Required<AgentOptions> {
  /** Who it is in envelopes. */
  readonly by: string;
  readonly host: string;
  readonly dir: {
    readonly values: string;
    readonly cache: string;
    readonly bundles: string;
    readonly runners: string;
    readonly scratch: string;
    readonly jobs: string;
  };
}

/** Raises CAPABILITY_INVALID. */
export function resolveAgent(options: AgentOptions): ResolvedAgent {
  const { stateDir } = options;
  checkOffers(`agent ${options.site}.${options.name}: a capability`, options.capabilities);
  return {
    heartbeatMs: defaults.heartbeatMs,
    graceMs: defaults.graceMs,
    maxValueBytes: maxValueBytesOf(process.env),
    nodePath: process.execPath,
    runnerCwd: stateDir,
    spareRunner: true,
    executors: [processExecutor],
    installDeps: true,
    depsDir: join(stateDir, 'deps'),
    python: process.env['POLARON_PYTHON'] ?? 'python3',
    random: Math.random,
    blobBus: options.bus,
    instance: randomUUID(),
    load: undefined,
    ...options,
    runnerEnv: options.runnerEnv ?? ownEnvironment(),
    by: `a.${options.site}.${options.name}`,
    host: hostname(),
    dir: {
      values: join(stateDir, 'values'),
      cache: join(stateDir, 'cache'),
      bundles: join(stateDir, 'node_modules', '.bundles'),
      runners: join(stateDir, 'runners'),
      scratch: join(stateDir, 'scratch'),
      jobs: join(stateDir, 'jobs'),
    },
  };
}

/** User code doesn't see the agent's credentials; leptons see which Python is theirs. */
function ownEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && (!name.startsWith('POLARON_') || name === 'POLARON_PYTHON')) env[name] = value;
  }
  return env;
}
