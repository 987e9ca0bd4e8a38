#!/bin/sh
# Makes the embedded model from its checkpoint, as anyone makes theirs: converted, then quantized. The bytes are those
# that are committed; QuantizeCommandTest runs the same commands and compares.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
. "$root/native/functions.sh"
checkpoints="$root/src/test/resources/checkpoints"
embedded="$root/src/main/resources/dev/murmuration/reward/fledgling-q8_0.gguf"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

"$root/murmur" convert "$checkpoints/fledgling" --tokenizer "$checkpoints/tiny-rm" --name starling-rm -o "$work/f16.gguf"
"$root/murmur" quantize "$work/f16.gguf" "$embedded" --type Q8_0 --force
echo "$(sha256 "$embedded") $(wc -c < "$embedded" | tr -d ' ')" > "$embedded.sha256"
