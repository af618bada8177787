#!/usr/bin/env bash
# The packed tarball in an empty project, as a user has it: 20 lines under tsx dispatch and end by themselves, `npx polaron result` prints the value, the types hold.
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
for wanted in package/LICENSE package/README.md package/dist/sdk/index.js package/dist/sdk/index.d.ts package/dist/cli/main.cjs; do
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
import { dispatch, electron, lattice } from 'polaron';

const fetchNumbers = electron(async function fetchNumbers(count: number): Promise<number[]> {
  return Array.from({ length: count }, (_, index) => index + 1);
});

const square = electron(function square(value: number): number {
  return value * value;
});

const add = electron(function add(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
});

const sumOfSquares = lattice(function sumOfSquares(count: number) {
  return add(fetchNumbers(count).map(square));
});

console.log(await dispatch(sumOfSquares)(10));
TS
npx tsc --noEmit --strict --module nodenext --target es2022 --types node script.ts
npx polaron start --detach
id=$(timeout 30 npx tsx script.ts)
echo "dispatched $id"
value=$(timeout 60 npx polaron result "$id" --wait)
echo "value: $value"
grep -qx 385 <<<"$value"
npx polaron stop
