#!/bin/sh
# Tries our C++ kernels with random cases, under AddressSanitizer with UndefinedBehaviorSanitizer, then under ThreadSanitizer.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<'END'
Usage: native/check.sh [CASES [SEED]]

Builds the programs in src/test/native below target/ and runs them under
AddressSanitizer with UndefinedBehaviorSanitizer, then under ThreadSanitizer:
for this processor, and on x86 for AVX2, which it must have, and AMX and
AVX-VNNI, which are emulated.
The first failure ends it, with what the program said and status 1.

  CASES   random cases that each program tries (default: 1000)
  SEED    a number that makes them (default: 20261126)

MURMUR_CHECK=address or thread does one of the two only; MURMUR_TEST=PATTERN
those tests only whose names match, such as avx2.
END
}

case "${1:-}" in -h|--help) usage; exit 0 ;; esac
cases=${1:-1000}
seed=${2:-20261126}
for number in "$cases" "$seed"; do
  case "$number" in ''|*[!0-9]*) echo "check.sh: '$number' is not a whole number; see native/check.sh --help" >&2; exit 2 ;; esac
done
[ $# -le 2 ] || { echo "check.sh: too many arguments ($#, at most 2); see native/check.sh --help" >&2; exit 2; }
checks=${MURMUR_CHECK:-address thread}

"$root/native/build.sh"
for check in $checks; do
  case "$check" in
    address) sanitizers=address,undefined ;;
    thread) sanitizers=thread ;;
    *) echo "check.sh: MURMUR_CHECK=$check is neither address nor thread" >&2; exit 2 ;;
  esac
  build="$root/target/native-tests-$check"
  mkdir -p "$build"
  if ! { cmake -S "$root/src/test/native" -B "$build" -DMURMUR_SANITIZERS="$sanitizers" -DMURMUR_CASES="$cases" \
    -DMURMUR_SEED="$seed" ${LLAMA_CPP_DIR:+"-DLLAMA_CPP_DIR=$LLAMA_CPP_DIR"} &&
    cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)"; } > "$build/build.log" 2>&1; then
    tail -n 25 "$build/build.log" >&2
    echo "check.sh: the tests could not be built (all of it: $build/build.log)" >&2
    exit 1
  fi
  echo "check.sh: $sanitizers, $cases cases, seed $seed"
  (cd "$build" && ctest --output-on-failure --parallel "$(getconf _NPROCESSORS_ONLN)" ${MURMUR_TEST:+-R "$MURMUR_TEST"})
done
