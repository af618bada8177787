/** Who takes turns: whose turn it is stands in front. Every step is O(1), whoever leaves. Pure. */

/** Fields of who may sit in one ring at a time. */
export interface Seated<T> {
  before: T | undefined;
  behind: T | undefined;
}

export class Ring<T extends Seated<T>> {
  front: T | undefined;

  /** Last in turn. Nothing, if it sits here. */
  add(one: T): void {
    if (one.behind !== undefined) return;
    const first = this.front;
    const last = first?.before;
    if (first === undefined || last === undefined) {
      one.before = one;
      one.behind = one;
      this.front = one;
      return;
    }
    one.before = last;
    one.behind = first;
    last.behind = one;
    first.before = one;
  }

  /** True: it was the only one. Nothing, if it doesn't sit here. */
  remove(one: T): boolean {
    const { before, behind } = one;
    if (before === undefined || behind === undefined) return false;
    before.behind = behind;
    behind.before = before;
    one.before = undefined;
    one.behind = undefined;
    if (this.front === one) this.front = behind === one ? undefined : behind;
    return behind === one;
  }

  /** Who stood in front is last now. */
  turn(): void {
    this.front = this.front?.behind;
  }
}
