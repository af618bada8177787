"""Polaron's value format (bus/value/format.ts) in Python: the standard library alone, NumPy where it is.

JavaScript            Python
null, undefined       None
number                int when it is whole and below 2**53 (but -0), else float
bigint                BigInt, an int that goes back as a bigint
text, array, object   str, list, dict
Uint8Array            bytes; Buffer, ArrayBuffer, DataView: classes of bytes with these names
other typed arrays    numpy.ndarray where NumPy is installed, else array.array
Date                  datetime with time zone, milliseconds
Map, Set              Map (a dict), set; keys and items that Python can't hash are refused
URL, RegExp, errors   URL (a str), RegExp, JSError (an exception)
with a codec          Coded: the codec's name and what it made

Back the same way. A dict whose keys aren't all text becomes a Map; a NumPy array of several dimensions an array of rows; an int from 2**53 on a bigint.
What would be lost silently is refused with its path. Not here: the pipe and the calls (polaron_lepton.py).
"""

import array
import datetime
import struct
import sys

PLAIN = 1
UNDEFINED, DATE, MAP, SET, REGEXP, ERROR, BIGINT, URL_, TYPED_ARRAY, ARRAY_BUFFER, DATA_VIEW, BUFFER, REFERENCE, CODEC = range(14)
# Order is part of the format; a NumPy dtype, and a typecode of the array module's by kind and size.
TYPED = ['i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'f4', 'f8', 'i8', 'u8']
UINT8_CLAMPED = 1
CODES = {}
for _code in 'bBhHiIlLqQfd':
    CODES.setdefault(('f' if _code in 'fd' else 'i' if _code.islower() else 'u') + str(array.array(_code).itemsize), _code)
SAFE = 2**53 - 1
DEEPEST = 1000
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MILLISECOND = datetime.timedelta(milliseconds=1)


class Loss(Exception):
    """What can't be kept, where, and what to do."""

    def __init__(self, what, advice):
        super().__init__(what)
        self.what, self.advice, self.path = what, advice, []

    def at(self, step):
        self.path.append('[%d]' % step if isinstance(step, int) else '.%s' % step)
        return self

    def where(self):
        return '$' + ''.join(reversed(self.path))


class BigInt(int):
    """A whole number that is a bigint in JavaScript, however small."""


class Map(dict):
    """A Map of JavaScript."""


class URL(str):
    """A URL of JavaScript."""


class Buffer(bytes):
    """A Buffer of Node."""


class ArrayBuffer(bytes):
    """An ArrayBuffer of JavaScript."""


class DataView(bytes):
    """A DataView of JavaScript."""


class RegExp:
    """A regular expression of JavaScript, whose language is another than that of re."""

    def __init__(self, source, flags=''):
        self.source, self.flags = source, flags

    def __repr__(self):
        return 'RegExp(%r, %r)' % (self.source, self.flags)

    def __eq__(self, other):
        return isinstance(other, RegExp) and (self.source, self.flags) == (other.source, other.flags)

    def __hash__(self):
        return hash((self.source, self.flags))


class Coded:
    """An instance of a class with a codec: the codec's name and what it made."""

    def __init__(self, name, content):
        self.name, self.content = name, content

    def __repr__(self):
        return 'Coded(%r, %r)' % (self.name, self.content)


class JSError(Exception):
    """An error of JavaScript as a value: its class, and its properties with message, stack and cause."""

    def __init__(self, kind='Error', properties=None):
        super().__init__()
        self.kind, self.properties = kind, {} if properties is None else properties

    def __str__(self):
        return str(self.properties.get('message', ''))


def numpy():
    """NumPy, or None where it isn't installed."""
    if 'numpy' not in sys.modules:
        try:
            import numpy  # noqa: F401
        except ImportError:
            sys.modules['numpy'] = None
    return sys.modules['numpy']


class deep:
    """Room on Python's stack for values as deep as the format allows."""

    def __enter__(self):
        self.before = sys.getrecursionlimit()
        sys.setrecursionlimit(max(self.before, 8 * DEEPEST))

    def __exit__(self, *_):
        sys.setrecursionlimit(self.before)


def decode(data):
    """The value that the bytes hold. Raises Loss for what Python has no place for, ValueError for what is no value."""
    if len(data) == 0 or data[0] != PLAIN:
        raise ValueError('bytes that are no plain value')
    with deep():
        return Reader(memoryview(data)).value()


class Reader:
    def __init__(self, data):
        self.data, self.at, self.made = data, 1, []

    def keep(self, x):
        self.made.append(x)
        return x

    def take(self, length):
        at = self.at
        if at + length > len(self.data):
            raise ValueError('a value that ends too early')
        self.at = at + length
        return self.data[at : self.at]

    def uint(self, width):
        return int.from_bytes(self.take(width), 'big')

    def value(self):
        tag = self.data[self.at]
        self.at += 1
        if tag < 0x80:
            return tag
        if tag < 0x90:
            return self.object(tag & 0x0F)
        if tag < 0xA0:
            return self.list(tag & 0x0F)
        if tag < 0xC0:
            return str(self.take(tag & 0x1F), 'utf-8')
        if tag >= 0xE0:
            return tag - 0x100
        if tag == 0xC0:
            return None
        if tag in (0xC2, 0xC3):
            return tag == 0xC3
        if tag <= 0xC6:
            return self.keep(bytes(self.take(self.uint(1 << (tag - 0xC4)))))
        if tag <= 0xC9:
            return self.extension(self.uint(1 << (tag - 0xC7)))
        if tag in (0xCA, 0xCB):
            return self.number(tag)
        if tag <= 0xCE:
            return self.uint(1 << (tag - 0xCC))
        if tag == 0xCF:
            return BigInt(self.uint(8))
        if tag <= 0xD3:
            x = int.from_bytes(self.take(1 << (tag - 0xD0)), 'big', signed=True)
            return BigInt(x) if tag == 0xD3 else x
        if tag <= 0xD8:
            return self.extension(1 << (tag - 0xD4))
        if tag <= 0xDB:
            return str(self.take(self.uint(1 << (tag - 0xD9))), 'utf-8')
        if tag <= 0xDD:
            return self.list(self.uint(2 if tag == 0xDC else 4))
        return self.object(self.uint(2 if tag == 0xDE else 4))

    def number(self, tag):
        x = struct.unpack('>f' if tag == 0xCA else '>d', self.take(4 if tag == 0xCA else 8))[0]
        # 0.0 stands for -0 alone: any other zero is written as a whole number
        return int(x) if x == x and abs(x) <= SAFE and x.is_integer() and x != 0 else x

    def count(self):
        tag = self.uint(1)
        return tag & 0x0F if tag < 0xA0 else self.uint(2 if tag == 0xDC else 4)

    def list(self, count):
        items = self.keep([])
        for i in range(count):
            try:
                items.append(self.value())
            except Loss as loss:
                raise loss.at(i)
        return items

    def object(self, count):
        found = self.keep({})
        for _ in range(count):
            key = self.value()
            try:
                found[key] = self.value()
            except Loss as loss:
                raise loss.at(key)
        return found

    def extension(self, length):
        kind, end = self.uint(1), self.at + length
        x = self.known(kind, length)
        if self.at != end:
            raise ValueError('an extension of another length')
        return x

    def known(self, kind, length):
        if kind == UNDEFINED:
            self.take(length)
            return None
        if kind == DATE:
            return self.keep(date_of(struct.unpack('>d', self.take(8))[0]))
        if kind == MAP:
            return self.map()
        if kind == SET:
            return self.set()
        if kind == REGEXP:
            return self.keep(RegExp(self.value(), self.value()))
        if kind == ERROR:
            return self.error()
        if kind == BIGINT:
            return BigInt(self.value(), 16)
        if kind == URL_:
            return self.keep(URL(self.value()))
        if kind == TYPED_ARRAY:
            return self.keep(typed_array(self.uint(1), self.take(length - 1)))
        if kind in (ARRAY_BUFFER, DATA_VIEW, BUFFER):
            return self.keep({ARRAY_BUFFER: ArrayBuffer, DATA_VIEW: DataView, BUFFER: Buffer}[kind](self.take(length)))
        if kind == REFERENCE:
            return self.made[self.uint(4)]
        if kind == CODEC:
            coded = self.keep(Coded(self.value(), None))
            coded.content = self.value()
            return coded
        raise ValueError('an extension of type %d' % kind)

    def map(self):
        found = self.keep(Map())
        for i in range(self.count() // 2):
            key = hashable(self.value(), found, i, 'Map')
            found[key] = self.value()
        return found

    def set(self):
        found = self.keep(set())
        for i in range(self.count()):
            found.add(hashable(self.value(), found, i, 'Set'))
        return found

    def error(self):
        error = self.keep(JSError(self.value()))
        for _ in range(self.count() // 2):
            key = self.value()
            error.properties[key] = self.value()
        return error


def hashable(x, among, i, kind):
    try:
        known = x in among
    except TypeError:
        raise Loss('a %s with a %s in it' % (kind, type(x).__name__), 'pass an array of pairs').at(i)
    if known:
        raise Loss('a %s with two items that are equal in Python, such as %r' % (kind, x), 'pass an array').at(i)
    return x


def date_of(ms):
    try:
        return EPOCH + datetime.timedelta(milliseconds=ms)
    except (OverflowError, ValueError):
        raise Loss('an invalid date, or one outside of the years 1 to 9999', 'pass a number or a text')


def typed_array(kind, data):
    dtype, np = TYPED[kind], numpy()
    if np is not None:
        return np.frombuffer(data, dtype='<' + dtype).astype(dtype)
    found = array.array(CODES[dtype])
    found.frombytes(data)
    if sys.byteorder == 'big':
        found.byteswap()
    return found


def encode(x):
    """The value as pieces of bytes, large ones as they are. Raises Loss."""
    writer = Writer()
    writer.out.append(bytes([PLAIN]))
    with deep():
        writer.write(x)
    return writer.out


class Writer:
    def __init__(self):
        self.out, self.begun, self.numbers, self.depth = [], 0, {}, 0

    def write(self, x):
        kind = type(x)
        if kind is str or isinstance(x, str) and not isinstance(x, URL):
            self.text(x)
        elif x is None:
            self.out.append(b'\xc0')
        elif kind is bool:
            self.out.append(b'\xc3' if x else b'\xc2')
        elif isinstance(x, int):
            self.out.append(integer(x) if not isinstance(x, BigInt) and abs(x) <= SAFE else self.bigint(x))
        elif isinstance(x, float):
            self.out.append(b'\xcb' + struct.pack('>d', x))
        else:
            self.object(x)

    def text(self, x):
        try:
            data = x.encode('utf-8')
        except UnicodeEncodeError:
            raise Loss('text with half a surrogate pair', 'return bytes')
        size = len(data)
        head = bytes([0xA0 | size]) if size < 32 else sized(size, 0xD9)
        self.out.append(head + data)

    def bigint(self, x):
        if -(2**63) <= x < 2**63:
            return b'\xd3' + struct.pack('>q', x)
        inner = Writer()
        inner.text(format(x, 'x'))
        return extension(BIGINT, inner.out)

    def object(self, x):
        number = self.numbers.get(id(x))
        if number is not None:
            self.out.append(b'\xd6' + bytes([REFERENCE]) + struct.pack('>I', number[0]))
            return
        # keeping it makes sure that no other object gets its id meanwhile
        self.numbers[id(x)] = (self.begun, x)
        self.begun += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise Loss('nested deeper than %d' % DEEPEST, 'flatten it')
        self.container(x)
        self.depth -= 1

    def container(self, x):
        if isinstance(x, (list, tuple)):
            self.list(x)
        elif isinstance(x, dict):
            self.dict(x)
        elif isinstance(x, URL):
            self.extended(URL_, lambda: self.text(str(x)))
        elif isinstance(x, (Buffer, ArrayBuffer, DataView)):
            kind = BUFFER if isinstance(x, Buffer) else ARRAY_BUFFER if isinstance(x, ArrayBuffer) else DATA_VIEW
            self.out.extend([extension_head(kind, len(x)), x])
        elif isinstance(x, (bytes, bytearray, memoryview)):
            self.binary(bytes(x) if isinstance(x, memoryview) else x)
        elif isinstance(x, (set, frozenset)):
            # in an order of its own in every process: equal sets are to have equal bytes
            items = sorted(x, key=lambda item: (type(item).__name__, repr(item)))
            self.extended(SET, lambda: self.items(items))
        elif isinstance(x, datetime.datetime):
            self.date(x)
        elif isinstance(x, array.array):
            self.array(x)
        elif isinstance(x, RegExp):
            self.extended(REGEXP, lambda: (self.text(x.source), self.text(x.flags)))
        elif isinstance(x, Coded):
            self.extended(CODEC, lambda: (self.text(x.name), self.write(x.content)))
        elif isinstance(x, BaseException):
            self.error(x)
        else:
            self.foreign(x)

    def extended(self, kind, content):
        outer, self.out = self.out, []
        content()
        inner, self.out = self.out, outer
        self.out.extend([extension_head(kind, sum(len(piece) for piece in inner)), *inner])

    def head(self, count, few, many):
        if count < 16:
            self.out.append(bytes([few | count]))
        else:
            self.out.append(bytes([many]) + struct.pack('>H', count) if count < 2**16 else bytes([many + 1]) + struct.pack('>I', count))

    def items(self, items):
        self.head(len(items), 0x90, 0xDC)
        for i, item in enumerate(items):
            self.step(item, i)

    list = items

    def step(self, x, at):
        try:
            self.write(x)
        except Loss as loss:
            raise loss.at(at)

    def dict(self, x):
        if isinstance(x, Map) or not all(isinstance(key, str) for key in x):
            self.extended(MAP, lambda: self.pairs(x))
            return
        self.head(len(x), 0x80, 0xDE)
        for key, value in x.items():
            if key == '__proto__':
                raise Loss('a key named __proto__', 'rename it')
            self.text(key)
            self.step(value, key)

    def pairs(self, x):
        self.head(2 * len(x), 0x90, 0xDC)
        for i, (key, value) in enumerate(x.items()):
            self.step(key, i)
            self.step(value, key if isinstance(key, str) else i)

    def binary(self, x):
        self.out.extend([sized(len(x), 0xC4), x])

    def date(self, x):
        if x.tzinfo is None:
            raise Loss('a datetime without a time zone', 'give it one, such as datetime.timezone.utc')
        self.out.append(extension(DATE, [struct.pack('>d', (x - EPOCH) // MILLISECOND)]))

    def array(self, x):
        kind = 'f' if x.typecode in 'fd' else 'i' if x.typecode.islower() else 'u'
        if x.typecode in 'uw':
            raise Loss('an array of characters', 'return a str')
        if sys.byteorder == 'big':
            x = array.array(x.typecode, x)
            x.byteswap()
        self.typed(kind + str(x.itemsize), memoryview(x).cast('B'))

    def typed(self, dtype, data):
        if dtype == 'u1':
            self.binary(data)
        else:
            self.out.extend([extension_head(TYPED_ARRAY, 1 + len(data)), bytes([TYPED.index(dtype)]), data])

    def error(self, x):
        if isinstance(x, JSError):
            kind, properties = x.kind, x.properties
        else:
            kind, properties = 'Error', {'message': str(x), 'name': type(x).__name__}
        flat = [part for pair in properties.items() for part in pair]
        self.extended(ERROR, lambda: (self.text(kind), self.items(flat)))

    def foreign(self, x):
        np = sys.modules.get('numpy')
        if np is None or not isinstance(x, (np.ndarray, np.generic)):
            name = '%s.%s' % (type(x).__module__, type(x).__qualname__)
            raise Loss('an instance of ' + name, 'return plain data or a NumPy array')
        # what stands for it begins in its place
        del self.numbers[id(x)]
        self.begun -= 1
        self.ndarray(np, x)

    def ndarray(self, np, x):
        kind, size = x.dtype.kind, x.dtype.itemsize
        if isinstance(x, np.ma.MaskedArray) or x.dtype.fields is not None or kind not in 'iufbUO' or kind == 'f' and size > 8:
            raise Loss('a NumPy value of dtype %s' % x.dtype, 'return numbers, booleans or text')
        if x.ndim == 0 or isinstance(x, np.generic):
            self.write(x.item())
            return
        x = np.asarray(x)
        if x.ndim > 1:
            self.object([x[i] for i in range(len(x))])
        elif kind in 'bUO':
            self.object(x.tolist())
        else:
            size = 4 if kind == 'f' and size == 2 else size
            whole = np.ascontiguousarray(x, dtype='<%s%d' % (kind, size))
            self.numbers[id(x)] = (self.begun, x)
            self.begun += 1
            self.typed('%s%d' % (kind, size), memoryview(whole).cast('B') if whole.size > 0 else b'')


def integer(x):
    """As JavaScript's writer has numbers: those beyond 32 bits are doubles."""
    if 0 <= x < 0x80:
        return bytes([x])
    if -0x20 <= x < 0:
        return bytes([x + 0x100])
    if 0 <= x < 2**32:
        return b'\xce' + struct.pack('>I', x)
    if -(2**31) <= x < 0:
        return b'\xd2' + struct.pack('>i', x)
    return b'\xcb' + struct.pack('>d', x)


def sized(size, tag):
    if size < 2**8:
        return bytes([tag, size])
    if size < 2**16:
        return bytes([tag + 1]) + struct.pack('>H', size)
    if size < 2**32:
        return bytes([tag + 2]) + struct.pack('>I', size)
    raise Loss('%d bytes in one piece' % size, 'return less')


def extension_head(kind, size):
    if size >= 2**32:
        raise Loss('%d bytes in one piece' % size, 'return less')
    return b'\xc9' + struct.pack('>I', size) + bytes([kind])


def extension(kind, pieces):
    return b''.join([extension_head(kind, sum(len(piece) for piece in pieces)), *pieces])
