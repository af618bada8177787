/** Bodies of `purge` and `backup`, checked: like wire-api.ts, of which it is a part by itself. */
import { dispatchStatuses, type DispatchStatus } from '../../model/lifecycle.ts';
import type * as api from './api.ts';
import { array, bool, int, number, object, oneOf, optional, parser, text, type Reader } from './shape.ts';

const aDispatchStatus: Reader<DispatchStatus> = (x) => oneOf({ status: x }, 'status', dispatchStatuses);
export const parsePurge: Reader<api.PurgeRequest> = parser(
  'purge',
  object((o) => ({
    olderThanMs: number(o, 'olderThanMs', 0),
    ...optional(o, 'statuses', (from, key) => array(from, key, dispatchStatuses.length, aDispatchStatus)),
    ...optional(o, 'dryRun', bool),
    ...optional(o, 'from', text),
  })),
);
export const parsePurgeReply: Reader<api.PurgeReply> = parser(
  'purge reply',
  object((o) => ({
    dispatches: int(o, 'dispatches'),
    electrons: int(o, 'electrons'),
    ...optional(o, 'values', int),
    ...optional(o, 'bytes', int),
    ...optional(o, 'held', int),
    ...optional(o, 'next', text),
  })),
);

export const parseBackup: Reader<api.BackupRequest> = parser(
  'backup',
  object((o) => ({ folder: text(o, 'folder', 4_096), ticket: text(o, 'ticket') })),
);
export const parseBackupReply: Reader<api.BackupReply> = parser(
  'backup reply',
  object((o) => ({ done: bool(o, 'done'), values: int(o, 'values'), bytes: int(o, 'bytes') })),
);
