/** The bus contract and the permissions on the embedded broker. */
import { startEmbedded } from '../support/bus-server.ts';
import { describeBusContract } from './bus-contract.ts';
import { describeBusPermissions } from './bus-permissions.ts';

describeBusContract('the embedded broker', startEmbedded);
describeBusPermissions('the embedded broker', startEmbedded);
