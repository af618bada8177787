/** The mutations of docs/guarantees.md, which a test holds equal to this list. */
import type { Mutation } from './mutation.ts';

export const mutations: readonly Mutation[] = [
  {
    id: 'fencing-token-ignored',
    breaks: 'an outcome counts whatever its token',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/electron/electron.ts',
        from: '    if (!ours || !at.isCurrent(message.token)) {',
        to: '    if (!ours || at.token === undefined) {',
      },
    ],
  },
  {
    id: 'inputs-digest-ignored',
    breaks: 'an outcome counts, and is adopted, whatever inputs it was made from',
    // a parent's outcome and its agent are lost, the child's agent is not, and the parent gives another value
    caughtBy: 'simulate',
    seeds: 2_000,
    edits: [
      {
        file: 'actors/electron/electron.ts',
        from: '    const ours = message.agent === at.agent && message.inputsDigest === this.#work.inputsDigest;',
        to: '    const ours = message.agent === at.agent;',
      },
      {
        file: 'actors/electron/electron.ts',
        from: 'const wanted = inputsDigest === this.#work.inputsDigest && at.isUnrecorded',
        to: "const wanted = inputsDigest !== '' && at.isUnrecorded",
      },
      {
        file: 'actors/lattice/supervisor.ts',
        from: '        return work?.inputsDigest === inputsDigest && this.#state?.assigned(node) === true && this.#spawn(work);',
        to: "        return work !== undefined && inputsDigest !== '' && this.#state?.assigned(node) === true && this.#spawn(work);",
      },
    ],
  },
  {
    id: 'digest-unchecked',
    breaks: 'bytes of an outcome are not compared with their digest',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/electron/electron.ts',
        from: "    else if (digestOf(outcome.bytes) !== outcome.value.digest) this.#judge(message, 'missing', false);\n",
        to: '',
      },
    ],
  },
  {
    id: 'committed-before-the-flush',
    breaks: 'an agent is told `committed` before the record is on disk',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/electron/electron.ts',
        from: '    this.#s.results.afterFlush(() => {\n      if (strict)',
        to: "    if (reported !== undefined) this.#judge(reported, 'committed', true);\n    this.#s.results.afterFlush(() => {\n      if (strict)",
      },
    ],
  },
  {
    id: 'duplicate-before-the-flush',
    breaks: 'an agent is told `duplicate` of a record that is not on disk yet',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/results/manager.ts',
        from: '    const record = this.#queries.electron(id, node);\n    await this.#o.store.write([]);\n',
        to: '    const record = this.#queries.electron(id, node);\n',
      },
    ],
  },
  {
    id: 'strict-not-awaited',
    breaks: 'a strict lattice goes on before the flush',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/electron/electron.ts',
        from: '    if (!strict) this.#s.system.send(this.#s.supervisor, ended, this.#self);',
        to: '    this.#s.system.send(this.#s.supervisor, ended, this.#self);',
      },
    ],
  },
  {
    id: 'epoch-not-raised',
    breaks: 'a restarted hub gives out the tokens of its earlier life again',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'host/hub-core.ts',
        from: 'epoch.value = Math.max(live.epoch + 1, clock.now());',
        to: 'epoch.value = Math.max(live.epoch, 1);',
      },
    ],
  },
  {
    id: 'adoption-dropped',
    breaks: 'what an agent still has of an attempt without a record is not adopted (H8)',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/matchmaker/agent-state.ts',
        from: 'const claim = ours && token[0] < hub &&',
        to: 'const claim = !ours && token[0] < hub &&',
      },
    ],
  },
  {
    id: 'keys-open-at-once',
    breaks: 'a restarted hub gives keys out before all agents have told what they have',
    caughtBy: 'simulate',
    seeds: 2_000,
    edits: [
      { file: 'actors/matchmaker/roster.ts', from: 'this.#keys.closed = true;', to: 'this.#keys.closed = false;' },
    ],
  },
  {
    id: 'exclusive-runs-on',
    breaks: 'an exclusive electron runs on after the lease of its agent (A3)',
    caughtBy: 'simulate',
    seeds: 2_000,
    edits: [{ file: 'executors/agent/fuse.ts', from: 'SHARE_PERCENT = 85', to: 'SHARE_PERCENT = 300' }],
  },
  {
    id: 'restart-waits-for-nobody',
    breaks: 'a restarted hub gives out what is ready before all agents have told what they have (H8)',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/lattice/supervisor.ts',
        from: 'this.#orders?.requests(nodes, this.#resumed)',
        to: 'this.#orders?.requests(nodes, false)',
      },
    ],
  },
  {
    id: 'lease-renewed-by-any-message',
    breaks: 'a report renews the lease, not a sync alone (H5)',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/matchmaker/agent-state.ts',
        from: '  deaf(): void {',
        to: '  renew(now: number): void {\n    this.#lastAt = now;\n  }\n  deaf(): void {',
      },
      {
        file: 'actors/matchmaker/matchmaker.ts',
        from: '    const agent = this.#agents.get(key);\n    for (const { task, token, inputsDigest',
        to: '    const agent = this.#agents.get(key);\n    agent?.renew(this.#o.clock.monotonic());\n    for (const { task, token, inputsDigest',
      },
    ],
  },
  {
    id: 'spool-forgotten',
    breaks: 'an agent forgets its spool when it starts again',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'executors/agent/spool.ts',
        from: '    this.#bytes = this.#read(data);',
        to: '    this.#bytes = 0;',
      },
    ],
  },
  {
    id: 'late-outcome-used',
    breaks: 'an outcome that comes after the cancel is committed (H10)',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/electron/electron.ts',
        from: "    if (this.#status === 'cancelling') {\n      this.#stopped(message.token, true, message.outcome.logs);\n      this.#judge(message, 'stale', true);\n      return;\n    }\n",
        to: "    if (this.#status === 'cancelling' && message.outcome.status !== 'cancelled') this.#status = 'running';\n    if (this.#status === 'cancelling') {\n      this.#stopped(message.token, true, message.outcome.logs);\n      this.#judge(message, 'stale', true);\n      return;\n    }\n",
      },
    ],
  },
  {
    id: 'event-before-the-flush',
    breaks: 'an end is published before its record is on disk',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/electron/electron.ts',
        from: '    this.#s.results.afterFlush(() => {\n      if (strict)',
        to: '    this.#journal.ended(status, seq, this.#at.agent, this.#at.number, o.error);\n    this.#s.results.afterFlush(() => {\n      if (strict)',
      },
    ],
  },
  {
    id: 'failures-forgotten',
    breaks: 'a restarted hub counts failures from 0 again',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/electron/attempts.ts',
        from: 'this.failures = restored?.failures ?? 0;',
        to: 'this.failures = 0;',
      },
    ],
  },
  {
    id: 'inner-id-not-kept',
    breaks: 'a lattice that begins again inside a restarted dispatch gets another id',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/lattice/inner.ts',
        from: '  readonly #o: InnerOptions;\n',
        to: "  readonly #o: InnerOptions;\n  #attempt = '';\n",
      },
      {
        file: 'actors/lattice/inner.ts',
        from: '  resume(): void {\n',
        to: "  resume(): void {\n    this.#attempt = 'again';\n",
      },
      {
        file: 'actors/lattice/inner.ts',
        from: 'return innerIdOf(spec.id, state.plan.pathOf(node));',
        to: 'return innerIdOf(spec.id, `${state.plan.pathOf(node)}${this.#attempt}`);',
      },
    ],
  },
  {
    id: 'inner-before-the-flush',
    breaks: 'a lattice inside gives out its electrons before it is on disk',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/dispatcher/dispatcher.ts',
        from: 'this.#beginnings.inside(spec, graph);',
        to: 'this.#beginnings.accepted(spec, graph);',
      },
    ],
  },
  {
    id: 'inner-not-asked-for',
    breaks: 'a dispatch that begins again does not ask whether the lattices inside have ended',
    caughtBy: 'simulate',
    edits: [{ file: 'actors/lattice/supervisor.ts', from: '    this.#inner?.resume();\n', to: '' }],
  },
  {
    id: 'cancel-stays-outside',
    breaks: 'a cancel does not reach the lattices inside',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/lattice/supervisor.ts',
        from: 'this.#inner?.leave(node, reason)',
        to: 'undefined',
      },
    ],
  },
  {
    id: 'reuse-whatever-the-inputs',
    breaks: 'a value is taken over though an input is another',
    caughtBy: 'simulate',
    edits: [{ file: 'bus/reuse-key.ts', from: '      made += digest;\n', to: '' }],
  },
  {
    id: 'reuse-whatever-the-code',
    breaks: "a value is taken over though the electron's code is another",
    caughtBy: 'simulate',
    edits: [
      {
        file: 'bus/reuse-key.ts',
        from: "    digest: name === IDENTITY_ELECTRON ? '' : (code ?? bundle?.digest ?? ''),",
        to: "    digest: '',",
      },
    ],
  },
  {
    id: 'reuse-stays-outside',
    breaks: 'values of the lattices inside an old dispatch are not taken over',
    caughtBy: 'simulate',
    edits: [
      {
        file: 'actors/lattice/reuse-table.ts',
        from: 'left.push(...(await addTo(',
        to: 'left.slice(0, 0).push(...(await addTo(',
      },
    ],
  },
];
