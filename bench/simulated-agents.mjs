/**
 * Many agents in one process, as far as a hub can tell: each has a connection, an identity and a name of its own, syncs each heartbeat, takes what it is given and answers at once that
 * it gave 0. No runners, no state on disk. Forked by many-agents.ts; takes the protocol from the build, since the package offers it to nobody.
 *
 *     node bench/simulated-agents.mjs   then one message { url, secret?, prefix, first, count, heartbeatMs }
 */
import { decodeBody, decodeEnvelope, encodeEnvelope } from '../dist/bus/codec.js';
import { credentialsFor } from '../dist/bus/credentials.js';
import { agentIdentity } from '../dist/bus/identity.js';
import { connectNats } from '../dist/bus/nats-bus.js';
import { parseAssign, parseDoneReply, parseSyncReply } from '../dist/bus/protocol/wire-agent.js';
import { makeSubjects } from '../dist/bus/subjects.js';
import { digestOf } from '../dist/bus/value/digest.js';
import { encodeValue } from '../dist/bus/value/value.js';

const site = 'sim';
const subjects = makeSubjects();
const bytes = encodeValue(0, 'a value');
const value = { digest: digestOf(bytes), size: bytes.byteLength };
const AT_ONCE = 20;

process.once('disconnect', () => process.exit(0));

class SimulatedAgent {
  #seq = 0;
  #hub = 0;
  #history = '';
  #seen = 0;
  /** Numbers of assigns above the first that is missing. */
  #above = new Set();
  #run = new Map();
  #finished = [];

  constructor(bus, by, name) {
    this.bus = bus;
    this.by = by;
    this.name = name;
    bus.subscribe(subjects.down(site, name, 'assign'), (message) => {
      const assign = parseAssign(decodeBody(decodeEnvelope(message.data).body));
      this.#meet(assign.hub);
      message.respond(encodeEnvelope(by, { refused: [] }));
      if (assign.n <= this.#seen || this.#above.has(assign.n)) return;
      this.#above.add(assign.n);
      while (this.#above.delete(this.#seen + 1)) this.#seen++;
      const now = Date.now();
      for (const { task, token, inputsDigest } of assign.tasks) {
        this.#run.set(task, { task, token, inputsDigest, state: 'done', startedAt: now });
        const outcome = { status: 'completed', value, bytes, usage: { startedAt: now, endedAt: now } };
        if (this.#finished.push({ task, token, inputsDigest, outcome }) === 1) setImmediate(() => void this.#report());
      }
    });
  }

  #meet(hub) {
    if (hub <= this.#hub) return;
    this.#hub = hub;
    this.#seen = 0;
    this.#above.clear();
  }

  async #report() {
    const outcomes = this.#finished;
    this.#finished = [];
    const reply = parseDoneReply(await this.#ask('done', { epoch: 1, outcomes }, 30_000));
    if (!('all' in reply) || (reply.all !== 'committed' && reply.all !== 'duplicate'))
      throw new Error(`unexpected verdict ${JSON.stringify(reply)}`);
    for (const { task } of outcomes) this.#run.delete(task);
  }

  async sync() {
    const reply = parseSyncReply(
      await this.#ask('sync', {
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
        run: [...this.#run.values()],
        sentAt: Date.now(),
        load: 0,
      }),
    );
    if (reply.type !== 'ok') throw new Error(`agent ${this.name} was answered ${reply.type}`);
    this.#meet(reply.hub);
    this.#history = reply.history;
  }

  async #ask(kind, body, timeoutMs = 10_000) {
    const reply = await this.bus.request(subjects.up(site, this.name, kind), encodeEnvelope(this.by, body), {
      timeoutMs,
    });
    return decodeBody(decodeEnvelope(reply.data).body);
  }
}

async function join({ url, secret }, name) {
  const by = agentIdentity(site, name);
  const login = secret === undefined ? {} : credentialsFor(secret, by);
  const bus = await connectNats({
    servers: url,
    name: by,
    identity: by,
    log: (level, message, fields) =>
      level !== 'info' && process.stderr.write(`${name}: ${message} ${JSON.stringify(fields ?? {})}\n`),
    ...login,
  });
  const agent = new SimulatedAgent(bus, by, name);
  await agent.sync();
  return agent;
}

async function begin(settings) {
  const { prefix, first, count, heartbeatMs } = settings;
  const names = Array.from({ length: count }, (_, n) => `${prefix}${first + n}`);
  const agents = [];
  for (let at = 0; at < count; at += AT_ONCE)
    agents.push(...(await Promise.all(names.slice(at, at + AT_ONCE).map((name) => join(settings, name)))));
  agents.forEach((agent, n) =>
    setTimeout(() => setInterval(() => void agent.sync(), heartbeatMs), (heartbeatMs * n) / count),
  );
  process.send('joined');
}

process.once('message', (settings) => void begin(settings));
