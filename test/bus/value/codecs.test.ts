/** Instances of users' classes: what their codecs make of them, and what is said where that goes wrong. */
import { afterEach, describe, expect, it } from 'vitest';
import { registry } from '../../../bus/protocol/registry.ts';
import { encodeSplit } from '../../../bus/value/split.ts';
import { decodeTemplate, encodeTemplate } from '../../../bus/value/template.ts';
import { readStrangers } from '../../../bus/value/value-reader.ts';
import { decodeValue, encodeValue } from '../../../bus/value/value.ts';
import { PolaronError } from '../../../model/errors.ts';
import { trusted } from '../../../model/trusted.ts';
import { registerCodec } from '../../../sdk/codec.ts';

class Point {
  x: number;
  y: number;
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
}
class Point3 extends Point {}
class Path {
  points: readonly Point[];
  constructor(points: readonly Point[]) {
    this.points = points;
  }
}

const register = (encode: (p: Point) => unknown = (p) => [p.x, p.y]): void => {
  registry().codecs.delete('Point');
  registerCodec(Point, { name: 'Point', encode, decode: ([x, y]) => new Point(x, y) });
};
const errorOf = (act: () => unknown): PolaronError => {
  try {
    act();
  } catch (error) {
    if (error instanceof PolaronError) return error;
    throw error;
  }
  throw new Error('nothing was raised');
};
const field = (x: unknown, key: PropertyKey): unknown =>
  typeof x === 'object' && x !== null ? Reflect.get(x, key) : x;
const encode = (x: unknown): Uint8Array => encodeValue(x, 'argument 1', 'NOT_SERIALISABLE');
const round = (x: unknown): unknown => decodeValue(encode(x));

afterEach(() => registry().codecs.clear());

describe('an instance with a codec comes back', () => {
  it('wherever it stands, and a shared one once', () => {
    register();
    registerCodec(Path, { name: 'Path', encode: ({ points }) => points, decode: (points) => new Path(points) });
    const p = new Point(1, 2);
    const value = { list: [p], map: new Map([[p, p]]), set: new Set([p]), path: new Path([p, new Point(3, 4)]) };
    const back = round(value);
    expect(back).toStrictEqual(value);
    const path = field(back, 'path');
    expect(path instanceof Path && path.points[0]).toBe(field(field(back, 'list'), 0));
  });

  it('from lists that are cut, and from templates', () => {
    register();
    const list = encodeSplit([new Point(1, 2), new Point(3, 4)], 'result', 'RESULT_NOT_SERIALISABLE');
    expect(decodeValue(list)).toStrictEqual([new Point(1, 2), new Point(3, 4)]);
    const template = encodeTemplate([new Point(5, 6)], () => undefined, 'arguments');
    expect(decodeTemplate(template, () => undefined)).toStrictEqual([new Point(5, 6)]);
  });
});

describe('what a codec can’t keep is refused with the path and its name', () => {
  it('when it throws', () => {
    register(() => {
      throw new TypeError('no cells');
    });
    const error = errorOf(() => encode({ a: [new Point(1, 2)] }));
    expect(error.message).toMatch(
      /^argument 1 is not serialisable at \$\.a\[0\] \(the codec of Point \(codecs\.test\.ts:\d+\) threw while encoding: TypeError: no cells\); mend the codec$/,
    );
    expect(error).toMatchObject({ code: 'NOT_SERIALISABLE', details: { path: '$.a[0]', codec: 'Point' } });
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(round({ fine: 'after a failure' })).toStrictEqual({ fine: 'after a failure' });
  });

  it('when it gives what can’t be sent', () => {
    register((p) => ({ cells: [p.x, () => p.y] }));
    expect(errorOf(() => encode([new Point(1, 2)])).message).toBe(
      'argument 1 is not serialisable at $[0].cells[1] (function, in what the codec of Point made); pass data, and call functions of your modules inside the electron',
    );
    register((p) => ({ p }));
    expect(errorOf(() => encode([new Point(1, 2)])).message).toContain('a cycle through Point');
  });

  it('when it gives a promise: that is no promise of the user’s', () => {
    register(() => Promise.reject(new Error('never seen')));
    const error = errorOf(() => encode(new Point(1, 2)));
    expect(error.code).toBe('NOT_SERIALISABLE');
    expect(error.message).toMatch(/the codec of Point \(.*\) gave a promise while encoding; codecs are synchronous/);
  });

  it('when it is that of a class above, which would bring back another class', () => {
    register();
    const { message } = errorOf(() => encode([new Point3(1, 2)]));
    expect(message).toContain('$[0] (instance of Point3, a subclass of one with the codec Point)');
    expect(message).toContain('register a codec for Point3, too');
  });
});

