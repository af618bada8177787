/** examples/etl.ts, run in this process, against the same join and aggregation in plain loops. */
import { describe, expect, it } from 'vitest';
import { delaysByState, parseAirports } from '../../examples/etl.ts';
import { airportsCsv, flightsJson, totalsByHand } from './flights-by-hand.ts';

describe('the etl example', () => {
  it('joins and aggregates 20,000 flights as plain loops do', async () => {
    const rows = await delaysByState.local(flightsJson(), airportsCsv());
    const totals = totalsByHand();
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(totals.keys()));
    expect(rows.reduce((sum, { flights }) => sum + flights, 0)).toBeGreaterThanOrEqual(10_000);
    for (const { state, flights, meanDelay, late } of rows) {
      const wanted = totals.get(state);
      expect(flights).toBe(wanted?.flights);
      expect(meanDelay).toBeCloseTo((wanted?.sum ?? Number.NaN) / flights, 9);
      expect(late).toBeCloseTo((wanted?.late ?? Number.NaN) / flights, 9);
    }
    const means = rows.map(({ meanDelay }) => meanDelay);
    expect(means).toEqual(means.toSorted((a, b) => b - a));
  });

  it('reads quoted fields, and refuses a file without the columns it needs', async () => {
    const csv = 'iata,name,state,country\nAAA,"Somewhere, ""Far""",TX,USA\r\nBBB,Elsewhere,,France\n';
    expect(parseAirports.local(csv)).toEqual(new Map([['AAA', 'TX']]));
    expect(() => parseAirports.local('iata,name\n')).toThrow(/no column "state" in iata, name/);
  });
});
