/** What is told of a round of dials without success. Not here: dialling (dialler.ts). */
import { PolaronError } from '../../model/errors.ts';
import type { FailedAttempt } from './link.ts';

/** What a first round without success means: AUTH_FAILED if a server answered and refused, else NO_HUB. */
export function dialError(attempts: readonly FailedAttempt[]): PolaronError {
  const refused = attempts.find((attempt) => attempt.refused);
  if (refused !== undefined) {
    const who = refused.user === undefined ? 'a client without a user name' : `user ${JSON.stringify(refused.user)}`;
    return new PolaronError('AUTH_FAILED', `${refused.server.shown} refused the credentials of ${who}`, {
      details: { server: refused.server.shown, reason: refused.reason },
    });
  }
  const tried = attempts.map(({ server, reason }) => `${server.shown} (${reason})`).join(', ');
  return new PolaronError('NO_HUB', `no bus answers at ${tried}`, {
    details: { servers: attempts.map(({ server }) => server.shown) },
  });
}
