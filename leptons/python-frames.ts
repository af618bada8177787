/** Puts the frames of an interpreter together again: a byte that says what it is, a length of 4 bytes, the content. */

const HEAD = 5;

export class FrameReader {
  readonly #each: (kind: string, content: Buffer) => void;
  #head = Buffer.alloc(0);
  /** Content that is being read: its own memory, so that large results aren't put together twice. */
  #content: Buffer | undefined;
  #kind = '';
  #filled = 0;

  constructor(each: (kind: string, content: Buffer) => void) {
    this.#each = each;
  }

  feed(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#content === undefined) {
        const needed = HEAD - this.#head.length;
        this.#head = Buffer.concat([this.#head, rest.subarray(0, needed)]);
        rest = rest.subarray(needed);
        if (this.#head.length < HEAD) return;
        this.#begin();
      }
      rest = this.#fill(rest);
    }
  }

  #begin(): void {
    this.#kind = this.#head.toString('latin1', 0, 1);
    this.#content = Buffer.allocUnsafeSlow(this.#head.readUInt32BE(1));
    this.#head = Buffer.alloc(0);
    this.#filled = 0;
    this.#fill(Buffer.alloc(0));
  }

  /** What is left of the piece. */
  #fill(piece: Buffer): Buffer {
    const content = this.#content;
    if (content === undefined) return piece;
    const taken = piece.copy(content, this.#filled);
    this.#filled += taken;
    if (this.#filled === content.length) {
      this.#content = undefined;
      this.#each(this.#kind, content);
    }
    return piece.subarray(taken);
  }
}
