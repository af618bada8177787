/** `registerCodec`: how instances of a user's class travel. The value codec (bus/value) reads the registry. */
import { registry } from '../bus/protocol/registry.ts';
import { PolaronError } from '../model/errors.ts';
import { errorSite } from './call-site.ts';
import { trusted } from '../model/trusted.ts';
import type { Codec } from './types.ts';

/**
 * Lets instances of `ctor` be arguments and results: `encode` makes plain data of one, `decode` one of that. Call it at the top level of a
 * module, so that it also runs on the agents. The same name again replaces the codec (a module may be evaluated twice). Raises USAGE.
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
  registry().codecs.set(codec.name, {
    name: codec.name,
    ctor,
    encode: trusted((value: T) => codec.encode(value)),
    decode: (plain: unknown) => codec.decode(plain),
  });
}
