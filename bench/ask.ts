/** Asks questions on one bus, in turn, and says each answer as it comes. A question that fails is shown and the next one is asked. Not responsible for which. */
import { type BedOptions, Shared } from './bed.ts';
import { judge, type Verdict, verdictText } from './goal.ts';
import { Interrupted, Openings } from './openings.ts';
import type { Question } from './question.ts';

/** As the JSON keeps it. */
export type Result =
  | ({ readonly asks: string; readonly verdicts: readonly Verdict[] } & Readonly<Record<string, unknown>>)
  | { readonly asks: string; readonly failed: string };

/** Question → its answer. Raises Interrupted. */
export async function ask(questions: readonly Question[], options: BedOptions): Promise<Record<string, Result>> {
  const results: Record<string, Result> = {};
  const shared = new Shared(options);
  try {
    for (const question of questions) {
      const result = await askOne(question, shared, options);
      results[question.id] = result;
      // What it shared with others may be what is broken.
      if ('failed' in result) await shared.close();
    }
  } finally {
    await shared.close();
  }
  return results;
}

async function askOne(question: Question, shared: Shared, { say }: BedOptions): Promise<Result> {
  const { id, asks, goals } = question;
  const openings = new Openings();
  try {
    const { figures, text, got } = await question.measure(shared.bedOf(openings));
    const unknown = Object.keys(got).find((what) => !goals.some((goal) => goal.what === what));
    if (unknown !== undefined) throw new Error(`${id} has no goal "${unknown}"`);
    const verdicts = goals.map((goal) => judge(goal, got[goal.what]));
    say(indented(id, [...text.split('\n'), ...verdicts.map(verdictText)]));
    return { asks, ...figures, verdicts };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const failed = error instanceof Error ? error.message : String(error);
    const where = error instanceof Error ? (error.stack ?? failed) : failed;
    say(indented(id, ['FAILED', ...where.split('\n')]));
    return { asks, failed };
  } finally {
    await openings.close();
  }
}

/** The id before the first line, and room for it before the others. */
const indented = (id: string, lines: readonly string[]): string =>
  lines.map((line, index) => `${(index === 0 ? id : '').padEnd(9)} ${line}`).join('\n');
