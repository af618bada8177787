/** The second argument of `.map`. */
import { PolaronError } from '../model/errors.ts';
import type { MapNode } from '../model/graph.ts';
import { errorSite } from './call-site.ts';

type MapPolicy = Pick<MapNode, 'concurrency' | 'onItemError'>;

const wrong = (what: string): PolaronError =>
  new PolaronError('MAP_ARG', `.map(task, options) (${errorSite().at}): ${what}`);

/** `{ concurrency, onItemError }` with defaults; 0 is no limit. Raises MAP_ARG. */
export function mapPolicy(options: unknown): MapPolicy {
  if (options === undefined) return { concurrency: 0, onItemError: 'fail' };
  if (typeof options !== 'object' || options === null) throw wrong('its options are not an object');
  const concurrency: unknown = 'concurrency' in options ? (options.concurrency ?? 0) : 0;
  const onItemError: unknown = 'onItemError' in options ? (options.onItemError ?? 'fail') : 'fail';
  if (typeof concurrency !== 'number' || !Number.isSafeInteger(concurrency) || concurrency < 0) {
    throw wrong(`concurrency is ${String(concurrency)}; expected a whole number of at least 1`);
  }
  if (onItemError !== 'fail' && onItemError !== 'collect') {
    throw wrong(`onItemError is ${String(onItemError)}; expected 'fail' or 'collect'`);
  }
  return { concurrency, onItemError };
}
