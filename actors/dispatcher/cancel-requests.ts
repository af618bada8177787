/** Cancels that users wait for: each is handed to the dispatch's supervisor, which says when all has stopped. Not here: whose dispatch it is (dispatcher.ts). */
import type { DispatcherMessage, LatticeMessage } from '../../bus/protocol/actors.ts';
import type { CancelReplyBody, CancelRequest } from '../../bus/protocol/api.ts';
import type { Clock } from '../../model/clock.ts';
import { isErrorCode } from '../../model/error-table.ts';
import { PolaronError } from '../../model/errors.ts';
import type { DispatchId } from '../../model/ids.ts';
import { firstWithin, LIST_BYTES } from '../answer-size.ts';
import type { ActorSystem, Address } from '../system.ts';

const CANCEL_WAIT_MS = 120_000;

/** It goes along with each electron, and in each answer to its agent: characters. */
const LONGEST_REASON = 1_000;

export class CancelRequests {
  readonly #system: ActorSystem;
  readonly #clock: Clock;
  readonly #self: Address;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (reply: CancelReplyBody) => void; readonly reject: (error: Error) => void }
  >();
  #next = 1;

  constructor(o: { readonly system: ActorSystem; readonly clock: Clock }, self: Address) {
    this.#system = o.system;
    this.#clock = o.clock;
    this.#self = self;
  }

  /** Resolves when all that was cancelled is known to have stopped. Raises REQUEST_TIMEOUT, UNKNOWN_ELECTRON. */
  ask(id: DispatchId, { electrons, reason }: CancelRequest): Promise<CancelReplyBody> {
    const request = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      this.#clock.after(CANCEL_WAIT_MS, () => {
        if (this.#waiting.delete(request))
          reject(
            new PolaronError(
              'REQUEST_TIMEOUT',
              `dispatch ${id} is being cancelled, but its agents have not confirmed yet`,
            ),
          );
      });
      const message: LatticeMessage = {
        type: 'lattice.cancel',
        request,
        reason: (reason ?? 'cancelled by the user').slice(0, LONGEST_REASON),
        ...(electrons === undefined ? {} : { electrons }),
      };
      this.#system.send(this.#system.address('lattice', id), message, this.#self);
    });
  }

  settled(message: Extract<DispatcherMessage, { type: 'cancel.settled' }>): void {
    const waiting = this.#waiting.get(message.request);
    this.#waiting.delete(message.request);
    const { error } = message;
    if (error !== undefined)
      waiting?.reject(new PolaronError(isErrorCode(error.code) ? error.code : 'BAD_REQUEST', error.message));
    else waiting?.resolve(replyOf(message.cancelled ?? [], message.unconfirmed ?? []));
  }

  /** The dispatch ended between the look-up and the delivery: nothing is left to cancel. */
  late(request: number): void {
    this.#waiting.get(request)?.resolve({ cancelled: [], unconfirmed: [] });
    this.#waiting.delete(request);
  }
}

function replyOf(all: readonly string[], unconfirmed: readonly string[]): CancelReplyBody {
  const cancelled = firstWithin(all, LIST_BYTES);
  const more = all.length - cancelled.length;
  return { cancelled, unconfirmed, ...(more === 0 ? {} : { more }) };
}
