/** Adds near matches to UNKNOWN_DISPATCH, NOT_OWNER (the end of an id was mistyped) and UNKNOWN_ELECTRON, unless the hub has done so. */
import { PolaronError } from '../model/errors.ts';
import type { HubApi } from './hub-api.ts';
import { nearMatches, nearText } from './near.ts';

/** How many dispatches or electrons are looked through. */
const LOOKED_AT = 1_000;

/** Runs `body`; what it raises about an unknown name is raised again with near matches. */
export async function namingNear<T>(
  hub: HubApi,
  asked: { readonly id: string; readonly electron?: string },
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof PolaronError) || Array.isArray(error.details['near'])) throw error;
    const near = await nearOf(hub, asked, error.code).catch(() => []);
    if (near.length === 0) throw error;
    throw new PolaronError(error.code, `${error.message}${/[.?!]$/.test(error.message) ? '' : '.'}${nearText(near)}`, {
      cause: error,
      help: error.help,
      details: { ...error.details, near },
    });
  }
}

async function nearOf(
  hub: HubApi,
  asked: { readonly id: string; readonly electron?: string },
  code: string,
): Promise<readonly string[]> {
  if (code === 'UNKNOWN_DISPATCH' || code === 'NOT_OWNER') {
    const { dispatches } = await hub.list({ limit: LOOKED_AT });
    return nearMatches(
      asked.id,
      dispatches.map(({ id }) => id),
    );
  }
  if (code !== 'UNKNOWN_ELECTRON' || asked.electron === undefined) return [];
  const { electrons } = await hub.snapshot({ id: asked.id, brief: true, limit: LOOKED_AT });
  return nearMatches(
    asked.electron,
    electrons.map(({ name }) => name),
  );
}
