/** The command line of the bench → what is to be measured. Not responsible for measuring. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BusKind } from './bench-bus.ts';
import { findNatsServer } from './nats-server.ts';
import type { Peer } from './peer.ts';
import { peers as knownPeers } from './peers.ts';
import type { Question } from './question.ts';

export interface BenchOptions {
  readonly questions: readonly Question[];
  readonly buses: readonly BusKind[];
  readonly runs: number;
  readonly agents: number;
  readonly most: number | undefined;
  /** Which are measured. */
  readonly peers: readonly Peer[];
  readonly json: string;
  /** Only put the figures of the latest full run into the page. */
  readonly page: boolean;
}

export class Usage extends Error {}

/** The full run's, which docs/performance.md shows. */
export const latest = fileURLToPath(new URL('results/latest.json', import.meta.url));

/** `known`: all questions. Raises Usage. */
export function resolveOptions(args: readonly string[], known: readonly Question[]): BenchOptions {
  const { only, bus, runs, agents, most, peers, peer, json, page } = parsed(args);
  return {
    questions: chosen(only, known),
    buses: busesOf(bus),
    runs: whole('--runs', runs),
    agents: whole('--agents', agents),
    most: most === undefined ? undefined : whole('--most', most),
    peers: peersOf(peers, peer),
    page,
    // A part must not take the place of the full run.
    json: resolve(json ?? (only === undefined ? latest : latest.replace('latest', 'part'))),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        bus: { type: 'string' },
        runs: { type: 'string', default: '5' },
        agents: { type: 'string', default: '2' },
        most: { type: 'string' },
        peers: { type: 'boolean', default: false },
        peer: { type: 'string' },
        json: { type: 'string' },
        page: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new Usage(error instanceof Error ? error.message : String(error));
  }
}

function chosen(only: string | undefined, known: readonly Question[]): readonly Question[] {
  if (only === undefined) return known.filter(({ onlyNamed }) => onlyNamed === undefined);
  const names = only.split(',').map((name) => name.trim().toLowerCase());
  const unknown = names.find((name) => !known.some(({ id }) => id.toLowerCase() === name));
  if (unknown !== undefined) throw new Usage(`--only: no question "${unknown}"`);
  return known.filter(({ id }) => names.includes(id.toLowerCase()));
}

function busesOf(bus: string | undefined): readonly BusKind[] {
  const found = findNatsServer() !== undefined;
  if (bus === undefined) return found ? ['embedded', 'nats-server'] : ['embedded'];
  if (bus === 'embedded') return [bus];
  if (bus !== 'nats-server' && bus !== 'both')
    throw new Usage(`--bus: "${bus}" is none of embedded, nats-server, both`);
  if (!found) throw new Usage(`--bus ${bus}: no nats-server on the PATH; --bus embedded needs none`);
  return bus === 'both' ? ['embedded', 'nats-server'] : [bus];
}

function peersOf(all: boolean, named: string | undefined): readonly Peer[] {
  if (named === undefined) return all ? knownPeers : [];
  return named.split(',').map((name) => {
    const peer = knownPeers.find((one) => one.name.toLowerCase().startsWith(name.trim().toLowerCase()));
    if (peer === undefined)
      throw new Usage(`--peer: "${name}" is none of ${knownPeers.map((one) => one.name).join(', ')}`);
    return peer;
  });
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) throw new Usage(`${name}: "${text}" is no whole number above 0`);
  return value;
}

export function usageText(known: readonly Question[]): string {
  const rows = known.map(
    ({ id, asks, onlyNamed }) =>
      `  ${id.padEnd(10)} ${asks}${onlyNamed === undefined ? '' : `; only when it is named: ${onlyNamed}`}`,
  );
  return [
    'npm run bench -- [--only W1,W2] [--peers | --peer BullMQ] [--bus embedded|nats-server|both] [--agents 2] [--runs 5] [--most N] [--json FILE] [--page]',
    'Questions:',
    ...rows,
    '--most N bounds the sizes that a question tries; what is smaller than its goal never meets it.',
  ].join('\n');
}
