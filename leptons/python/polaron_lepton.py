"""Entry of a warm interpreter: calls functions of one module for the process at the other end of file descriptor 3, one at a time.

A frame on the pipe is a byte that says what it is, a length of 4 bytes (big-endian), and the content.

To here   I  JSON: { module, sources?, folder? }, once         C  JSON: { function, task }, then A, the encoded arguments
From here R  the encoded result     E  JSON: how it failed     O, e  what it prints     P  JSON: [fraction, note]

User code may `import polaron_lepton` for progress() and context(), and `polaron_values` for the classes of values.
Not here: the values' bytes (polaron_values.py), who starts and ends this process (leptons/python.ts). Python 3.8 and newer.
"""

import faulthandler
import io
import json
import os
import sys
import threading
import traceback
import types
from importlib.machinery import ModuleSpec

HERE = os.path.dirname(os.path.abspath(__file__))
PIPE = 3
OURS = {__file__, os.path.join(HERE, 'polaron_values.py')}
MOST_TEXT = 16 * 1024
_task = None
_writing = threading.RLock()


def context():
    """Names of the running task: dispatch_id, node_id and attempt; the first two together are a key for effects outside."""
    return types.SimpleNamespace(**_task)


def progress(fraction, note=''):
    """Reports how far the task is, 0 to 1."""
    send(b'P', [json.dumps([float(fraction), str(note)]).encode()])


def send(kind, pieces):
    length = sum(len(piece) for piece in pieces)
    head = kind + length.to_bytes(4, 'big')
    with _writing:
        if length < 65536:
            write(head + b''.join(bytes(piece) for piece in pieces))
            return
        write(head)
        for piece in pieces:
            write(piece)


def write(piece):
    view = memoryview(piece)
    while len(view) > 0:
        view = view[os.write(PIPE, view[: 1 << 20]) :]


def read(length):
    """Exactly so many bytes. Ends the process when the other end is gone."""
    data = bytearray(length)
    view = memoryview(data)
    while len(view) > 0:
        got = os.readv(PIPE, [view])
        if got == 0:
            os._exit(0)
        view = view[got:]
    return data


def receive():
    head = read(5)
    return chr(head[0]), read(int.from_bytes(head[1:], 'big'))


class Printed(io.RawIOBase):
    """Standard output or error as frames, in order with the result. What bypasses it goes to the process's own."""

    def __init__(self, kind, own):
        self.kind, self.own, self.pid = kind, own, os.getpid()

    def writable(self):
        return True

    def fileno(self):
        return self.own

    def write(self, data):
        if os.getpid() != self.pid:  # a forked process has no business on the pipe
            return os.write(self.own, data)
        send(self.kind, [bytes(data)])
        return len(data)


def capture(kind, own):
    buffered = io.BufferedWriter(Printed(kind, own), 8192)
    return io.TextIOWrapper(buffered, encoding='utf-8', errors='backslashreplace', line_buffering=True)


class Sources:
    """Imports the files that came along. Their texts are known to tracebacks by the paths that their author knows."""

    def __init__(self, texts, folder):
        self.texts, self.folder = texts, folder

    def find_spec(self, name, path=None, target=None):
        base = name.replace('.', '/')
        for file, package in ((base + '/__init__.py', True), (base + '.py', False)):
            if file in self.texts:
                spec = ModuleSpec(name, self, origin=self.shown(file), is_package=package)
                spec.loader_state = file
                spec.has_location = True
                return spec
        if any(file.startswith(base + '/') for file in self.texts):
            spec = ModuleSpec(name, self, is_package=True)
            return spec
        return None

    def shown(self, file):
        return '%s/%s' % (self.folder, file) if self.folder else file

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        file = module.__spec__.loader_state
        if file is None:
            return  # a folder without __init__.py
        import linecache

        text, shown = self.texts[file], self.shown(file)
        linecache.cache[shown] = (len(text), None, text.splitlines(True), shown)
        exec(compile(text, shown, 'exec', dont_inherit=True), module.__dict__)

    def get_source(self, name):
        spec = self.find_spec(name)
        return None if spec is None or spec.loader_state is None else self.texts[spec.loader_state]


