#!/usr/bin/env bash
# test-all-but.sh FOLDER-OR-FILE… -- LEFT-OUT…: `npm test` of the test files below the first, without the second (files or folders). What is left out and isn't there is an error: such a list must not grow stale.
# Not responsible for why something may be left out: who calls it says that.
set -euo pipefail
cd "$(dirname "$0")/.."
places=()
while [ "$1" != -- ]; do
  places+=("$1")
  shift
done
shift
for path in "$@"; do
  [ -e "$path" ] || {
    echo "to be left out, but not there: $path"
    exit 1
  }
done
mapfile -t files < <(find "${places[@]}" -name '*.test.ts' | sort)
kept=()
for file in "${files[@]}"; do
  for path in "$@"; do
    case "$file" in "$path" | "$path"/*) continue 2 ;; esac
  done
  kept+=("$file")
done
printf '%d of %d test files\n' "${#kept[@]}" "${#files[@]}"
exec node scripts/test.mjs "${kept[@]}"
