"""Statistics of words, for texts.ts."""

from statistics import median


def lengths(words):
    print('measuring', len(words), 'words')
    return {'longest': max(words, key=len), 'median': median(len(word) for word in words)}
