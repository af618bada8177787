/** `registerCodec`: how instances of a user's class travel. The value codec (bus/value) reads the registry. */
import { registry, type CodecEntry } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import { definitionSite, errorSite } from './call-site.ts';
import { trusted } from '../model/trusted.ts';
import type { Codec } from './types.ts';

/**
 * Lets instances of `ctor` be arguments and results: `encode` makes plain data of one, `decode` one of that. Call it at the top level of the module of
 * the class, so that it also runs on the agents. The same call again replaces the codec (a module may be evaluated twice).
 * Raises USAGE, also for a second codec of the same name or of the same class.
 */
export function registerCodec<T>(ctor: abstract new (...a: never[]) => T, codec: Codec<T>): void {
  const fits =
    typeof ctor === 'function' &&
    typeof codec === 'object' &&
    typeof codec.name === 'string' &&
    codec.name !== '' &&
    typeof codec.encode === 'function' &&
    typeof codec.decode === 'function';
  if (!fits) {
    throw new PolaronError('USAGE', `registerCodec() got something else than a class and a codec (${errorSite().at})`, {
      help: "Call registerCodec(Matrix, { name: 'Matrix', encode: (m) => plain, decode: (plain) => new Matrix(...) }).",
    });
  }
  const { codecs } = registry();
  const { at } = definitionSite();
  const same = codecs.get(codec.name);
  if (same !== undefined && same.ctor !== ctor && same.at !== at) throw taken(`the name '${codec.name}'`, same, at);
  for (const other of codecs.values())
    if (other.ctor === ctor && other.name !== codec.name) throw taken(`class ${ctor.name}`, other, at);
  codecs.set(codec.name, {
    name: codec.name,
    at,
    ctor,
    encode: trusted((value: T) => codec.encode(value)),
    decode: (plain: unknown) => codec.decode(plain),
  });
}

function taken(what: string, by: CodecEntry, at: string): PolaronError {
  return new PolaronError(
    'USAGE',
    `registerCodec() (${at}): ${what} has a codec already: '${by.name}' of class ${by.ctor.name} (${by.at ?? 'somewhere else'})`,
    { help: 'Give each class one codec, with a name of its own.' },
  );
}
