/**
 * `npm run bench`: asks the questions of questions.ts on each bus, with durable commits, prints a row for each and writes one JSON. A missed goal is shown
 * and doesn't fail the run; a wrong value, or a question that can't be answered, does. Not responsible for what a question is (question.ts).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ask, type Result } from './ask.ts';
import { type BusKind, openBus } from './bench-bus.ts';
import { findNatsServer } from './nats-server.ts';
import { Openings } from './openings.ts';
import { type BenchOptions, latest, resolveOptions, Usage, usageText } from './options.ts';
import { measurePeers } from './peers.ts';
import { writePage } from './performance-page.ts';
import { questions } from './questions.ts';
import { type BusReport, reportOf } from './report.ts';
import { runToEnd } from './run-to-end.ts';

/** Of a workload at most, until it gets better no more. */
const warmUps = 12;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** True when every question was answered. */
async function bench(options: BenchOptions): Promise<boolean> {
  const { buses, runs, agents, most, json } = options;
  if (options.page) {
    writePage();
    return true;
  }
  if (findNatsServer() === undefined) say('no nats-server on the PATH: the embedded broker only');
  const workloads = options.questions.flatMap(({ id, comparesWithPeers }) => (comparesWithPeers ? [id] : []));
  const peers = options.peers.length > 0 ? await measurePeers(workloads, runs, say, options.peers) : undefined;
  const reports: Partial<Record<BusKind, BusReport>> = {};
  const asked = new Set<string>();
  for (const kind of buses) {
    const openings = new Openings();
    const bus = await openings.open(
      () => openBus(kind),
      (one) => one.close(),
    );
    const now = options.questions.filter(({ id, bus: on }) => on === 'each' || !asked.has(id));
    for (const { id } of now) asked.add(id);
    say(`\non ${bus.description}; ${agents} agents; medians of ${runs} runs (min–max)`);
    const results = await ask(now, { bus, runs, warmUps, agents, most, peers: peers?.figures ?? {}, say });
    reports[kind] = { description: bus.description, serverVersion: bus.serverVersion, results };
    await openings.close();
  }
  const report = await reportOf({ options, known: questions, reports, peers: peers?.about });
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  say(`\nnot measured:\n${report.notMeasured.map((line) => `  ${line}`).join('\n')}\nwritten to ${json}`);
  if (json === latest) writePage();
  const failed = (result: Result): boolean => 'failed' in result;
  return !Object.values(reports).some(({ results }) => Object.values(results).some(failed));
}

await runToEnd(async () => {
  try {
    return (await bench(resolveOptions(process.argv.slice(2), questions))) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Usage)) throw error;
    say(`${error.message}\n${usageText(questions)}`);
    return 2;
  }
});