describe('where a value is read', () => {
  const nested = { a: new Map<string, unknown>([['k', new Set([1, { deep: new Point(1, 2) }])]]) };

  it('a missing codec is named with the path and what to do', () => {
    register();
    const bytes = encode(nested);
    registry().codecs.clear();
    const error = errorOf(() => decodeValue(bytes, undefined, () => 'electron "use": the value for argument 1'));
    expect(error.message).toBe(
      `electron "use": the value for argument 1 can't be read at $.a.k[1].deep: it is a Point, and no codec of that name is registered here. Import the module that calls registerCodec(…, { name: 'Point' }): on agents, from the module of the electron`,
    );
    expect(error).toMatchObject({ code: 'CODEC_MISSING', details: { path: '$.a.k[1].deep', codec: 'Point' } });
  });

  it('the path goes through lists, instances and templates', () => {
    register();
    registerCodec(Path, {
      name: 'Path',
      encode: ({ points }) => ({ points }),
      decode: ({ points }) => new Path(points),
    });
    const path = new Path([new Point(1, 2)]);
    const list = encodeSplit([[0], { path }], 'result', 'RESULT_NOT_SERIALISABLE');
    const template = encodeTemplate([1, { path }], () => undefined, 'arguments');
    registry().codecs.delete('Point');
    expect(errorOf(() => decodeValue(list)).details['path']).toBe('$[1].path.points[0]');
    expect(errorOf(() => decodeTemplate(template, () => undefined)).details['path']).toBe('$[1].path.points[0]');
  });

  it('a codec that throws, or gives a promise, is named with the path', () => {
    register();
    const bytes = encode(nested);
    const decoding = (decode: () => Point): PolaronError => {
      registry().codecs.clear();
      registerCodec(Point, { name: 'Point', encode: () => 1, decode });
      return errorOf(() => decodeValue(bytes));
    };
    const threw = decoding(() => {
      throw new RangeError('shape');
    });
    expect(threw.message).toMatch(
      /\$\.a\.k\[1\]\.deep: the codec of Point \(codecs\.test\.ts:\d+\) threw while decoding: RangeError: shape/,
    );
    expect(threw.code).toBe('CODEC_FAILED');
    expect(threw.cause).toBeInstanceOf(RangeError);
    const promised = decoding(() => trusted<Point>(Promise.reject(new Error('never seen'))));
    expect(promised.message).toContain('gave a promise while decoding; codecs are synchronous');
  });

  it('a program without the classes may take what the codecs made', () => {
    register();
    const bytes = encode([new Point(1, 2)]);
    registry().codecs.clear();
    readStrangers((codec, content) => ({ codec, content }));
    try {
      expect(decodeValue(bytes)).toStrictEqual([{ codec: 'Point', content: [1, 2] }]);
    } finally {
      readStrangers(undefined);
    }
  });
});

describe('registerCodec', () => {
  const codec = { encode: () => 1, decode: () => new Point(0, 0) };

  it('refuses a second codec of one name, and of one class, with both places', () => {
    registerCodec(Point, { name: 'Point', ...codec });
    class Other {
      readonly id = 1;
    }
    const byName = errorOf(() => registerCodec(Other, { name: 'Point', encode: () => 1, decode: () => new Other() }));
    expect(byName.code).toBe('USAGE');
    expect(byName.message).toMatch(
      /^registerCodec\(\) \(codecs\.test\.ts:\d+\): the name 'Point' has a codec already: 'Point' of class Point \(codecs\.test\.ts:\d+\)$/,
    );
    const byClass = errorOf(() => registerCodec(Point, { name: 'P', ...codec }));
    expect(byClass.message).toContain("class Point has a codec already: 'Point' of class Point (codecs.test.ts:");
  });

  it('takes the same call again: a module may be evaluated twice', () => {
    const evaluate = (): unknown => {
      class Cell {
        readonly id = 1;
      }
      registerCodec(Cell, { name: 'Cell', encode: () => 1, decode: () => new Cell() });
      return new Cell();
    };
    evaluate();
    expect(round(evaluate())).toBeDefined();
  });
});
