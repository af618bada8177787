/** What a redispatch says, and what a submit and a dispatch's detail say of one, checked: like wire-api.ts, of which it is a part by itself. */
import type { Digest } from '../../model/ids.ts';
import type * as api from './api.ts';
import { aDigest, bool, field, number, object, optional, parser, record, text, type Fields } from './shape.ts';
import { MANY } from './wire-value.ts';

export const codesOf = (o: Fields, key: string): Readonly<Record<string, Digest>> => record(o, key, MANY, aDigest);

export const originOf = (o: Fields, key: string): { readonly of: string; readonly reuse: boolean } =>
  field(
    o,
    key,
    object((origin) => ({ of: text(origin, 'of'), reuse: bool(origin, 'reuse') })),
  );

export const lineageOf = (o: Fields, key: string): { readonly of: string; readonly root: string } =>
  field(
    o,
    key,
    object((origin) => ({ of: text(origin, 'of'), root: text(origin, 'root') })),
  );

export const parseRedispatch = parser<api.RedispatchRequest>(
  'redispatch',
  object((o) => ({
    key: text(o, 'key'),
    id: text(o, 'id'),
    reuse: bool(o, 'reuse'),
    ...optional(o, 'priority', number),
  })),
);
