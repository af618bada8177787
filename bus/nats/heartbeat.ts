/**
 * Notices a connection that is open but dead: asks the server for a sign of life each interval and gives up when two went unanswered.
 * Instead of nats.js's own, whose timer keeps the process alive. Not here: what to do about it (nats-bus.ts).
 */
const MAX_UNANSWERED = 2;

export class Heartbeat {
  readonly #timer: NodeJS.Timeout;
  #unanswered = 0;

  /** `ping` resolves when the server answers; `dead` is called at most once. */
  constructor(intervalMs: number, ping: () => Promise<void>, dead: () => void) {
    this.#timer = setInterval(() => {
      if (this.#unanswered >= MAX_UNANSWERED) {
        this.stop();
        dead();
        return;
      }
      this.#unanswered++;
      ping().then(
        () => {
          this.#unanswered = 0;
        },
        () => undefined,
      );
    }, intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
