/** `polaron invite`: what somebody elsewhere needs to join the hub of this machine. Not here: how credentials are made (host/invitation.ts). */
import { homePaths } from '../../host/home.ts';
import { invitationOf, type Invited } from '../../host/invitation.ts';
import { PolaronError } from '../../model/errors.ts';
import { toToken } from '../../model/ids.ts';
import { writeJson } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { runningHub } from '../running-hub.ts';
import { isLoopback } from '../start-options.ts';

export interface InviteArguments {
  readonly name: string;
  readonly site: string;
  readonly user: boolean;
  readonly host?: string;
}

/** Raises NO_HUB, USAGE, BAD_SUBJECT. */
export async function invite(context: Context, args: InviteArguments): Promise<ExitCode> {
  const hub = runningHub(homePaths(context.env).home);
  if (hub === undefined) throw new PolaronError('NO_HUB', 'no hub runs in this home; only its own machine can invite');
  const name = toToken(args.name);
  const who: Invited = args.user ? { kind: 'user', name } : { kind: 'agent', site: toToken(args.site), name };
  const bus = invitationOf(hub, who, args.host);
  if (context.json) writeJson(context, { ...who, bus });
  else context.terminal.out(args.user ? `export POLARON_URL='${bus}'` : `polaron agent --bus '${bus}'`);
  context.terminal.err('whoever has this line can join: it holds a password');
  if (isLoopback(new URL(hub.bus).hostname))
    context.terminal.err('the hub listens on loopback: this works on this machine only; see --host of `polaron start`');
  else if (hub.ownTls === true)
    context.terminal.err(
      'where a machine does not trust the certificate by itself: NODE_EXTRA_CA_CERTS=FILE, who signed it, PEM',
    );
  return exitCodes.ok;
}
