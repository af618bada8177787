/** The bus contract and the permissions on a nats-server in a container. */
import { containerImage, startNatsContainer } from '../support/nats-container.ts';
import { withRealPart } from '../support/real-part.ts';
import { describeBusContract } from './bus-contract.ts';
import { describeBusPermissions } from './bus-permissions.ts';

withRealPart('a nats-server in a container', containerImage, 'DOCKER_HOST is not set', (image) => {
  describeBusContract(`a container of ${image}`, () => startNatsContainer(image));
  describeBusPermissions(`a container of ${image}`, () => startNatsContainer(image));
});
