/** The bus contract and the permissions on the embedded broker, from outside and from within its process. */
import { startEmbedded, startJoinable } from '../support/bus-server.ts';
import { describeBusContract } from './bus-contract.ts';
import { describeBusPermissions } from './bus-permissions.ts';

describeBusContract('the embedded broker', startEmbedded);
describeBusContract('the embedded broker, from within', startJoinable);
describeBusPermissions('the embedded broker', startEmbedded);
