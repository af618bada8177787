/** `polaron doctor`: what this machine has for electrons, what is missing and how to get it. Not here: the checks (host/doctor.ts). */
import { homePaths } from '../../host/home.ts';
import { writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { paint, plain } from '../style.ts';
import { table } from '../table.ts';

const colours = { ok: 'green', missing: 'yellow', broken: 'red' } as const;

/** Failed when something is broken; what is only missing may not be needed. */
export async function doctor(context: Context): Promise<ExitCode> {
  const host = await context.host();
  const { findings, offers } = await host.examine({ env: context.env, home: homePaths(context.env).home });
  const exit = findings.some(({ state }) => state === 'broken') ? exitCodes.failed : exitCodes.ok;
  if (context.json) {
    writeJson(context, { ok: exit === exitCodes.ok, findings, offers });
    return exit;
  }
  const rows = findings.map(({ check, state, found }) => [
    check,
    { text: state, shown: paint(state, colours[state], context.terminal.colour) },
    plain(found),
  ]);
  for (const line of table([{ title: 'CHECK' }, { title: 'STATE' }, { title: 'FOUND' }], rows))
    context.terminal.out(line);
  for (const { check, help } of findings) if (help !== undefined) context.terminal.out(plain(`${check}: ${help}`));
  context.terminal.out(plain(`an agent here offers ${offers.join(' ')}`));
  return exit;
}
