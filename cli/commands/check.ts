/** `polaron check [--data DIR]`: what is wrong with a data folder that no hub uses. */
import { resolve } from 'node:path';
import { homePaths } from '../../host/home.ts';
import { many } from '../bytes.ts';
import { writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { plain } from '../style.ts';

/** Failed when anything is wrong. */
export async function check(context: Context, asked: { readonly data?: string }): Promise<ExitCode> {
  const data = asked.data === undefined ? homePaths(context.env).data : resolve(context.cwd, asked.data);
  const host = await context.host();
  const { problems, counts } = await host.checkFolder(data);
  const exit = problems.length === 0 ? exitCodes.ok : exitCodes.failed;
  if (context.json) {
    writeJson(context, { data, ok: problems.length === 0, problems, ...counts });
    return exit;
  }
  for (const { dispatch, electron, problem } of problems) {
    const where = [
      ...(dispatch === undefined ? [] : [`dispatch ${dispatch}`]),
      ...(electron === undefined ? [] : [`electron ${electron}`]),
    ];
    context.terminal.out(plain(where.length === 0 ? problem : `${where.join(', ')}: ${problem}`));
  }
  if (counts !== undefined) {
    const { dispatches, electrons, values, files, journal } = counts;
    const seen = [
      many(dispatches, 'dispatch'),
      many(electrons, 'electron'),
      many(values, 'value'),
      many(files, 'file'),
      ...(journal === 0 ? [] : [`${many(journal, 'batch')} that LMDB gets at the next start`]),
    ];
    context.terminal.err(
      `looked at ${seen.join(', ')}: ${problems.length === 0 ? 'all is whole' : many(problems.length, 'problem')}`,
    );
  }
  return exit;
}
