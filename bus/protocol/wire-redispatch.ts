/** What a redispatch says, and what a submit and a dispatch's detail say of one, checked: like wire-api.ts, of which it is a part by itself. */
import type { Digest } from '../../model/ids.ts';
import type { ValueInfo } from '../../model/outcome.ts';
import type { RedispatchRequest, Replacement } from './redispatch.ts';
import {
  aDigest,
  anything,
  array,
  bool,
  digest,
  field,
  number,
  object,
  optional,
  parser,
  record,
  text,
  type Fields,
  type Reader,
} from './shape.ts';
import { electronDef, executorChoices, MANY, valueInfo } from './wire-value.ts';

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

const aValue = (o: Fields, key: string): ValueInfo => field(o, key, valueInfo);

const replacement: Reader<Replacement> = object((o) => ({
  name: text(o, 'name'),
  def: field(o, 'def', electronDef),
  ...optional(o, 'bundle', aValue),
  ...optional(o, 'code', digest),
  ...optional(o, 'captures', (from, key) => record(from, key, MANY, anything)),
}));

export const replaceOf = (o: Fields, key: string): readonly Replacement[] => array(o, key, MANY, replacement);

export const parseRedispatch = parser<RedispatchRequest>(
  'redispatch',
  object((o) => ({
    key: text(o, 'key'),
    id: text(o, 'id'),
    reuse: bool(o, 'reuse'),
    ...optional(o, 'priority', number),
    ...optional(o, 'replace', replaceOf),
    ...optional(o, 'executors', executorChoices),
    ...optional(o, 'graph', aValue),
    ...optional(o, 'args', aValue),
    ...optional(o, 'bundle', aValue),
  })),
);
