/** Entry of the process that reads a data folder for `polaron check`: told the folder over IPC, tells what it finds, and ends. */
import { PolaronError } from '../model/errors.ts';
import { checkData } from './check-data.ts';

process.once('message', (asked: unknown) => {
  if (typeof asked !== 'object' || asked === null || !('path' in asked) || typeof asked.path !== 'string') return;
  checkData(asked.path, (problem) => process.send?.({ type: 'problem', problem })).then(
    (counts) => process.send?.({ type: 'done', counts }, () => process.disconnect()),
    (error: unknown) => {
      const code = error instanceof PolaronError ? error.code : 'DATA_DAMAGED';
      const message = error instanceof Error ? error.message : String(error);
      process.send?.({ type: 'failed', code, message }, () => process.disconnect());
    },
  );
});
