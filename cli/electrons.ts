/** Walks a dispatch's electrons page by page, and reads an electron's name from the command line. */
import type { DispatchDetail, ElectronView, SnapshotRequest } from '../bus/protocol/api.ts';
import type { HubApi } from './hub-api.ts';

const PAGE = 5_000;

/** An electron as the user names it: a whole number is a node id, anything else a name. */
export const electronArgument = (text: string): number | string => (/^\d{1,15}$/.test(text) ? Number(text) : text);

/** All electrons in pages of the hub's order. */
export async function* electronsOf(
  hub: HubApi,
  request: Omit<SnapshotRequest, 'from' | 'limit' | 'brief'>,
): AsyncGenerator<ElectronView> {
  let from: number | undefined = 0;
  while (from !== undefined) {
    const page: { readonly electrons: readonly ElectronView[]; readonly next?: number } = await hub.snapshot({
      ...request,
      brief: true,
      limit: PAGE,
      from,
    });
    yield* page.electrons;
    from = page.next;
  }
}

/** How many electrons a dispatch has, as far as they are known yet (a map adds its items when it starts). */
export const totalOf = (dispatch: Pick<DispatchDetail, 'counts'>): number =>
  Object.values(dispatch.counts).reduce((sum, n) => sum + n, 0);
