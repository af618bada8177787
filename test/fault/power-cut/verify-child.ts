/** Verifies what it is told of, message by message: LMDB may end the process that opens what a power cut left of a store without syncs. */
import { verify } from './verify.ts';
import type { Acknowledged } from './recording.ts';

process.on('message', ({ target, promised }: { readonly target: string; readonly promised: Acknowledged }) => {
  void verify(target, promised).then((found) => process.send?.(found));
});
