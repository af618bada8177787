/** Which messages an electron actor understands: its mailbox refuses the rest. */
import type { ElectronMessage } from '../../bus/protocol/actors.ts';
import type { Message } from '../system.ts';

const types: ReadonlySet<string> = new Set<ElectronMessage['type']>([
  'attempt.assigned',
  'attempt.adopt',
  'inputs.read',
  'attempt.unsendable',
  'attempt.started',
  'attempt.lost',
  'attempt.finished',
  'value.fetched',
  'attempt.stopped',
  'backoff.elapsed',
  'deadline.passed',
  'electron.cancel',
  'attempt.logged',
  'attempt.progressed',
]);

export const isElectronMessage = (message: Message): message is ElectronMessage => types.has(message.type);
