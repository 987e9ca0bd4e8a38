#!/bin/sh
# Compares `murmur quantize` with llama.cpp's own llama-quantize, byte for byte, on the model that WideModel makes, and
# prints the hashes that QuantizerTest holds. Builds what it needs, which takes some minutes.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
. "$root/native/functions.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

"$root/native/tools.sh"
(cd "$root" && mvn -B -q test-compile)
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -cp "$root/target/classes:$root/target/test-classes" \
  dev.murmuration.checkpoint.WideModel "$work/wide.gguf"
[ $# -gt 0 ] || set -- Q8_0 Q4_0 Q4_K_M
for type; do
  "$root/native/build/tools/llama-quantize" "$work/wide.gguf" "$work/stock.gguf" "$type" > "$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
  "$root/murmur" quantize -q --force "$work/wide.gguf" "$work/ours.gguf" --type "$type"
  cmp "$work/stock.gguf" "$work/ours.gguf"
  echo "$type, $(sha256 "$work/stock.gguf")"
done
