/** Which values records name: what a sweep must keep, and a check must find. */
import type { RecordOp } from '../../bus/protocol/results.ts';
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import { bundlesOf, type DispatchSpec } from '../../model/records.ts';
import { decodeElectron, decodeExpansion, decodeSpec } from '../../store/records.ts';

export function valuesOfSpec(spec: DispatchSpec): readonly ValueInfo[] {
  return [spec.graph, spec.args, ...bundlesOf(spec), ...spec.literals];
}

/** Of a stored record, by its key. Raises DATA_DAMAGED, DATA_NEWER. */
export function valuesOf(key: string, bytes: Uint8Array): readonly ValueInfo[] {
  switch (key.slice(0, 2)) {
    case 's/':
      return valuesOfSpec(decodeSpec(bytes));
    case 'e/': {
      const { value } = decodeElectron(bytes);
      return value === undefined ? [] : [value];
    }
    case 'x/':
      return decodeExpansion(bytes).items;
    default:
      return [];
  }
}

/** Of what is about to be written; values that come with it included. */
export function eachDigest(ops: readonly RecordOp[], visit: (digest: Digest) => void): void {
  for (const op of ops) {
    if (op.op === 'value') visit(op.digest);
    else if (op.op === 'electron') {
      if (op.record.value !== undefined) visit(op.record.value.digest);
    } else if (op.op === 'expansion') for (const { digest } of op.record.items) visit(digest);
    else if (op.op === 'accept') for (const { digest } of valuesOfSpec(op.spec)) visit(digest);
  }
}
