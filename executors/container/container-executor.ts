/**
 * The executor `container`: a pool of runners, each in a container with the image and the limits that its electrons ask for, kept warm while there is work for it.
 * Not here: how a runner gets there (container-runners.ts), who gets what (process/pool.ts).
 */
import { asPolaronError } from '../../model/errors.ts';
import type { ElectronDef } from '../../model/graph.ts';
import type { ErrorInfo } from '../../model/outcome.ts';
import type { ExecutorFactory, ExecutorGround } from '../executor-ground.ts';
import type { Executor, ExecutorEvents, ExecutorHandle, ExecutorTask } from '../executor.ts';
import { ProcessPool } from '../process/pool.ts';
import { refuse } from '../refused-attempt.ts';
import { Carrier } from './carrier.ts';
import { checkContainerOptions, wrongOption } from './container-options.ts';
import { ContainerRunners, placeOf } from './container-runners.ts';
import { containerSettings } from './container-settings.ts';
import { findEngine, type EngineFacts } from './engine-facts.ts';
import type { Engine } from './engine.ts';
import { fieldIn, listIn, readJson, textIn } from './engine-json.ts';
import { Images } from './images.ts';
import { allowedMounts, type MountRoot } from './mounts.ts';
import { removeContainer } from './removal.ts';

/** A container without work is removed after this. */
const IDLE_MS = 5 * 60 * 1_000;

export const CONTAINER = 'container';
/** Whose a container or volume is: the agent, whatever its name, and which life of it. */
const OWNER_LABEL = 'polaron.owner';
const LIFE_LABEL = 'polaron.life';

type Env = Readonly<Record<string, string | undefined>>;

/** What there is once an engine has been found. */
interface Ready {
  readonly pool: ProcessPool;
  readonly runners: ContainerRunners;
  readonly images: Images;
  readonly carrier: Carrier;
  readonly facts: EngineFacts;
  readonly roots: readonly MountRoot[];
}

export class ContainerExecutor implements Executor {
  readonly name = CONTAINER;
  readonly #ground: ExecutorGround;
  readonly #env: Env;
  readonly #places = new WeakMap<ElectronDef, string | ErrorInfo>();
  #ready: Ready | undefined;

  /** `env` says where the engine is, and what may be mounted. */
  constructor(ground: ExecutorGround, env: Env) {
    this.#ground = ground;
    this.#env = env;
  }

  /** Rejects with EXECUTOR_SETUP, which says which sockets were tried. */
  async setUp(): Promise<void> {
    const { site, agent, life, slots, graceMs, clock, scratchDir, start, log } = this.#ground;
    const { addresses, roots } = containerSettings(this.#ground.settings ?? {}, this.#env);
    const { engine, facts } = await findEngine(addresses);
    const own = { [OWNER_LABEL]: life.id };
    const carrier = new Carrier({ engine, facts, nodePath: start.nodePath, labels: own, owner: life.id, clock, log });
    await this.#removeLeft(engine);
    await carrier.remove('others');
    const images = new Images(engine);
    const labels = { ...own, [LIFE_LABEL]: String(life.epoch), 'polaron.agent': `${site}.${agent}` };
    const runners = new ContainerRunners({ engine, facts, images, carrier, roots, labels, clock, log });
    const pool = new ProcessPool({
      name: CONTAINER,
      slots,
      graceMs,
      clock,
      scratchDir,
      spare: false,
      start,
      run: runners.start,
      idleMs: IDLE_MS,
      placeOf: ({ electron }) => {
        const place = this.#placeOf(electron, roots, facts);
        return typeof place === 'string' ? place : '';
      },
    });
    this.#ready = { pool, runners, images, carrier, facts, roots };
    carrier.prepare();
    log('info', `agent: executor "container" works with ${facts.name} at ${engine.address.text}`);
  }

  start(task: ExecutorTask, events: ExecutorEvents): ExecutorHandle {
    const { electron, code } = task;
    const ready = this.#ready;
    if (ready === undefined) throw new Error(`executor ${CONTAINER} was not set up`);
    const place = this.#placeOf(electron, ready.roots, ready.facts);
    if (typeof place !== 'string') return refuse(this.#ground.clock, events, place);
    if (code.deps !== undefined) {
      const message = `electron "${electron.name}": its deps are installed on the agent's machine, and it runs in a container; take an image that has them, or executor "process"`;
      return refuse(this.#ground.clock, events, { code: 'DEPS_REFUSED', message });
    }
    return ready.pool.start(task, events);
  }

  roomChanged(): void {
    this.#ready?.pool.roomChanged();
  }

  typicalMs(): number | undefined {
    return this.#ready?.pool.typicalMs();
  }

  async stop(): Promise<void> {
    if (this.#ready === undefined) return;
    const { images, pool, runners, carrier } = this.#ready;
    images.stop();
    await pool.stop();
    await runners.close();
    // an engine that is gone keeps it for the next life
    await carrier.remove('all').catch(() => undefined);
  }

  /** By electron, as many attempts share one. */
  #placeOf(electron: ElectronDef, roots: readonly MountRoot[], facts: EngineFacts): string | ErrorInfo {
    const known = this.#places.get(electron);
    if (known !== undefined) return known;
    let place: string | ErrorInfo;
    try {
      const options = checkContainerOptions(electron.executorOptions);
      allowedMounts(options.mounts ?? [], roots);
      if (options.gpus !== undefined && facts.podman)
        throw wrongOption('gpus', `needs Docker Engine with NVIDIA's toolkit, and the engine here is ${facts.name}`);
      place = placeOf(options);
    } catch (error) {
      const { code, message } = asPolaronError(error, 'EXECUTOR_OPTION');
      place = { code, message: `electron "${electron.name}": ${message}` };
    }
    this.#places.set(electron, place);
    return place;
  }

  /** A5: containers of earlier lives. */
  async #removeLeft(engine: Engine): Promise<void> {
    const { life, clock, log } = this.#ground;
    const filters = encodeURIComponent(JSON.stringify({ label: [`${OWNER_LABEL}=${life.id}`] }));
    const { body } = await engine.ask('GET', `/containers/json?all=1&filters=${filters}`);
    const left = listIn(readJson(body)).flatMap((container) => {
      const id = textIn(container, 'Id');
      return id === undefined || fieldIn(container, 'Labels', LIFE_LABEL) === String(life.epoch) ? [] : [id];
    });
    await Promise.all(left.map((id) => removeContainer(engine, clock, id)));
    if (left.length > 0)
      log('warn', `agent: removed ${left.length} containers that an earlier life had left`, { removed: left.length });
  }
}

export const containerExecutor: ExecutorFactory = (ground) => new ContainerExecutor(ground, process.env);
