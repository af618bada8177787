/** The peers, and their figures. Another one is a folder in peers/ and a line here. Not responsible for how one works (peer.ts). */
import { Interrupted, Openings } from './openings.ts';
import type { Peer, PeerFigures } from './peer.ts';
import { bullmq } from './peers/bullmq/peer.ts';
import { dask } from './peers/dask/peer.ts';
import { dbos } from './peers/dbos/peer.ts';
import { type FormsReport, measureForms } from './peers/forms.ts';
import { reasonOf } from './peers/reason.ts';
import { restate } from './peers/restate/peer.ts';
import type { Summary } from './statistics.ts';

export const peers: readonly Peer[] = [bullmq, restate, dbos, dask];

export interface PeerReport {
  readonly figures: PeerFigures;
  /** Peer → what it is, which versions and how each of its forms did, or why it has no figures. */
  readonly about: Readonly<Record<string, PeerAbout>>;
}

export type PeerAbout =
  | {
      readonly what: string;
      readonly versions: Readonly<Record<string, string>>;
      /** Question → the form that is compared, the fastest. */
      readonly compared: Readonly<Record<string, string>>;
      /** Question → its forms. */
      readonly forms: Readonly<Record<string, FormsReport>>;
      /** Question → why this peer has no figures for it. */
      readonly failed: Readonly<Record<string, string>>;
    }
  | { readonly what: string; readonly missing: string };

/** Each peer in turn. One that can't be measured is named with the reason. Raises Interrupted. */
export async function measurePeers(
  ids: readonly string[],
  runs: number,
  say: (line: string) => void,
  list: readonly Peer[] = peers,
): Promise<PeerReport> {
  const figures: Record<string, Readonly<Record<string, Readonly<Record<string, Summary>>>>> = {};
  const about: Record<string, PeerAbout> = {};
  for (const peer of list) {
    const { name, what } = peer;
    const openings = new Openings();
    try {
      say(`${name}: ${what}`);
      const open = await peer.open(openings, say);
      const own: Record<string, Readonly<Record<string, Summary>>> = {};
      const forms: Record<string, FormsReport> = {};
      const compared: Record<string, string> = {};
      const failed: Record<string, string> = {};
      for (const id of ids) {
        const {
          fastest,
          forms: all,
          text,
        } = await measureForms(peer.forms[id] ?? [], runs, (form) => open.measure(id, form));
        forms[id] = all;
        if (fastest === undefined) failed[id] = text;
        else [own[id], compared[id]] = [fastest.figures, fastest.form];
        say(`  ${id} ${text}`);
      }
      figures[name] = own;
      about[name] = { what, versions: open.versions, compared, forms, failed };
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      const missing = reasonOf(error);
      about[name] = { what, missing };
      say(`  not measured: ${missing}`);
    } finally {
      await openings.close();
    }
  }
  return { figures, about };
}
