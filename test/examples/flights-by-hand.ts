/**
 * The etl example's answer computed again with none of its code: flights counted and added up in plain loops; the airports' CSV read from its right-hand end, where no field is quoted.
 */
import { readFileSync } from 'node:fs';

const data = (name: string): string =>
  readFileSync(new URL(`../../node_modules/vega-datasets/data/${name}`, import.meta.url), 'utf8');

export const flightsJson = (): string => data('flights-20k.json');
export const airportsCsv = (): string => data('airports.csv');

export interface Totals {
  flights: number;
  sum: number;
  late: number;
}

/** By state of departure, airports in the United States only. */
export function totalsByHand(): Map<string, Totals> {
  const states = new Map<string, string>();
  for (const line of airportsCsv().split('\n').slice(1)) {
    const fields = line.trim().split(',');
    const country = fields.at(-3);
    const state = fields.at(-4);
    if (country === 'USA' && state !== undefined) states.set(line.slice(0, line.indexOf(',')), state);
  }
  const totals = new Map<string, Totals>();
  const flights: { delay: number; origin: string }[] = JSON.parse(flightsJson());
  for (const flight of flights) {
    const state = states.get(flight.origin);
    if (state === undefined) continue;
    const known = totals.get(state) ?? { flights: 0, sum: 0, late: 0 };
    known.flights++;
    known.sum += flight.delay;
    if (flight.delay > 15) known.late++;
    totals.set(state, known);
  }
  return totals;
}
