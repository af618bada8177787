/**
 * Says in one line that this Node or this platform won't do, before anything else can fail in a stranger way. Plain syntax on
 * purpose: an old Node has to be able to parse it. Not responsible for what is installed.
 */

/** The complaint, or undefined when `version` (as in process.versions.node) on `platform` is supported. */
export function unsupported(version, platform) {
  const parts = version.split('.');
  const major = Number(parts[0]);
  const minor = Number(parts[1]);
  const old = major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12);
  if (old) return `Polaron needs Node 20.19 or newer (of the 22 line, 22.12 or newer); this is Node ${version}.`;
  if (platform !== 'linux' && platform !== 'darwin') {
    return `Polaron runs on Linux and macOS; this is ${platform}. On Windows, use WSL.`;
  }
  return undefined;
}

/** Ends the process with a clear line when it can't work here. */
export function requireSupported() {
  const complaint = unsupported(process.versions.node, process.platform);
  if (complaint === undefined) return;
  process.stderr.write(`${complaint}\n`);
  process.exit(1);
}
