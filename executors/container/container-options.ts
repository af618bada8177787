/** What an electron says of the container that it wants: `executor: { type: 'container', image: 'python:3.12', … }`, checked. Not here: which folders may be mounted (mounts.ts). */
import { readAmount } from '../../model/capability.ts';
import { PolaronError } from '../../model/errors.ts';

/** What `executor: { type: 'container', … }` takes. */
export interface ContainerOptions {
  readonly image: string;
  /** Processors that it may use, 1.5 for one and a half. @default all */
  readonly cpus?: number;
  /** It and all that runs in it: `4GiB`. @default what memoryMb asks for, else the machine's */
  readonly memory?: string;
  /** `none`, `bridge`, or a network of the engine. @default bridge */
  readonly network?: string;
  readonly mounts?: readonly MountOption[];
  /** Variables of user code, over those of the image. */
  readonly env?: Readonly<Record<string, string>>;
  /** Name or number, with a group: `1000:1000`. @default the image's */
  readonly user?: string;
  /** Whose Node.js runs the electron: the agent's, brought along, or the image's. @default bring */
  readonly node?: 'bring' | 'image';
  /** When the engine gets the image from its registry. @default missing */
  readonly pull?: 'missing' | 'never' | 'always';
  /** So many, or all. @default none */
  readonly gpus?: number | 'all';
}

export interface MountOption {
  /** Folder or file of the agent's machine. */
  readonly from: string;
  /** Its path in the container. */
  readonly to: string;
  readonly readOnly?: boolean;
}

/** Node.js twice, and a little for the electron. */
export const LEAST_MEMORY_BYTES = 128 * 1024 * 1024;

type Check = (value: unknown) => string | undefined;

const matching =
  (pattern: RegExp, what: string): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? undefined : what;
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && words.includes(value) ? undefined : words.join(' or ');

/** Bytes; undefined when it isn't a size. */
export function memoryBytes(text: string): number | undefined {
  const amount = readAmount(text);
  return amount?.of === 'bytes' ? Number(amount.milli / 1_000n) : undefined;
}

/** Where the engine and Polaron have something of their own. */
const RESERVED = /^\/(?:$|(?:proc|sys|dev|\.polaron|\.polaron-work)(?:\/|$))/;
const isPath = (value: unknown): value is string =>
  typeof value === 'string' && /^\/[^\0\n\r]*$/.test(value) && !value.split('/').includes('..');

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isMount(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { from, to, readOnly = false, ...rest } = value;
  const known = Object.keys(rest).length === 0 && typeof readOnly === 'boolean';
  return known && isPath(from) && isPath(to) && !RESERVED.test(to);
}

const checks: Readonly<Record<keyof ContainerOptions, Check>> = {
  image: matching(/^[a-z0-9][\w.:/@-]{0,254}$/i, 'the name of an image, such as python:3.12'),
  cpus: (value) =>
    typeof value === 'number' && value >= 0.01 && value <= 4_096 ? undefined : 'a number of processors, 0.01 or more',
  memory: (value) =>
    typeof value === 'string' && (memoryBytes(value) ?? 0) >= LEAST_MEMORY_BYTES
      ? undefined
      : 'a size such as 4GiB, 128MiB or more',
  // a host's network, and that of another container, would be a way around the agent's
  network: matching(
    /^(?!(?:host|default|private|slirp4netns|pasta)$)[A-Za-z0-9][\w.-]{0,127}$/,
    "none, bridge, or the name of one of the engine's networks",
  ),
  mounts: (value) =>
    Array.isArray(value) && value.every(isMount)
      ? undefined
      : 'a list of { from, to, readOnly }, both absolute paths without "..", and to none of /, /proc, /sys, /dev and /.polaron',
  env: (value) =>
    isObject(value) && Object.entries(value).every(([name, text]) => /^[A-Za-z_]\w*$/.test(name) && isLine(text))
      ? undefined
      : 'an object of texts by the names of variables',
  user: matching(/^[A-Za-z0-9_][\w.-]*(?::[A-Za-z0-9_][\w.-]*)?$/, 'a user, such as 1000 or 1000:1000'),
  node: oneOf('bring', 'image'),
  pull: oneOf('missing', 'never', 'always'),
  gpus: (value) =>
    value === 'all' || (typeof value === 'number' && Number.isSafeInteger(value) && value > 0)
      ? undefined
      : 'how many, or "all"',
};

const isLine = (text: unknown): boolean => typeof text === 'string' && !text.includes('\0');
const isOption = (name: string): name is keyof ContainerOptions => Object.hasOwn(checks, name);
const isContainerOptions = (options: object): options is ContainerOptions => 'image' in options;

/** Raises EXECUTOR_OPTION, which names the option. */
export function checkContainerOptions(given: Readonly<Record<string, unknown>> | undefined): ContainerOptions {
  const options = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined));
  for (const [name, value] of Object.entries(options)) {
    if (!isOption(name)) throw wrongOption(name, `is none; it takes ${Object.keys(checks).join(', ')}`);
    const expected = checks[name](value);
    if (expected !== undefined) throw wrongOption(name, `is ${shown(value)}; expected ${expected}`);
  }
  if (!isContainerOptions(options))
    throw wrongOption('image', `is missing: say which one, { type: 'container', image: 'python:3.12' }`);
  return options;
}

export const wrongOption = (option: string, what: string): PolaronError =>
  new PolaronError('EXECUTOR_OPTION', `executor "container": option "${option}" ${what}`, { details: { option } });

const shown = (value: unknown): string => (JSON.stringify(value) ?? typeof value).slice(0, 80);
