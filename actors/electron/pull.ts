/** The large value of an outcome, pulled from its agent: the hub has it before `committed`. One at a time; decides nothing. */
import type { ElectronMessage } from '../../bus/protocol/actors.ts';
import { sameToken, type Token, type ValueInfo } from '../../model/outcome.ts';
import type { ElectronServices } from '../services.ts';
import type { Address } from '../system.ts';

export type Finished = Extract<ElectronMessage, { type: 'attempt.finished' }>;

const TIMEOUT_MS = 600_000;

export class ValuePull {
  readonly #s: ElectronServices;
  readonly #self: Address;
  #message: Finished | undefined;

  constructor(services: ElectronServices, self: Address) {
    this.#s = services;
    this.#self = self;
  }

  /** Ends with `value.fetched`. A repeated report of what is being pulled has to wait for it. */
  begin(message: Finished, value: ValueInfo): void {
    if (this.#message !== undefined) return;
    this.#message = message;
    const reply = (stored: boolean): void =>
      this.#s.system.send(this.#self, { type: 'value.fetched', token: message.token, stored }, this.#self);
    this.#s.results
      .ask('results.fetch', { digest: value.digest, size: value.size, agent: message.agent }, TIMEOUT_MS)
      .then(
        (answer) => reply(answer.stored),
        () => reply(false),
      );
  }

  /** The report whose value was pulled; undefined when nobody waits for it any more. */
  fetched(token: Token): Finished | undefined {
    const message = this.#message;
    if (message === undefined || !sameToken(token, message.token)) return undefined;
    this.#message = undefined;
    return message;
  }

  forget(): void {
    this.#message = undefined;
  }
}
