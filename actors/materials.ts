/** Which of an electron's inputs are worth a look at who has them: those that an agent fetches, the largest first. Not here: who has them (matchmaker/nearness.ts). */
import type { Materials } from '../bus/protocol/actors.ts';
import type { ValueInfo } from '../model/outcome.ts';
import { INLINE_VALUE_BYTES } from '../store/store.ts';
import type { ElectronWork } from './services.ts';

/** Of one electron. */
const MOST = 4;

/** What is smaller travels along. */
export const isLarge = ({ size }: ValueInfo): boolean => size > INLINE_VALUE_BYTES;

/** Of values that are large; each counts once. */
export function largest(values: readonly ValueInfo[]): readonly ValueInfo[] {
  if (values.length < 2) return values;
  const each = [...new Map(values.map((value) => [value.digest, value])).values()];
  return each.sort((a, b) => b.size - a.size).slice(0, MOST);
}

/** Of one electron that wants an agent again. */
export function materialsOf({ node, manifest, inputs }: Pick<ElectronWork, 'node' | 'manifest' | 'inputs'>): Materials {
  const { bundle } = manifest;
  const values = inputs.some(isLarge) ? largest(inputs.filter(isLarge)) : [];
  return {
    ...(bundle === undefined ? {} : { bundle }),
    ...(values.length === 0 ? {} : { large: [[node, values]] }),
  };
}
