/** The promises by name, and what a broken one says. */
export const promises = {
  ends: 'a dispatch whose id was returned runs to an end, and all comes to rest',
  inner: 'a lattice inside a dispatch is one dispatch, agrees with its node, and ends before what is around it',
  reused:
    "a redispatch that reuses takes over each value whose code and inputs are the same, no other, and doesn't run that electron; its origin is kept",
  kept: 'an id, a verdict `committed`, a durable event, a result that was told is never taken back',
  flushed: 'what lets somebody forget or rely is told only when it is on disk',
  once: "each electron's outcome is committed exactly once",
  seq: 'a published seq stands for one transition',
  executed: 'an electron is executed at least once, and without faults exactly once',
  reason: 'an electron runs again only when its attempt failed, or its agent died or was out of reach',
  fenced: 'no attempt begins for a token that is not above all that began before, and no token is given twice',
  keys: 'no more electrons have an agent with a lease than the limit of their key; of exclusive ones never more run, and never two attempts of one',
  contact: 'nothing new is given to an agent that is not heard of any more',
  strict: 'in a strict lattice no electron runs on a value that is not recorded',
  cancelled: "a cancelled electron's outcome is never used",
  failed: 'an electron fails only by its own fault, its retries used up, or as poison',
  timely:
    'an electron fails by a timeout only when it has that timeout and its time was over; one whose time is over ends',
  value: 'the values are right',
  skipped: 'an electron is skipped if, and only if, one that it waited for ended without a value',
  clean:
    'nothing is left over: no live record, no attempt that an agent is thought to have, no process, no spooled outcome',
} as const;
export type PromiseName = keyof typeof promises;

export interface Broken {
  readonly promise: PromiseName;
  readonly what: string;
}

export class BrokenPromise extends Error {
  readonly promise: PromiseName;

  constructor(promise: PromiseName, what: string) {
    super(what);
    this.promise = promise;
  }
}
