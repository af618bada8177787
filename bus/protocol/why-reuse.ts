/** Why electrons were taken over from another dispatch or from the cache, or weren't: what `why` is answered, with the readers. Decides nothing. */
import { electronStatuses, type ElectronStatus } from '../../model/lifecycle.ts';
import { aText, array, bool, object, oneOf, text, type Fields, type Reader } from './shape.ts';

/** `dispatch`: the other one; of an inner lattice, the one that stands where it does. */
interface OfReuse {
  readonly dispatch: string;
}

export type WhyReuse = OfReuse &
  (
    | { readonly kind: 'reused'; readonly name: string }
    /** It stands for another electron. */
    | { readonly kind: 'replaced'; readonly name: string }
    /** Its own code, variables that it captured, options of its definition. `whole`: all of the bundle counts as its code. */
    | {
        readonly kind: 'code';
        readonly own: boolean;
        readonly whole: boolean;
        readonly captured: readonly string[];
        readonly options: readonly string[];
      }
    /** Its call in the lattice: a constant, or which argument stands where. */
    | { readonly kind: 'arguments' }
    /** Where the values come from that differ. */
    | { readonly kind: 'input'; readonly from: readonly WhyInput[] }
    /** It has none there. */
    | { readonly kind: 'no-value'; readonly status: ElectronStatus }
    /** It had none there when this one was judged, and has it now. */
    | { readonly kind: 'too-late' }
    /** There is no such electron at its place. */
    | { readonly kind: 'new' }
    /** It has `cache`, and its own dispatch is meant: there was no value, or only one that was too old. */
    | { readonly kind: 'uncached' }
    /** The other dispatch was removed: nobody knows. */
    | { readonly kind: 'gone' }
    /** A lattice, which is asked by itself: its own dispatch is meant. */
    | { readonly kind: 'lattice' }
  );

/** A node, an item of a map or a position in it (`index`), or a value that the lattice was given. `ran`: it was made anew. */
export interface WhyInput {
  readonly name: string;
  readonly kind: 'node' | 'item' | 'index' | 'given';
  readonly ran: boolean;
}

/** Names that are told of one electron. */
export const MOST_NAMES = 20;
const names = (o: Fields, key: string): readonly string[] => array(o, key, MOST_NAMES, aText(300));
const input: Reader<WhyInput> = object((o) => ({
  name: text(o, 'name', 300),
  kind: oneOf(o, 'kind', ['node', 'item', 'index', 'given']),
  ran: bool(o, 'ran'),
}));

/** Undefined: it is of another kind. */
export function whyReuse(o: Fields): WhyReuse | undefined {
  const { kind } = o;
  switch (kind) {
    case 'reused':
    case 'replaced':
      return { kind, dispatch: text(o, 'dispatch'), name: text(o, 'name', 300) };
    case 'code':
      return {
        kind,
        dispatch: text(o, 'dispatch'),
        own: bool(o, 'own'),
        whole: bool(o, 'whole'),
        captured: names(o, 'captured'),
        options: names(o, 'options'),
      };
    case 'input':
      return { kind, dispatch: text(o, 'dispatch'), from: array(o, 'from', MOST_NAMES, input) };
    case 'no-value':
      return { kind, dispatch: text(o, 'dispatch'), status: oneOf(o, 'status', electronStatuses) };
    case 'arguments':
    case 'too-late':
    case 'new':
    case 'gone':
    case 'uncached':
    case 'lattice':
      return { kind, dispatch: text(o, 'dispatch') };
    default:
      return undefined;
  }
}
