/** The peers, and their figures. Another one is a file in peers/ and a line here. Not responsible for how one works (peer.ts). */
import { Interrupted, Openings } from './openings.ts';
import type { Peer, PeerFigures } from './peer.ts';
import { type Figures, summaries, type Summary } from './statistics.ts';

export const peers: readonly Peer[] = [];

export interface PeerReport {
  readonly figures: PeerFigures;
  /** Peer → what it is and which versions, or why it has no figures. */
  readonly about: Readonly<Record<string, PeerAbout>>;
}

export type PeerAbout =
  | { readonly what: string; readonly versions: Readonly<Record<string, string>>; readonly failed: Failures }
  | { readonly what: string; readonly missing: string };

/** Question → why this peer has no figures for it. */
type Failures = Readonly<Record<string, string>>;

/** Each peer in turn: one run to warm up, then `runs`. A peer that can't be measured is named with the reason. Raises Interrupted. */
export async function measurePeers(
  ids: readonly string[],
  runs: number,
  say: (line: string) => void,
): Promise<PeerReport> {
  const figures: Record<string, Readonly<Record<string, Readonly<Record<string, Summary>>>>> = {};
  const about: Record<string, PeerAbout> = {};
  for (const peer of peers) {
    const { name, what } = peer;
    const openings = new Openings();
    try {
      say(`${name}: ${what}`);
      const opened = await peer.open(openings, say);
      const [own, failed]: [Record<string, Readonly<Record<string, Summary>>>, Record<string, string>] = [{}, {}];
      for (const id of ids) {
        const measured = await measure(() => opened.measure(id), runs);
        if (typeof measured === 'string') failed[id] = measured;
        else own[id] = measured;
        say(`  ${id} ${textOf(measured)}`);
      }
      figures[name] = own;
      about[name] = { what, versions: opened.versions, failed };
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      about[name] = { what, missing: reason(error) };
      say(`  not measured: ${reason(error)}`);
    } finally {
      await openings.close();
    }
  }
  return { figures, about };
}

/** Its figures, or why there are none. */
async function measure(
  run: () => Promise<Figures | undefined>,
  runs: number,
): Promise<Readonly<Record<string, Summary>> | string> {
  try {
    if ((await run()) === undefined) return 'it has nothing that does this';
    const all: Figures[] = [];
    for (let i = 0; i < runs; i++) all.push((await run()) ?? {});
    return summaries(all);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    return reason(error);
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function textOf(measured: Readonly<Record<string, Summary>> | string): string {
  if (typeof measured === 'string') return `not measured: ${measured}`;
  return Object.entries(measured)
    .map(([name, { median, min, max }]) => `${name} ${median} (${min}–${max})`)
    .join(', ');
}
