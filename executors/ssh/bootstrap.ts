/**
 * The first steps on a host that may have nothing of ours: a shell looks for Node.js, that takes the carried program unless this version is there, and runs it (host-main.ts).
 * A version's folder is written under another name, flushed and renamed, so that it is whole or not there. Not here: the connection (ssh-connection.ts).
 */
import type { RemoteProgram } from '../remote/remote-program.ts';
import { shellWord } from './ssh-command.ts';

export interface BootstrapOptions {
  readonly nonce: string;
  /** '': looked for. */
  readonly node: string;
  /** '': the user's cache folder. */
  readonly folder: string;
  readonly agent: string;
  readonly boot: number;
  readonly way: string;
  readonly leaseMs: number;
  readonly version: string;
}

/** Without single quotes, exclamation marks and line breaks: it passes through whatever shell the user has over there. */
const FIND_NODE = [
  'n="$1"; b="$2"; k="$3"; shift 3; p="$n"',
  'if [ -z "$n" ]; then n=$(command -v node) || n=$("${SHELL:-/bin/sh}" -lc "command -v node" 2>/dev/null </dev/null | tail -n 1); fi',
  'if [ -z "$n" ]; then w="it has no node in its PATH, nor in that of its login shell"; elif "$n" -e 0 >/dev/null 2>&1; then w=; else w="$n can not be run"; fi',
  'if [ -n "$w" ]; then printf "\\npolaron:%s:fail {\\"code\\":\\"SSH_NO_NODE\\",\\"message\\":\\"%s\\"}\\n" "$k" "$w"; exit 3; fi',
  'exec "$n" -e "$b" -- "$k" "$@"',
].join('; ');

/** Runs in the host's Node.js, of whatever version: plain, old words. */
const TAKE_PROGRAM = `
const fs = require("fs"), path = require("path"), os = require("os");
const [nonce, version, folder, agent, boot, way, lease] = process.argv.slice(1);
const say = (word, about) => fs.writeSync(1, "\\npolaron:" + nonce + ":" + word + " " + JSON.stringify(about) + "\\n");
const fail = (error) => {
  say("fail", { code: error.polaron || (/ENOSPC|EDQUOT/.test(error.code) ? "DISK_FULL" : "EXECUTOR_FAILED"), message: error.message });
  process.exit(3);
};
process.on("uncaughtException", fail);
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19))
  fail({ polaron: "SSH_NO_NODE", message: process.execPath + " is Node.js " + process.versions.node + "; 20.19 or newer is needed" });
const base = folder || path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "polaron");
const dir = path.join(base, "program-" + version);
const script = path.join(dir, "ssh.cjs");
const run = () => {
  process.argv = [process.execPath, script, "relay", nonce, base, agent, boot, way, lease, version];
  process.removeListener("uncaughtException", fail);
  require(script);
};
const flush = (name) => {
  const fd = fs.openSync(name, "r");
  try { fs.fsyncSync(fd); } finally { fs.closeSync(fd); }
};
const keep = (files, at) => {
  const fresh = dir + "." + process.pid;
  fs.mkdirSync(base, { recursive: true, mode: 0o700 });
  try {
    for (const { name, bytes } of files) {
      const file = path.join(fresh, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, at.subarray(0, bytes));
      flush(file);
      at = at.subarray(bytes);
    }
    try { fs.renameSync(fresh, dir); } catch (error) { if (fs.existsSync(script) === false) throw error; }
    flush(base);
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
  }
};
if (fs.existsSync(script)) run();
else {
  say("need", {});
  const parts = [];
  const gone = () => process.exit(3);
  const take = (part) => {
    parts.push(part);
    const all = Buffer.concat(parts);
    const end = all.indexOf(10);
    if (end === -1) return;
    const files = JSON.parse(all.toString("utf8", 0, end));
    const whole = end + 1 + files.reduce((sum, { bytes }) => sum + bytes, 0);
    if (all.length < whole) return;
    process.stdin.removeListener("data", take);
    process.stdin.removeListener("end", gone);
    process.stdin.pause();
    keep(files, all.subarray(end + 1, whole));
    run();
  };
  process.stdin.on("data", take);
  process.stdin.on("end", gone);
}`;

/** The command line for the host. */
export function bootstrapCommand(options: BootstrapOptions): string {
  const { nonce, node, folder, agent, boot, way, leaseMs, version } = options;
  const code = TAKE_PROGRAM.replaceAll(/\n\s*/g, ' ').trim();
  const words = [FIND_NODE, 'sh', node, code, nonce, version, folder, agent, String(boot), way, String(leaseMs)];
  return `exec /bin/sh -c ${words.map(shellWord).join(' ')}`;
}

/** What is sent when the host says `need`. */
export function bootstrapProgram({ files }: RemoteProgram): Buffer {
  const head = JSON.stringify(files.map(({ name, content }) => ({ name, bytes: content.length })));
  return Buffer.concat([Buffer.from(`${head}\n`), ...files.map(({ content }) => content)]);
}
