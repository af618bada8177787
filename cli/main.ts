#!/usr/bin/env node
/**
 * The `polaron` command's entry. It imports nothing before it knows that this Node can read the rest.
 * Not here: commands (program.ts), what they need of the process (run.ts).
 */

/** The oldest Node that runs Polaron; package.json's `engines` says the same (a test compares). */
const OLDEST = [20, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  const message = `Node ${process.versions.node} is older than polaron supports`;
  const help = `Install Node ${OLDEST.join('.')} or newer.`;
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ error: { code: 'NODE_TOO_OLD', message, help } })}\n`);
  } else process.stderr.write(`polaron: NODE_TOO_OLD: ${message}. ${help}\n`);
  process.exitCode = 2;
} else {
  // A static import would be read before the check above.
  const [verb, ...rest] = process.argv.slice(2);
  const detaches = verb === 'start' && rest.includes('--detach') && !rest.includes('--help') && !rest.includes('-h');
  const begun = detaches
    ? import('./early-hub.ts').then(({ beginHubEarly, selfOf }) => beginHubEarly(selfOf(process), process.env))
    : Promise.resolve(undefined);
  begun
    .then(async (hub) => {
      if (verb === 'decode') {
        // Run once for each message that somebody looks at: without the parser and all that other commands need.
        const { decode, plainDecode } = await import('./commands/decode.ts');
        const asked = plainDecode(rest);
        if (asked !== undefined) return decode(process, asked);
      }
      return (await import('./run.ts')).run(process, undefined, hub);
    })
    .catch((error: unknown) => {
      process.stderr.write(`polaron: INTERNAL: ${String(error)}. Is the installation whole?\n`);
      process.exitCode = 1;
    });
}
