/** What a test may do to messages on their way through the broker. A fault acts on one delivery: one message to one subscription. */

export interface Delivery {
  /** Client name, or its identity when it has none. */
  readonly from: string;
  readonly to: string;
  readonly fromIdentity: string;
  readonly toIdentity: string;
  readonly subject: string;
  readonly payloadBytes: number;
}

export type Fault = 'deliver' | 'drop' | 'duplicate' | { readonly delayMs: number };

export interface FaultHook {
  /** Called for each delivery. A delayed message may overtake or be overtaken: that is how reordering is made. */
  onDeliver(delivery: Delivery): Fault;
}

/**
 * `silent`: the connection stays, its messages vanish both ways, like a network that loses every packet for a while.
 * `severed`: its connections are cut and new ones refused.
 */
export type PartitionKind = 'silent' | 'severed';
