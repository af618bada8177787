/** `polaron show ID [ELECTRON] --why`: what electrons that don't run yet wait for, and why they were taken over from another dispatch or not; the same together. */
import type { AmountInUse, Why, WhyGroup } from '../../bus/protocol/why.ts';
import type { WhyReuse } from '../../bus/protocol/why-reuse.ts';
import { withHub, writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { electronArgument } from '../electrons.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { plain } from '../style.ts';
import { localTime } from '../times.ts';
import { namingNear } from '../unknown.ts';
import { reuseText } from '../why-reuse-text.ts';

export interface ShowWhyArguments {
  readonly id: string;
  /** Name or node id; absent: all. */
  readonly electron?: string;
}

export async function showWhy(context: Context, asked: ShowWhyArguments): Promise<ExitCode> {
  const { id, electron } = asked;
  await withHub(context, (hub) =>
    namingNear(hub, asked, async () => {
      const request = { id, ...(electron === undefined ? {} : { electron: electronArgument(electron) }) };
      const { reasons, more } = await hub.why(request);
      if (context.json)
        writeJson(context, {
          dispatch: id,
          why: reasons.map(({ why, ...group }) => ({ ...why, ...group })),
          ...(more === undefined ? {} : { more }),
        });
      else if (reasons.length === 0) context.terminal.out('nothing waits');
      else for (const group of reasons) context.terminal.out(lineOf(group));
      if (!context.json && more !== undefined)
        context.terminal.out(`… ${more} more; \`polaron show ${id} ELECTRON --why\` tells of one electron`);
    }),
  );
  return exitCodes.ok;
}

/** `3 electrons wait for parse (running): load[0], load[1], load[2]`. */
function lineOf({ why, electrons, first }: WhyGroup): string {
  const more = electrons > first.length && first.length > 0 ? ', …' : '';
  const names = first.length === 0 ? '' : `: ${first.map(({ name }) => name).join(', ')}${more}`;
  const one = electrons === 1;
  const what = 'dispatch' in why ? reuseText(why, one) : `${one ? 'waits' : 'wait'} ${reasonOf(why)}`;
  return plain(`${one ? '1 electron' : `${electrons} electrons`} ${what}${names}`);
}

/** Of several agents each amount tells of the one that has most of it left. */
const amountsText = (taken: readonly AmountInUse[]): string =>
  taken.length === 0
    ? ''
    : ` (${taken.map(({ need, agent, used, has }) => `${need}: in use on ${agent}: ${used} of ${has}`).join('; ')})`;

function reasonOf(why: Exclude<Why, WhyReuse>): string {
  switch (why.kind) {
    case 'parent':
      return `for ${why.name} (${why.status})`;
    case 'map':
      return `since ${why.name} runs ${why.limit} items at once`;
    case 'capability': {
      const { needs, nearest, most = [] } = why;
      const near = [
        nearest === undefined ? 'no agent is there' : `${nearest.agent} lacks ${nearest.lacks.join(', ')}`,
        ...most.map(({ need, offers, agent, as }) =>
          // earlier hubs don't say it
          (as ?? (offers.includes('=') ? 'instead' : 'largest')) === 'instead'
            ? `${need}: ${agent} offers ${offers}`
            : `${need}: the largest agent offers ${offers}, ${agent}`,
        ),
      ].join('; ');
      return `for an agent that offers ${needs.join(', ')} (${near})`;
    }
    case 'slot': {
      const { needs, agents, slots, ahead, taken } = why;
      const [s, a] = [slots === 1 ? '1 slot' : `${slots} slots`, agents === 1 ? '1 agent' : `${agents} agents`];
      const turn = ahead === 0 ? '' : `, in turn with ${ahead} other ${ahead === 1 ? 'dispatch' : 'dispatches'}`;
      if (taken !== undefined)
        return `until there is room on ${a} with ${needs.join(', ')}${amountsText(taken)}${turn}`;
      return `for one of the ${s} of the ${a} with ${needs.join(', ')}${turn}`;
    }
    case 'key':
      return `for the key "${why.key}", held by ${why.held} of ${why.limit} (${why.holders.join(', ')}${why.held > why.holders.length ? ', …' : ''})`;
    case 'attempt':
      return 'until an older attempt is known to have stopped (exclusive)';
    case 'restart':
      return 'until the agents have told the restarted hub what they have';
    case 'back-off':
      return `until ${localTime(why.until)}, since attempt ${why.attempt} failed with ${why.code}`;
    case 'room':
      return `for ${why.ahead} dispatches that want the same and came before`;
    case 'agent':
      return `on ${why.agent}, which has not begun with it`;
  }
}
