/** A lattice's options and source as the hub gets them. Not here: its electrons' defaults (options.ts). */
import type { OwnSettings } from '../bus/protocol/drawing.ts';
import { SOURCE_CHARACTERS } from '../bus/protocol/submit-limits.ts';
import type { LatticeInfo } from './builder.ts';
import { milliseconds } from './durations.ts';

/** Raises USAGE. */
export function settingsOf({ name, options }: LatticeInfo): OwnSettings {
  const { durability, failFast, metadata = {}, timeout } = options;
  return {
    metadata,
    timeoutMs: timeout === undefined ? 0 : milliseconds(timeout, `lattice "${name}": timeout`),
    ...(durability === undefined ? {} : { durability }),
    ...(failFast === undefined ? {} : { failFast }),
  };
}

/** The function's text, for people. */
export const sourceOf = ({ source }: LatticeInfo): string =>
  source.length <= SOURCE_CHARACTERS ? source : `${source.slice(0, SOURCE_CHARACTERS)}\n// … (cut)`;