class Refused(Exception):
    """The call can't be made or its result can't be sent; `kind` says which."""

    def __init__(self, kind, message, **more):
        super().__init__(message)
        self.report = dict(more, kind=kind, message=message)


def function_of(module_name, name):
    from importlib import import_module

    try:
        found = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name + '.').startswith(error.name + '.'):
            raise Refused('source', 'Python finds no module "%s" here' % module_name)
        raise
    for part in name.split('.'):
        if not hasattr(found, part):
            from difflib import get_close_matches

            near = get_close_matches(part, [one for one in dir(found) if callable(getattr(found, one, None))])
            hint = '; did you mean %s?' % ' or '.join('"%s"' % one for one in near) if near else ''
            raise Refused('source', 'module "%s" has no "%s"%s' % (module_name, name, hint))
        found = getattr(found, part)
    if not callable(found):
        raise Refused('source', '"%s" of module "%s" is no function but %s' % (name, module_name, type(found).__name__))
    return found


def call(module_name, request, data):
    import polaron_values as values

    global _task
    _task = request['task']
    function = function_of(module_name, request['function'])
    try:
        args = values.decode(data)
    except values.Loss as loss:
        raise Refused('argument', loss.what, path=loss.where(), advice=loss.advice)
    result = function(*args)
    if hasattr(result, '__await__'):
        import asyncio

        result = asyncio.run(awaited(result))
    try:
        return values.encode(result)
    except values.Loss as loss:
        raise Refused('result', loss.what, path=loss.where(), advice=loss.advice)


async def awaited(result):
    return await result


def described(error, depth=0, seen=()):
    """An exception as data: its class, text and traceback from the user's first frame on, and what caused it."""
    tb = error.__traceback__
    while tb is not None and (tb.tb_frame.f_code.co_filename in OURS or tb.tb_frame.f_code.co_filename.startswith('<frozen importlib')):
        tb = tb.tb_next
    lines = traceback.format_exception(type(error), error, tb, chain=False)
    cause = error.__cause__ if error.__cause__ is not None or error.__suppress_context__ else error.__context__
    text = ''.join(lines)
    return {
        'kind': 'raised',
        'name': type(error).__name__,
        'message': safe(error)[:MOST_TEXT],
        'stack': text if len(text) <= MOST_TEXT else text[: MOST_TEXT // 2] + '\n…\n' + text[-MOST_TEXT // 2 :],
        'cause': None if cause is None or depth > 6 or cause in seen else described(cause, depth + 1, (*seen, error)),
    }


def safe(error):
    try:
        return str(error)
    except Exception as broken:
        return 'its text can not be made: %s' % type(broken).__name__


def answer(module_name, request, data):
    try:
        kind, pieces = b'R', call(module_name, request, data)
    except Refused as refused:
        kind, pieces = b'E', report(refused.report)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        kind, pieces = b'E', report({'kind': 'exit', 'code': code, 'message': '' if isinstance(error.code, int) else safe(error)})
    except BaseException as error:
        kind, pieces = b'E', report(described(error))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # user code has closed or replaced it
    send(kind, pieces)


def report(facts):
    return [json.dumps(facts).encode()]


def main():
    os.set_blocking(PIPE, True)
    os.set_inheritable(PIPE, False)
    faulthandler.enable(file=2)
    sys.modules['polaron_lepton'] = sys.modules['__main__']
    # our own folder is not the user's to import from, but for the module of values
    import polaron_values  # noqa: F401

    sys.path[:] = ['' if path == HERE else path for path in sys.path]
    sys.stdout, sys.stderr = capture(b'O', 1), capture(b'e', 2)
    _, first = receive()
    about = json.loads(first)
    if 'sources' in about:
        sys.meta_path.insert(0, Sources(about['sources'], about.get('folder', '')))
    while True:
        try:
            _, request = receive()
            _, data = receive()
            request = json.loads(request)
        except KeyboardInterrupt:
            continue
        answer(about['module'], request, data)


if __name__ == '__main__':
    main()
