#!/bin/sh
# Builds llama.cpp's own llama-quantize, llama-bench, llama-server and llama-imatrix into native/build/tools, on the
# libraries that build.sh made and with the same flags: what differs from Murmuration is not the kernels. Takes the
# variables that build.sh takes. Nothing of Murmuration needs these programs; comparisons do.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build="$root/native/build"
# shellcheck source=functions.sh
. "$root/native/functions.sh"
"$root/native/build.sh"
take_lock "$build/lock" native || { echo "native: cannot write into $build; build as a user who can" >&2; exit 1; }
trap 'rm -rf "$build/lock"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
work="$build/$(cat "$build/current.variant")"
log="$work/tools.log"
if [ ! -f "$work/CMakeCache.txt" ]; then
  echo "native: $work was removed; remove $build/current.key as well, and run this again" >&2
  exit 1
fi
echo "native: building llama.cpp's programs; a few minutes the first time" >&2
{ cmake -DMURMUR_TOOLS=ON "$work" &&
  cmake --build "$work" --target tools --parallel "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)"; } > "$log" 2>&1 ||
  { tail -n 25 "$log" >&2; echo "native: the build failed (all of it: $log)" >&2; exit 1; }
rm -rf "$build/tools"
cp -R "$work/tools" "$build/tools"
echo "native: done: $build/tools" >&2
