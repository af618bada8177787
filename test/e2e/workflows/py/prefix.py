import sys


def prefix():
    return sys.prefix
