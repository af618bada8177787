/** What ssh says when it can't connect, as one of our codes. Its words are those of OpenSSH in the C locale. Pure. */
import type { ErrorInfo } from '../../model/outcome.ts';

const HOST_KEY =
  /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No \S+ host key is known for|host key .*(?:revoked|differs)|key_verify failed|no matching host key type/i;
const AUTH =
  /Permission denied|Too many authentication failures|No supported authentication methods|Authentication failed|UNPROTECTED PRIVATE KEY|invalid privat|Load key .*(?:invalid|error|bad)|incorrect signature/i;
const NAME = /Could not resolve hostname/i;

/** `stderr`: all that ssh said. `place`: `host gpu1`. */
export function sshFailure(place: string, stderr: string): ErrorInfo {
  const said = lastWords(stderr);
  if (HOST_KEY.test(stderr)) {
    return {
      code: 'SSH_HOST_KEY',
      message: `${place}: its host key isn't the known one, or none is known (${said}); compare its fingerprint, then put it into the known_hosts file`,
    };
  }
  if (AUTH.test(stderr))
    return {
      code: 'SSH_AUTH',
      message: `${place}: it doesn't let this agent in (${said}); no question can be asked here`,
    };
  const why = NAME.test(stderr) ? 'its name is unknown' : "it can't be reached";
  return { code: 'SSH_UNREACHABLE', message: `${place}: ${why} (${said})` };
}

/** The line that tells most: the last that isn't about the connection's end. */
function lastWords(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^@+$/.test(line));
  const telling = lines.filter(
    (line) => !/^(Connection closed by|kex_exchange_identification|banner exchange)/.test(line),
  );
  return (telling.at(-1) ?? lines.at(-1) ?? 'ssh ended without a word').slice(0, 300);
}
