#!/usr/bin/env bash
# Throughput of `murmur convert` beside `cp`. Makes a checkpoint of random float16 numbers in Starling-RM's layout, then
# converts it in a heap of 512 MB and copies it, in alternating rounds; prints GB/s of both and the ratio of the medians.
#
#   benchmarks/convert.sh [LAYERS [ROUNDS]]    22 layers, which are 3.8 GB, and 5 rounds unless named
#
#   BENCH_DIR   where the files go, twice the checkpoint's size; removed at the end (default: target/)
#   JAVA_HOME   the JDK
#
# Both read the same file, which is read once before each measurement, and write a new file of the same type of numbers;
# both are measured from the start of the process until the disk has it (conversion syncs its output itself). cp also
# copies the language-model head, which conversion leaves out: GB/s are of the bytes that each reads.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
layers=${1:-22}
rounds=${2:-5}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
mkdir -p "${BENCH_DIR:-$root/target}"
work=$(mktemp -d "${BENCH_DIR:-$root/target}/convert.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
fail() { echo "convert.sh: $*" >&2; exit 1; }

(cd "$root" && mvn -B -q package -DskipTests)
class_path="$root/target/classes:$root/target/test-classes:$(printf %s: "$root"/target/lib/*.jar)"
run() { "$java" -cp "$class_path" "$@"; }

checkpoint="$work/checkpoint"
input="$checkpoint/pytorch_model.bin"
output="$work/output"
run dev.murmuration.checkpoint.SyntheticCheckpoint "$checkpoint" 2560 6912 "$layers" 20 20 shared

# A copy that only shares the blocks would be no copy.
copy=(cp)
cp --reflink=never "$0" "$work/probe" 2> /dev/null && copy=(cp --reflink=never)
copy() { "${copy[@]}" "$input" "$output" && sync "$output"; }
convert() {
  run -Xmx512m dev.murmuration.checkpoint.ConvertMain "$checkpoint" "$root/src/test/resources/checkpoints/tiny-rm" \
    "$output" F16 > "$work/said" 2> "$work/log"
}

# measure COMMAND BYTES: adds the GB/s of one run to a file of the command's name.
TIMEFORMAT=%3R
measure() {
  rm -f "$output"
  cat "$input" > /dev/null
  local seconds
  seconds=$({ time "$1" 2> "$work/error"; } 2>&1) || fail "$1 failed: $(cat "$work/error" "$work/log" 2> /dev/null | tail -n 3)"
  awk -v bytes="$2" -v seconds="$seconds" 'BEGIN { printf "%.3f\n", bytes / seconds / 1e9 }' | tee -a "$work/$1.rates"
}
median() { sort -n "$1" | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'; }

# Once for the bytes, and so that both start from the same state of the disk and the caches.
copy
rm -f "$output"
convert || fail "$(tail -n 3 "$work/log")"
read_bytes=$(sed -n 's/.*: read \([0-9]*\) bytes.*/\1/p' "$work/said")
written_bytes=$(sed -n 's/.*wrote \([0-9]*\) bytes.*/\1/p' "$work/said")
size=$(wc -c < "$input" | tr -d ' ')
echo "checkpoint $size bytes; conversion reads $read_bytes and writes $written_bytes; $rounds rounds"
echo "machine: $(uname -sm), $(getconf _NPROCESSORS_ONLN) processors; $("$java" -version 2>&1 | sed -n 2p)"
for round in $(seq "$rounds"); do
  echo "round $round: cp $(measure copy "$size") GB/s, convert $(measure convert "$read_bytes") GB/s"
done
copied=$(median "$work/copy.rates")
converted=$(median "$work/convert.rates")
echo "median: cp $copied GB/s, convert $converted GB/s, ratio $(awk "BEGIN { printf \"%.2f\", $converted / $copied }")"
