/** An electron that knows nothing of the lattice whose hooks run around it. */
import { context, electron } from 'polaron';

export const outside = electron(function outside(): unknown {
  return context().injected['db'];
});
