#!/usr/bin/env bash
# The packed tarball in an empty project, as a user has it: 20 lines under tsx, a lepton in Python among them, dispatch and end by themselves, `npx polaron result` prints the value, the types hold.
set -euo pipefail
top=$(git rev-parse --show-toplevel)
work=$(mktemp -d /tmp/polaron-package.XXXXXX)
export HOME=$work/home
unset POLARON_HOME POLARON_URL
mkdir "$HOME" "$work/project"
cleanup() {
  (cd "$work/project" && npx polaron stop >/dev/null 2>&1) || true
  rm -rf "$work"
}
trap cleanup EXIT
tarball=$work/$(cd "$top" && npm pack --silent --pack-destination "$work" | tail -n 1)
# Lists go through files: `grep -q` ends a pipe early, which pipefail takes for a failure.
tar -tzf "$tarball" >"$work/files"
wc -l <"$work/files"
for wanted in package/LICENSE package/README.md package/dist/sdk/index.js package/dist/sdk/index.d.ts package/dist/cli/main.cjs package/dist/leptons/python/polaron_lepton.py; do
  grep -qx "$wanted" "$work/files" || {
    echo "the tarball lacks $wanted"
    exit 1
  }
done
if grep -E '^package/(test|bench|scripts|\.ci|node_modules)/' "$work/files"; then
  echo 'the tarball holds what users have no use for'
  exit 1
fi

cd "$work/project"
cp "$top/.npmrc" .
typescript=$(node -p "require('$top/package.json').devDependencies.typescript")
npm init -y >/dev/null
npm pkg set type=module >/dev/null
npm install --no-audit --no-fund "$tarball" tsx "typescript@$typescript" @types/node >"$work/npm.log" 2>&1 || {
  cat "$work/npm.log"
  exit 1
}
cat >script.ts <<'TS'
import { dispatch, electron, lattice, lepton } from 'polaron';

const fetchNumbers = electron(async function fetchNumbers(count: number): Promise<number[]> {
  return Array.from({ length: count }, (_, index) => index + 1);
});

const square = lepton<[value: number], number>({
  name: 'square',
  language: 'python',
  source: './square.py',
  function: 'square',
});

const add = electron(function add(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
});

const sumOfSquares = lattice(function sumOfSquares(count: number) {
  return add(fetchNumbers(count).map(square));
});

console.log(await dispatch(sumOfSquares)(10));
TS
printf 'def square(value):\n    return value * value\n' >square.py
cat >retries.test.ts <<'TS'
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { electron, lattice } from 'polaron';
import { createTestHub, graphOf } from 'polaron/testing';

const wait = electron({ retries: { max: 40, delay: '1d', maxDelay: '1d', jitter: 0 } }, function wait(): string {
  return 'never called';
});
const month = lattice(function month() {
  return wait();
});

test('a test moves the clock of its own hub', async () => {
  const hub = await createTestHub();
  const waits = hub.mock(wait, () => {
    if (waits.calls.length <= 30) throw new Error('not yet');
    return 'a month later';
  });
  assert.equal(await hub.client.getValue(await hub.dispatch(month)()), 'a month later');
  assert.deepEqual(hub.clock.now(), new Date('2026-01-31T00:00:00Z'));
  await hub.stop();
});
test('a graph is looked at without a hub', () => graphOf(month).assertCounts({ wait: 1 }));
TS
npx tsc --noEmit --strict --module nodenext --target es2022 --types node script.ts retries.test.ts
timeout 60 node --import tsx --test retries.test.ts
npx polaron start --detach
id=$(timeout 30 npx tsx script.ts)
echo "dispatched $id"
value=$(timeout 60 npx polaron result "$id" --wait)
echo "value: $value"
grep -qx 385 <<<"$value"
npx polaron stop
