/**
 * Extract, transform, load: 20,000 flights joined with the airports they left from, and how late they were by state.
 * Local files don't exist on an agent, so the script reads them and passes their text.
 *
 *     npx tsx examples/etl.ts
 */
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dispatch, electron, getValue, lattice } from 'polaron';

export interface Flight {
  /** Minutes; negative when early. */
  readonly delay: number;
  readonly origin: string;
}
export interface Departure {
  readonly state: string;
  readonly delay: number;
}
export interface StateDelay {
  readonly state: string;
  readonly flights: number;
  readonly meanDelay: number;
  /** Share of flights more than 15 minutes late. */
  readonly late: number;
}

export const parseFlights = electron(function parseFlights(json: string): Flight[] {
  const rows: unknown = JSON.parse(json);
  if (!Array.isArray(rows)) throw new TypeError('flights: expected an array of rows');
  return rows.map((row: unknown, index) => {
    if (!isFlight(row)) throw new TypeError(`flights: row ${index} has no delay or no origin`);
    return { delay: row.delay, origin: row.origin };
  });
});

/** State by airport code, of airports in the United States. */
export const parseAirports = electron(function parseAirports(csv: string): Map<string, string> {
  const [header = [], ...rows] = parseCsv(csv);
  const at = (name: string): number => {
    const column = header.indexOf(name);
    if (column === -1) throw new TypeError(`airports: no column "${name}" in ${header.join(', ')}`);
    return column;
  };
  const [iata, state, country] = [at('iata'), at('state'), at('country')];
  const domestic = rows.filter((row) => row[country] === 'USA');
  return new Map(domestic.map((row) => [row[iata] ?? '', row[state] ?? '']));
});

/** Inner join: a flight from an airport that isn't listed is left out. */
export const join = electron(function join(
  flights: readonly Flight[],
  states: ReadonlyMap<string, string>,
): Departure[] {
  return flights.flatMap(({ origin, delay }) => {
    const state = states.get(origin);
    return state === undefined ? [] : [{ state, delay }];
  });
});

/** By state, the latest first. */
export const aggregate = electron(function aggregate(departures: readonly Departure[]): StateDelay[] {
  const delays = new Map<string, number[]>();
  for (const { state, delay } of departures) {
    const known = delays.get(state);
    if (known === undefined) delays.set(state, [delay]);
    else known.push(delay);
  }
  const rows = [...delays].map(([state, list]) => ({
    state,
    flights: list.length,
    meanDelay: list.reduce((sum, delay) => sum + delay, 0) / list.length,
    late: list.filter((delay) => delay > 15).length / list.length,
  }));
  return rows.sort((a, b) => b.meanDelay - a.meanDelay || (a.state < b.state ? -1 : 1));
});

export const delaysByState = lattice(function delaysByState(flightsJson: string, airportsCsv: string) {
  return aggregate(join(parseFlights(flightsJson), parseAirports(airportsCsv)));
});

function isFlight(row: unknown): row is Flight {
  if (typeof row !== 'object' || row === null || !('delay' in row) || !('origin' in row)) return false;
  return typeof row.delay === 'number' && typeof row.origin === 'string';
}

/** RFC 4180: quoted fields may hold commas, doubled quotes and line ends. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    if (end === '' && row.length === 0 && quoted === undefined && plain === '') break;
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
    if (end === '') break;
  }
  return rows;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const read = (name: string): string =>
    readFileSync(new URL(`../node_modules/vega-datasets/data/${name}`, import.meta.url), 'utf8');
  const id = await dispatch(delaysByState)(read('flights-20k.json'), read('airports.csv'));
  console.log(`dispatch ${id}`);
  for (const { state, flights, meanDelay, late } of (await getValue(id)).slice(0, 5)) {
    console.log(
      `${state}  ${flights} flights, ${meanDelay.toFixed(1)} min late on average, ${(late * 100).toFixed(0)} % late`,
    );
  }
}
