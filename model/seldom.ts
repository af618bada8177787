/** When to say what goes on failing: often at first, and then less and less, so that an outage of days fills no log. */

/** Of the `n`-th failure in a row, from 1: the first, second, fourth, eighth and so on, and each 256th. */
export const isSaid = (n: number): boolean => (n & (n - 1)) === 0 || n % 256 === 0;
