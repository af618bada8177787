/**
 * Many agents in one process, as far as a hub can tell: each has a connection, an identity and a name of its own, syncs each heartbeat, takes what it is given and answers at once that
 * it gave 0. No runners, no state on disk, no NATS library: they share the machine with the hub, so they do what the protocol asks for and nothing more. Forked by many-agents.ts;
 * takes the codec from the build, since the package offers it to nobody.
 *
 *     node bench/simulated-agents.mjs   then one message { url, secret?, prefix, first, count, heartbeatMs }
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../dist/bus/codec.js';
import { credentialsFor } from '../dist/bus/credentials.js';
import { agentIdentity } from '../dist/bus/identity.js';
import { makeSubjects } from '../dist/bus/subjects.js';
import { digestOf } from '../dist/bus/value/digest.js';
import { encodeValue } from '../dist/bus/value/value.js';

const site = 'sim';
const subjects = makeSubjects();
const bytes = encodeValue(0, 'a value');
const value = { digest: digestOf(bytes), size: bytes.byteLength };
const AT_ONCE = 20;
const LINE_END = 13;
const nothing = Buffer.alloc(0);
/** All sockets are read into this one. */
const shared = Buffer.allocUnsafe(256 * 1_024);
const end = Buffer.from('\r\n');

const doneEntry = ({ task, token, inputsDigest, outcome }) => ({
  task,
  token,
  inputsDigest,
  state: 'done',
  startedAt: outcome.usage.startedAt,
});

process.once('disconnect', () => process.exit(0));

/** One connection to a NATS server: what is published while a chunk is read goes out in one write. */
class Line {
  opened;
  #socket;
  #hear;
  #rest = nothing;
  #out = [];
  #reading = false;

  /** `hear(subject, reply, payload)`: the payload is gone when it returns. */
  constructor({ host, port }, hear) {
    this.#hear = hear;
    const callback = (bytes) => {
      this.#read(shared.subarray(0, bytes));
      return true;
    };
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer: shared, callback } });
    this.opened = once(this.#socket, 'connect');
    // without its agents the figure would be another
    this.#socket.on('close', () => process.exit(1));
  }

  send(text, payload) {
    this.#out.push(Buffer.from(text, 'latin1'));
    if (payload !== undefined) this.#out.push(payload, end);
    if (!this.#reading) this.#write();
  }

  publish(subject, reply, payload) {
    this.send(`PUB ${subject} ${reply}${payload.length}\r\n`, payload);
  }

  #write() {
    if (this.#out.length === 0) return;
    this.#socket.write(Buffer.concat(this.#out));
    this.#out = [];
  }

  #read(chunk) {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#reading = true;
    let at = 0;
    for (;;) {
      const eol = data.indexOf(LINE_END, at);
      if (eol < 0 || eol + 1 >= data.length) break;
      const [verb, subject, , ...more] = data.latin1Slice(at, eol).split(' ');
      let next = eol + 2;
      if (verb === 'MSG') {
        const size = Number(more.at(-1));
        next += size + 2;
        if (next > data.length) break;
        this.#hear(subject, more.length > 1 ? more[0] : undefined, data.subarray(eol + 2, eol + 2 + size));
      } else if (verb === 'PING') this.send('PONG\r\n');
      else if (verb === 'HMSG' || verb === '-ERR') throw new Error(data.latin1Slice(at, eol));
      at = next;
    }
    this.#rest = at === data.length ? nothing : Buffer.from(data.subarray(at));
    this.#reading = false;
    this.#write();
  }
}

class SimulatedAgent {
  #seq = 0;
  #hub = 0;
  #history = '';
  #seen = 0;
  /** Numbers of assigns above the first that is missing. */
  #above = new Set();
  /** Reports of what it has done that the hub hasn't answered, by the subject of the answer. */
  #reported = new Map();
  #reports = 0;
  #joined;

