/** What an engine says of itself, as far as a container depends on it. Finds the first that answers. */
import { readFileSync } from 'node:fs';
import { PolaronError } from '../../model/errors.ts';
import type { EngineAddress } from './engine-address.ts';
import { Engine } from './engine.ts';
import { fieldIn, listIn, textIn } from './engine-json.ts';

export interface EngineFacts {
  /** `Podman 4.3.1`. */
  readonly name: string;
  readonly podman: boolean;
  /** As Node.js names it; undefined: none of those. */
  readonly arch: string | undefined;
  readonly limitsSwap: boolean;
  /** It can put a process in front that reaps what user code leaves. */
  readonly hasInit: boolean;
  readonly ulimits: readonly Ulimit[];
}

interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

const ARCHS: Readonly<Record<string, string>> = { amd64: 'x64', x86_64: 'x64', arm64: 'arm64', aarch64: 'arm64' };

/** Rejects with EXECUTOR_SETUP, which says what was tried. */
export async function findEngine(
  addresses: readonly EngineAddress[],
): Promise<{ readonly engine: Engine; readonly facts: EngineFacts }> {
  const tried: string[] = [];
  for (const address of addresses) {
    const engine = new Engine(address);
    try {
      return { engine, facts: await factsOf(engine) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      tried.push(why.includes(address.text) ? why : `${address.text}: ${why}`);
    }
  }
  throw new PolaronError('EXECUTOR_SETUP', `no container engine answers: ${tried.join('; ')}`, {
    help: 'Start Docker, or `podman system service`, and let the user of the agent open its socket; DOCKER_HOST names another.',
  });
}

async function factsOf(engine: Engine): Promise<EngineFacts> {
  const version = await engine.call('its version', 'GET', '/version');
  const info = await engine.call('its state', 'GET', '/info');
  const podman = listIn(fieldIn(version, 'Components')).some((part) => textIn(part, 'Name') === 'Podman Engine');
  const initBinary = textIn(info, 'InitBinary') ?? '';
  return {
    name: `${podman ? 'Podman' : 'Docker'} ${textIn(version, 'Version') ?? 'of an unknown version'}`,
    podman,
    arch: ARCHS[textIn(version, 'Arch') ?? ''],
    limitsSwap: fieldIn(info, 'SwapLimit') === true,
    hasInit: initBinary !== '',
    ulimits: podman ? ownUlimits() : [],
  };
}

/** More than a container needs, and no more than a kernel has pids by itself. */
const MOST_FILES = 65_536;
const MOST_PIDS = 32_768;

/**
 * What this process may have at most, within reason. Podman raises both to a million by itself, which it can't where it is limited, and then no container starts.
 * Nothing where /proc doesn't tell.
 */
function ownUlimits(): readonly Ulimit[] {
  let text: string;
  try {
    text = readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return [];
  }
  const limit = (name: string, line: string, most: number): Ulimit => {
    const own = Number(new RegExp(`^${line} +\\S+ +(\\d+)`, 'm').exec(text)?.[1]);
    const limited = Number.isSafeInteger(own) ? Math.min(own, most) : most;
    return { Name: name, Soft: limited, Hard: limited };
  };
  return [limit('nofile', 'Max open files', MOST_FILES), limit('nproc', 'Max processes', MOST_PIDS)];
}
