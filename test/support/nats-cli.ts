/** The real `nats` command (NATS' own client for people): found, run with a configuration folder of its own. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export const natsCli = [
  process.env['POLARON_NATS_CLI'],
  ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'nats')),
].find((path): path is string => path !== undefined && path !== '' && existsSync(path));

export interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** One person's `nats`: contexts and settings of nobody else. */
export class NatsCli {
  readonly #binary: string;
  readonly #home = mkdtempSync(join(tmpdir(), 'polaron-nats-cli-'));
  readonly env: NodeJS.ProcessEnv;

  /** `env`: e.g. NATS_URL, and a PATH with the built polaron. */
  constructor(binary: string, env: NodeJS.ProcessEnv = {}) {
    this.#binary = binary;
    const { POLARON_URL: _, ...inherited } = process.env;
    this.env = { ...inherited, HOME: this.#home, XDG_CONFIG_HOME: join(this.#home, '.config'), ...env };
  }

  /** To its end. */
  run(...args: readonly string[]): Promise<Said> {
    return new Promise((resolve) => {
      const child = execFile(
        this.#binary,
        [...args],
        { env: this.env, timeout: 30_000, maxBuffer: 64 * 1024 * 1024 },
        (error, out, err) => resolve({ exit: error === null ? 0 : (child.exitCode ?? -1), out, err }),
      );
      child.stdin?.end();
    });
  }

  /** One that goes on until it is ended. */
  launch(...args: readonly string[]): { readonly child: ChildProcess; readonly out: () => string } {
    const child = spawn(this.#binary, args, { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (out += text));
    return { child, out: () => out };
  }

  close(): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}
