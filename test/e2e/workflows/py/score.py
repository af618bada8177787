import os
import sys
import time

from words import greeting


class Unlucky(Exception):
    pass


def score(rows, weight=1):
    print('scoring', len(rows), 'rows')
    return {'mean': weight * sum(rows) / len(rows), 'rows': rows, 'said': greeting('you')}


def unlucky(file):
    with open(file, 'a') as notes:
        notes.write('x')
    if os.path.getsize(file) < 3:
        raise Unlucky('not yet')
    return os.path.getsize(file)


def ends(how):
    print('before', how)
    if how == 'raises':
        raise Unlucky('as always')
    if how == 'leaves':
        sys.exit('nothing to do')
    if how == 'vanishes':
        os._exit(9)
    if how == 'crashes':
        import ctypes

        ctypes.string_at(0)
    if how == 'hoards':
        kept = []
        while True:
            kept.append(bytearray(b'x' * 10_000_000))
    if how == 'loops':
        while True:
            pass
    if how == 'lost':
        return {'fine': 1, 'bad': [object()]}


def stays(folder):
    import subprocess

    child = subprocess.Popen(['sleep', '300'])
    with open(os.path.join(folder, 'pids'), 'w') as notes:
        notes.write('%d %d\n' % (os.getpid(), child.pid))
    print('staying')
    while True:
        try:
            time.sleep(300)
        except KeyboardInterrupt:
            pass


def centred(values):
    import numpy

    return values - numpy.mean(values)
