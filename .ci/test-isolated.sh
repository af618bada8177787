#!/usr/bin/env bash
# test-isolated.sh: whole systems again, with the result manager in a process of its own: all that it stores, answers and recovers.
# Left out is what is between agents and their machines, or between agents and the bus: the hub has the same conversation with them wherever its result manager is, and `npm test` has run it.
# What an isolated result manager's own death does is in test/e2e/isolated.test.ts, also in `npm test`.
set -euo pipefail
left_out=(
  # programs, packages, images and other languages on the agent's side
  test/e2e/agent-image.test.ts test/e2e/custom-executors.test.ts test/e2e/deps.test.ts test/e2e/deps-registry.test.ts test/e2e/hooks.test.ts
  test/e2e/language-executors.test.ts test/e2e/leptons-c.test.ts test/e2e/leptons-python.test.ts test/e2e/leptons-shell.test.ts test/e2e/slurm-pilots.test.ts test/e2e/ssh.test.ts
  # an agent's life and the wires to it
  test/e2e/agent-life.test.ts test/e2e/agent-loss.test.ts test/e2e/cluster.test.ts test/e2e/invited.test.ts test/e2e/sites.test.ts test/e2e/slow-link.test.ts
)
export POLARON_TEST_ISOLATE=1
exec bash "$(dirname "$0")/test-all-but.sh" test/e2e test/examples/on-a-hub.test.ts test/docs/readme.test.ts -- "${left_out[@]}"
