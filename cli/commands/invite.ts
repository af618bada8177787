/** `polaron invite`: what an agent, a user, an observer or an auditor needs to join the hub of this machine. Not here: how credentials are made (host/invitation.ts). */
import { homePaths } from '../../host/home.ts';
import { invitationOf, type Role } from '../../host/invitation.ts';
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
  readonly as: Role;
  readonly site: string;
  readonly host?: string;
  readonly url?: boolean;
}

/** Raises NO_HUB, USAGE, BAD_SUBJECT. */
export async function invite(context: Context, args: InviteArguments): Promise<ExitCode> {
  const hub = runningHub(homePaths(context.env).home);
  if (hub === undefined) throw new PolaronError('NO_HUB', 'no hub runs in this home; only its own machine can invite');
  const [name, site] = [toToken(args.name), toToken(args.site)];
  const role = args.as;
  const bus = invitationOf(hub, { role, site, name }, args.host);
  if (context.json) writeJson(context, { role, ...(role === 'agent' ? { site } : {}), name, bus });
  else context.terminal.out(args.url === true ? bus : lineFor(role, name, bus));
  context.terminal.err('whoever has this line can join: it holds a password');
  if (isLoopback(new URL(hub.bus).hostname))
    context.terminal.err('the hub listens on loopback: this works on this machine only; see --host of `polaron start`');
  else if (hub.ownTls === true)
    context.terminal.err(
      'where a machine does not trust the certificate by itself: NODE_EXTRA_CA_CERTS=FILE, who signed it, PEM',
    );
  return exitCodes.ok;
}

/** To be pasted elsewhere. */
function lineFor(role: Role, name: string, bus: string): string {
  if (role === 'agent') return `polaron agent --bus '${bus}'`;
  if (role === 'user') return `export POLARON_URL='${bus}'`;
  if (role === 'auditor')
    return `nats --server '${bus}' sub --translate 'polaron decode {{Subject}}' 'polaron.>' '_INBOX.>'`;
  return `nats --server '${bus}' --inbox-prefix _INBOX.o.${name} sub 'polaron.actor.>'`;
}
