/** Classes with codecs. */
import { registerCodec } from 'polaron';

export class Matrix {
  readonly rows: number;
  readonly cells: Float64Array;

  constructor(rows: number, cells: Float64Array) {
    this.rows = rows;
    this.cells = cells;
  }

  static filled(rows: number, value: number): Matrix {
    return new Matrix(rows, new Float64Array(rows * rows).fill(value));
  }

  sum(): number {
    return this.cells.reduce((a, b) => a + b, 0);
  }
}
registerCodec(Matrix, {
  name: 'Matrix',
  encode: ({ rows, cells }) => ({ rows, cells }),
  decode: ({ rows, cells }) => new Matrix(rows, cells),
});

export class Broken {
  readonly how: 'encode' | 'decode' | 'content';
  constructor(how: 'encode' | 'decode' | 'content') {
    this.how = how;
  }
}
registerCodec(Broken, {
  name: 'Broken',
  encode: ({ how }) => {
    if (how === 'encode') throw new RangeError('no such cell');
    return how === 'content' ? { cell: () => 1 } : [how];
  },
  decode: () => {
    throw new TypeError('what is this');
  },
});
