/** What the engine is told of a container: options of the electron, and what is the same for all of ours. Pure. */
import { memoryBytes, type ContainerOptions, type MountOption } from './container-options.ts';
import type { EngineFacts } from './engine-facts.ts';

/** Beside what the electron may hold: the bridge, and Node.js of the runner. */
const BESIDE_BYTES = 256 * 1024 * 1024;
/** Processes and threads: Node.js has a dozen of them. */
const MOST_PROCESSES = 4_096;

/** Where the carried files are, for reading. */
export const PROGRAM_DIR = '/.polaron';
/** Where the bridge keeps what it has, for writing. */
export const WORK_DIR = '/.polaron-work';

export interface ContainerPlan {
  readonly options: ContainerOptions;
  readonly mounts: readonly Required<MountOption>[];
  readonly memoryMb: number | undefined;
  readonly imageId: string;
  readonly volume: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly facts: EngineFacts;
  /** Give Node.js the libraries that are brought along. */
  readonly libraries: boolean;
  /** Names the program's version. */
  readonly version: string;
}

/** The image's Node.js may be of any age: old words only. */
const CHECKED_START = `
const [a, b] = process.versions.node.split(".").map(Number);
if (a < 20 || (a === 20 && b < 19)) {
  process.stderr.write("polaron: Node.js " + process.versions.node + " is too old");
  process.exit(3);
}
require(process.argv[1]);`.trim();

/** What the container may hold, bytes; undefined: as much as the machine. */
export function containerBytes({ memory }: ContainerOptions, memoryMb: number | undefined): number | undefined {
  if (memory !== undefined) return memoryBytes(memory);
  return memoryMb === undefined ? undefined : memoryMb * 1024 * 1024 + BESIDE_BYTES;
}

/** Body of "Create a container". */
export function containerConfig(plan: ContainerPlan): object {
  const { options, mounts, memoryMb, imageId, volume, labels, facts, libraries, version } = plan;
  const { cpus, network = 'bridge', user, node = 'bring', gpus } = options;
  const bytes = containerBytes(options, memoryMb);
  const bridge = [`${PROGRAM_DIR}/bridge.cjs`, `${WORK_DIR}/bridge`, version];
  return {
    Image: imageId,
    Entrypoint: [node === 'bring' ? `${PROGRAM_DIR}/node` : 'node'],
    Cmd: node === 'bring' ? bridge : ['-e', CHECKED_START, ...bridge],
    ...(libraries ? { Env: [`LD_LIBRARY_PATH=${PROGRAM_DIR}/lib`] } : {}),
    ...(user === undefined ? {} : { User: user }),
    Labels: labels,
    OpenStdin: true,
    // its input ends with the agent
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    HostConfig: {
      AutoRemove: true,
      NetworkMode: network,
      Privileged: false,
      SecurityOpt: ['no-new-privileges'],
      CapDrop: ['AUDIT_WRITE', 'MKNOD', 'NET_RAW'],
      PidsLimit: MOST_PROCESSES,
      // what the engine writes down of output would be a second copy of all values
      LogConfig: { Type: 'none' },
      Ulimits: facts.ulimits,
      ...(facts.hasInit ? { Init: true } : {}),
      ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
      ...(bytes === undefined ? {} : { Memory: bytes, ...(facts.limitsSwap ? { MemorySwap: bytes } : {}) }),
      ...(gpus === undefined
        ? {}
        : { DeviceRequests: [{ Driver: '', Count: gpus === 'all' ? -1 : gpus, Capabilities: [['gpu']] }] }),
      Mounts: [
        { Type: 'volume', Source: volume, Target: PROGRAM_DIR, ReadOnly: true },
        ...mounts.map(({ from, to, readOnly }) => ({ Type: 'bind', Source: from, Target: to, ReadOnly: readOnly })),
      ],
    },
  };
}