  constructor(server, by, name) {
    this.by = by;
    this.name = name;
    this.taken = encodeEnvelope(by, { refused: [] }).slice();
    this.inbox = `_INBOX.${by}.x.`;
    this.down = subjects.down(site, name, 'assign');
    this.up = { sync: subjects.up(site, name, 'sync'), done: subjects.up(site, name, 'done') };
    this.line = new Line(server, (subject, reply, payload) => this.#hear(subject, reply, payload));
  }

  /** Resolves with the first answer to a sync. */
  async join({ user, password: pass }) {
    await this.line.opened;
    const hello = {
      verbose: false,
      pedantic: false,
      headers: true,
      no_responders: true,
      lang: 'simulated',
      user,
      pass,
    };
    this.line.send(`CONNECT ${JSON.stringify(hello)}\r\nSUB ${this.inbox}* 1\r\nSUB ${this.down} 2\r\n`);
    const joined = new Promise((resolve) => (this.#joined = resolve));
    this.sync();
    await joined;
  }

  #hear(subject, reply, payload) {
    const body = decodeBody(decodeEnvelope(payload).body);
    if (subject === this.down) this.#assign(body, reply);
    else if (subject === `${this.inbox}sync`) this.#synced(body);
    else this.#judged(subject, body);
  }

  #assign({ hub, n, tasks }, reply) {
    this.#meet(hub);
    this.line.publish(reply, '', this.taken);
    if (n <= this.#seen || this.#above.has(n)) return;
    this.#above.add(n);
    while (this.#above.delete(this.#seen + 1)) this.#seen++;
    const now = Date.now();
    const outcome = { status: 'completed', value, bytes, usage: { startedAt: now, endedAt: now } };
    const outcomes = tasks.map(({ task, token, inputsDigest }) => ({ task, token, inputsDigest, outcome }));
    const answer = `${this.inbox}${this.#reports++}`;
    this.#reported.set(answer, outcomes);
    this.line.publish(this.up.done, `${answer} `, encodeEnvelope(this.by, { epoch: 1, outcomes }));
  }

  #judged(subject, { all }) {
    if (all !== 'committed' && all !== 'duplicate') throw new Error(`agent ${this.name}: unexpected verdict ${all}`);
    this.#reported.delete(subject);
  }

  #synced({ type, hub, history }) {
    if (type !== 'ok') throw new Error(`agent ${this.name} was answered ${type}`);
    this.#meet(hub);
    this.#history = history;
    this.#joined();
  }

  #meet(hub) {
    if (hub <= this.#hub) return;
    this.#hub = hub;
    this.#seen = 0;
    this.#above.clear();
  }

  sync() {
    const sync = {
      epoch: 1,
      seq: ++this.#seq,
      seen: this.#seen,
      hub: this.#hub,
      history: this.#history,
      slots: 1,
      free: 1,
      queue: 1_024,
      capabilities: ['process', 'sim'],
      host: 'simulated',
      pid: process.pid,
      version: '0.0.0',
      draining: false,
      instance: `${this.name}.boot`,
      run: [...this.#reported.values()].flat().map(doneEntry),
      sentAt: Date.now(),
      load: 0,
    };
    this.line.publish(this.up.sync, `${this.inbox}sync `, encodeEnvelope(this.by, sync));
  }
}

async function join({ url, secret }, name) {
  const by = agentIdentity(site, name);
  const { hostname, port } = new URL(url);
  const agent = new SimulatedAgent({ host: hostname, port: Number(port) }, by, name);
  await agent.join(secret === undefined ? {} : credentialsFor(secret, by));
  return agent;
}

async function begin(settings) {
  const { prefix, first, count, heartbeatMs } = settings;
  const names = Array.from({ length: count }, (_, n) => `${prefix}${first + n}`);
  const agents = [];
  for (let at = 0; at < count; at += AT_ONCE)
    agents.push(...(await Promise.all(names.slice(at, at + AT_ONCE).map((name) => join(settings, name)))));
  agents.forEach((agent, n) =>
    setTimeout(() => setInterval(() => agent.sync(), heartbeatMs), (heartbeatMs * n) / count),
  );
  process.send('joined');
}

process.once('message', (settings) => void begin(settings));
