/** How long agents may be silent: where the figures come from. */
import { expect, it } from 'vitest';
import { resolveLeases } from '../../host/leases.ts';

it('are the defaults, what the environment says, or what the caller says', () => {
  expect(resolveLeases({}, {})).toEqual({ leaseMs: 15_000, heartbeatMs: 2_000 });
  const env = { POLARON_LEASE_MS: '9000', POLARON_HEARTBEAT_MS: '1000' };
  expect(resolveLeases({}, env)).toEqual({ leaseMs: 9_000, heartbeatMs: 1_000 });
  expect(resolveLeases({ leaseMs: 8_000 }, env)).toEqual({ leaseMs: 8_000, heartbeatMs: 1_000 });
});

it('have a heartbeat that fits a short lease when nobody sets one', () => {
  expect(resolveLeases({}, { POLARON_LEASE_MS: '3000' })).toEqual({ leaseMs: 3_000, heartbeatMs: 600 });
  expect(resolveLeases({}, { POLARON_LEASE_MS: '60000' })).toEqual({ leaseMs: 60_000, heartbeatMs: 2_000 });
});

it('are refused when they are no milliseconds, or the lease is too short for the heartbeat', () => {
  for (const wrong of ['soon', '-5', '99', '1e400', '2.5'])
    expect(() => resolveLeases({}, { POLARON_LEASE_MS: wrong })).toThrow(/POLARON_LEASE_MS is .*at least 100/);
  expect(() => resolveLeases({}, { POLARON_LEASE_MS: '3000', POLARON_HEARTBEAT_MS: '1500' })).toThrow(/too short/);
});
