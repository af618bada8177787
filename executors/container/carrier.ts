/**
 * What every container of an agent needs, in a volume of the engine: Node.js of the agent with the libraries that it is linked with, and the carried program. It is filled once in a life of the
 * agent and removed with it; containers see it for reading only. A volume, not a folder of this machine: an engine may be in a virtual machine.
 * Invariants: V1 its name says what is in it, so none is ever changed; V2 `whole` is written last, and one without it is filled again.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Clock } from '../../model/clock.ts';
import type { Log } from '../../model/log.ts';
import { remoteProgram } from '../remote/remote-program.ts';
import { PROGRAM_DIR } from './container-config.ts';
import { engineRefusal, type Engine } from './engine.ts';
import type { EngineFacts } from './engine-facts.ts';
import { fieldIn, listIn, readJson, textIn } from './engine-json.ts';
import { removeContainer } from './removal.ts';
import { tarOf, type TarEntry } from './tar.ts';

const NAME_CHARS = 12;
const WHOLE = 'whole';
/** Those of glibc must be the image's own. */
const OF_GLIBC = /^(?:ld-linux.*|lib(?:c|m|dl|pthread|rt|util|resolv|anl|nsl|nss_.*|BrokenLocale|mvec|thread_db))\.so/;

interface Library {
  readonly name: string;
  readonly file: string;
}

export interface CarrierOptions {
  readonly engine: Engine;
  readonly facts: EngineFacts;
  /** Node.js to bring along. */
  readonly nodePath: string;
  /** Of the agent: no other uses its volumes. */
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Log;
}

export class Carrier {
  /** Of the volume. */
  readonly name: string;
  /** Of the carried program. */
  readonly version: string;
  /** Why the agent's Node.js can't be brought; undefined: it can. */
  readonly noNode: string | undefined;
  readonly #options: CarrierOptions;
  readonly #entries: readonly TarEntry[];
  #filling: Promise<void> | undefined;
  #preparing: Promise<void> | undefined;

  /** Raises EXECUTOR_SETUP when the package is incomplete. */
  constructor(options: CarrierOptions) {
    this.#options = options;
    const { facts, nodePath, owner } = options;
    const { version, files } = remoteProgram();
    this.version = version;
    this.noNode =
      process.platform !== 'linux'
        ? `the agent's is for ${process.platform}`
        : facts.arch === process.arch
          ? undefined
          : `the agent's is for ${process.arch}, the engine's containers for ${facts.arch ?? 'other'} processors`;
    const brought = this.noNode === undefined ? { node: nodePath, libraries: librariesOf(nodePath) } : undefined;
    const hash = createHash('sha256').update(`${owner}\0${version}`);
    for (const file of brought === undefined
      ? []
      : [brought.node, ...brought.libraries.map(({ file: library }) => library)]) {
      const { size, mtimeMs } = statSync(file);
      hash.update(`\0${file}\0${size}\0${mtimeMs}`);
    }
    this.name = `polaron-${hash.digest('hex').slice(0, NAME_CHARS)}`;
    const folders = new Set(files.flatMap(({ name }) => (name.includes('/') ? [`${name.split('/')[0]}/`] : [])));
    this.#entries = [
      ...[...folders].map((path) => ({ path, mode: 0o755 })),
      ...files.map(({ name, content }) => ({ path: name, mode: 0o644, content })),
      ...(brought === undefined
        ? []
        : [
            { path: 'node', mode: 0o755, content: { file: brought.node } },
            { path: 'lib/', mode: 0o755 },
            ...brought.libraries.map(({ name, file }) => ({ path: `lib/${name}`, mode: 0o755, content: { file } })),
          ]),
      { path: WHOLE, mode: 0o644, content: Buffer.from(version) },
    ];
  }

  /** Resolves when the volume holds everything. `imageId`: one that the engine has. Rejects with DISK_FULL, EXECUTOR_FAILED. */
  filled(imageId: string): Promise<void> {
    this.#filling ??= this.#fill(imageId).catch((error: unknown) => {
      this.#filling = undefined;
      throw error;
    });
    return this.#filling;
  }

  /** Created, and never started: an archive is put into the volume through it. */
  async #fill(imageId: string): Promise<void> {
    const { engine, labels } = this.#options;
    const what = `the program can't be brought into volume ${this.name}`;
    await engine.call(what, 'POST', '/volumes/create', { body: { Name: this.name, Labels: labels } });
    const made = await engine.call(what, 'POST', '/containers/create', {
      body: {
        Image: imageId,
        Entrypoint: [`${PROGRAM_DIR}/node`],
        Labels: labels,
        HostConfig: {
          NetworkMode: 'none',
          Ulimits: this.#options.facts.ulimits,
          Mounts: [{ Type: 'volume', Source: this.name, Target: PROGRAM_DIR }],
        },
      },
    });
    const id = textIn(made, 'Id') ?? '';
    const path = `/containers/${id}/archive?path=${encodeURIComponent(PROGRAM_DIR)}`;
    try {
      const whole = await engine.ask('HEAD', `${path}%2F${WHOLE}`);
      if (whole.status === 200) return;
      const put = await engine.ask('PUT', path, { archive: tarOf(this.#entries) });
      if (put.status >= 400) throw engineRefusal(what, put);
    } finally {
      await removeContainer(engine, this.#options.clock, id).catch(() => undefined);
    }
  }

  /** Ahead of the first container, when the engine has any image. Never rejects: who needs it asks again. */
  prepare(): void {
    this.#preparing = this.#prepare();
  }

  async #prepare(): Promise<void> {
    try {
      const { body } = await this.#options.engine.ask('GET', '/images/json');
      const id = textIn(listIn(readJson(body))[0], 'Id');
      if (id !== undefined) await this.filled(id);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.log('warn', `agent: executor "container" isn't prepared yet: ${why}`);
    }
  }

  /** Removes volumes of the agent: those of other programs, or all. None may be in use. */
  async remove(which: 'others' | 'all'): Promise<void> {
    await this.#preparing;
    await this.#filling?.catch(() => undefined);
    const { engine, labels, log } = this.#options;
    const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    const { body } = await engine.ask('GET', `/volumes?filters=${encodeURIComponent(JSON.stringify({ label }))}`);
    for (const volume of listIn(fieldIn(readJson(body), 'Volumes'))) {
      const name = textIn(volume, 'Name');
      if (name === undefined || (which === 'others' && name === this.name)) continue;
      const removed = await engine.ask('DELETE', `/volumes/${encodeURIComponent(name)}`);
      if (removed.status >= 400 && removed.status !== 404)
        log('warn', `agent: volume ${name} can't be removed: ${removed.body.trim()}`, { status: removed.status });
    }
  }
}

/**
 * What the dynamic linker of glibc loads for a program, by the names that it looks for, apart from glibc itself. Nothing with another linker, or none.
 * LD_TRACE_LOADED_OBJECTS: ld.so(8); the program isn't run.
 */
function librariesOf(program: string): readonly Library[] {
  let traced: string;
  try {
    const env = { ...process.env, LD_TRACE_LOADED_OBJECTS: '1' };
    traced = execFileSync(program, ['--version'], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return [];
  }
  return traced.split('\n').flatMap((line) => {
    const [, name = '', file = ''] = /^\s*(\S+) => (\/\S+) \(0x/.exec(line) ?? [];
    return file === '' || OF_GLIBC.test(name) ? [] : [{ name, file }];
  });
}
