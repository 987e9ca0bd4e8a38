#!/bin/sh
# Puts murmur on a GPU beside llama-bench and transformers: the same random weights of a known shape in all three. Writes
# table.md into OUT, and what each program said.
#
#   benchmarks/gpu/run.sh [SHAPE] OUT      SHAPE: 7B (default; 40 GB of disk, 30 GB on the GPU), 1.1B, or tiny to try the script
#
# Needs a build with the GPU's backend (docs/gpu.md), llama.cpp's programs on the same libraries (native/tools.sh), and a Python with
# torch, transformers and safetensors. Variables take others: MURMUR, LLAMA_BENCH, PYTHON, WORK (a folder for the models).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
shape=7B
[ $# -lt 2 ] || { shape=$1; shift; }
[ $# -eq 1 ] || { echo "usage: $0 [7B|1.1B|tiny] OUT" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
python=${PYTHON:-python3}
bench=${LLAMA_BENCH:-$root/native/build/tools/llama-bench}
work=${WORK:-$root/benchmarks/models}/gpu-$shape
murmur() { ${MURMUR:-"$root/murmur"} "$@"; }
step() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }
# failed LOG WHAT: what a program said before it ended in an error.
failed() { tail -n 20 "$1" >&2; echo "$0: $2 failed; all that it said is in $1" >&2; exit 1; }

if [ ! -f "$work/Q4_K_M.gguf" ]; then
  step "making $shape"
  rm -rf "$work"
  mkdir -p "$work"
  "$python" "$here/checkpoint.py" "$shape" "$work/checkpoint" "$root/src/test/resources/checkpoints/tiny-rm"
  for type in BF16 Q8_0; do
    murmur convert -q "$work/checkpoint" --type $type --template raw -o "$work/$type.gguf"
  done
  murmur quantize -q "$work/BF16.gguf" "$work/Q4_K_M.gguf" --type Q4_K_M
fi

step "transformers"
"$python" "$here/beside_transformers.py" "$work/checkpoint" "$here/texts.jsonl" > "$out/transformers.json" 2> "$out/transformers.log" ||
  failed "$out/transformers.log" transformers
for type in BF16 Q8_0 Q4_K_M; do
  file=$work/$type.gguf
  step "$type: rewards"
  murmur score -q -m "$file" -ngl 99 - < "$here/texts.jsonl" > "$out/fast-$type.jsonl"
  for batch in 512 2048; do
    step "$type: murmur bench, micro-batches of $batch"
    murmur bench -q -m "$file" -ngl 99 -ub $batch --only prefill,best-of --json > "$out/murmur-$type-$batch.json"
    step "$type: llama-bench, micro-batches of $batch"
    "$bench" -m "$file" -ngl 99 -fa 1 -p 64,512,2048 -n 0 -b 2048 -ub $batch -o json > "$out/llama-bench-$type-$batch.json" 2> "$out/llama-bench.log" ||
      failed "$out/llama-bench.log" "$bench"
  done
done
step "BF16: rewards, exact"
murmur score -q -m "$work/BF16.gguf" -ngl 99 --precision exact - < "$here/texts.jsonl" > "$out/exact-BF16.jsonl"
"$python" "$here/table.py" "$shape" "$out" > "$out/table.md"
cat "$out/table.md"
