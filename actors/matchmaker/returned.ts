/** What the matchmaker sent and gets back because nobody was there to take it, told apart. */
import type { ElectronMessage, LatticeMessage } from '../../bus/protocol/actors.ts';
import type { Message } from '../system.ts';

export const isFound = (message: Message): message is Extract<LatticeMessage, { type: 'match.found' }> =>
  message.type === 'match.found' && 'nodes' in message && 'agent' in message;
export const isFinished = (message: Message): message is Extract<ElectronMessage, { type: 'attempt.finished' }> =>
  'task' in message && 'receipt' in message;
