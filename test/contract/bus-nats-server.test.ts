/** The bus contract and the permissions on real nats-servers: Debian's, and the current one built from the Go module proxy. */
import { currentServer, debianServer, startNatsServer } from '../support/nats-server.ts';
import { withRealPart } from '../support/real-part.ts';
import { describeBusContract } from './bus-contract.ts';
import { describeBusPermissions } from './bus-permissions.ts';

for (const [name, binary, why] of [
  ["Debian's nats-server", debianServer, 'nats-server is not installed'],
  ['the current nats-server', currentServer, 'POLARON_NATS_SERVER_CURRENT names none'],
] as const) {
  withRealPart(name, binary, why, (path) => {
    describeBusContract(name, () => startNatsServer(path));
    describeBusPermissions(name, () => startNatsServer(path));
  });
}
