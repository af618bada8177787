/**
 * What a bundle imports as 'polaron' on an agent (export condition `x-agent`). Definitions work as everywhere; whatever would talk to a hub
 * tells the runner that loading ends here and never returns: a promise that never settles is the one answer that user code can't observe
 * (a throw would end in its `catch`, which may print and exit).
 * Not here: tracing, the value codec, a bus client. It must export every name that index.ts does (test/sdk/agent-shim.test.ts).
 */
import { registry } from '../bus/protocol/registry.ts';
import { makeLatticeFactory, type LatticeTools } from './lattice-factory.ts';
import type { LatticeFactory } from './types.ts';

export { after } from './after.ts';
export { registerCodec } from './codec.ts';
export { context } from './context.ts';
export { electron } from './electron.ts';
export { SdkError, WorkflowCancelled, WorkflowFailed } from './errors.ts';
export { lepton } from './lepton.ts';
export { replacement } from './replacement.ts';

/** true: this module is evaluated by an agent. */
export const onAgent = true;

function halt(what: string): Promise<never> {
  registry().agent?.onHalt(what);
  return new Promise(() => undefined);
}

const halting = (what: string) => (): Promise<never> => halt(what);

/** Lattices are known by name here; a script that draws or lists one on its way to dispatch() gets nothing to see. */
export const latticeTools: LatticeTools = {
  graph: () => ({ nodes: [], output: undefined }),
  local: () => halt('local'),
  draw: () => '',
};
export const lattice: LatticeFactory = makeLatticeFactory(latticeTools);

export const dispatch = () => halting('dispatch');
export const dispatchSync = () => halting('dispatchSync');
export const redispatch = () => halting('redispatch');
export const getResult = halting('getResult');
export const getValue = halting('getValue');
export const cancel = halting('cancel');
export const connect = halting('connect');
/** Events that never come. */
export const watch = (): AsyncIterable<never> => ({
  [Symbol.asyncIterator]: () => ({ next: halting('watch'), return: halting('watch') }),
});
