#!/bin/sh
# Scores the golden texts with the libraries that build.sh made, without Java: on this machine, and the shorter ones on an
# old and on a new processor of x86, and on ARM, in qemu and with the C library of Debian 11. An illegal instruction ends it, and so does a
# reward that is further from PyTorch's than the bounds of the precision `exact`. The kernels for ARM are tried by themselves as well.
#
#   distribution/natives/golden.sh [linux-x86_64] [linux-aarch64]    both unless named
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/native/build"
models="$root/src/test/resources/models"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
[ $# -gt 0 ] || set -- linux-x86_64 linux-aarch64

for model in tiny-rm fledgling; do
  sed -n 's/^{"id": "\([^"]*\)".*"token_ids": \[\([-0-9, ]*\)\].*"reward": \([-0-9.e]*\).*/\1 \3 \2/p' "$models/$model-golden.jsonl" |
    tr -d ',' > "$work/$model.rows"
  [ "$(wc -l < "$work/$model.rows")" = "$(wc -l < "$models/$model-golden.jsonl")" ] ||
    { echo "golden.sh: not every line of $model-golden.jsonl could be read" >&2; exit 1; }
  # Emulated processors take minutes for the three long texts. A line has the id, the reward and the tokens.
  awk 'NF <= 302' "$work/$model.rows" | head -n 40 > "$work/$model.short"
done

# score TARGET EMULATOR...: with the libraries for a target. The bounds are those of GoldenRewardsTest.
score() {
  target=$1
  folder="$build/dist/$target/META-INF/native/$target"
  program="$build/portable-$target/lib/murmur-golden"
  rows=short
  shift
  echo "$target ${*:-natively}"
  if [ $# -eq 0 ]; then
    rows=rows
    set -- env LD_LIBRARY_PATH="$folder"
  else
    set -- "$@" -L "$build/sysroot-${target#linux-}" -E LD_LIBRARY_PATH="$folder"
  fi
  "$@" "$program" "$folder" "$models/tiny-rm-f32.gguf" "$work/tiny-rm.$rows" 5e-5
  "$@" "$program" "$folder" "$models/fledgling-f16.gguf" "$work/fledgling.$rows" 2e-3
}

for target; do
  cmake --build "$build/portable-$target" --target murmur-golden > "$work/log" 2>&1 || { tail -n 25 "$work/log" >&2; exit 1; }
  [ "$target" != "linux-$(uname -m)" ] || score "$target"
  case $target in
    linux-x86_64)
      score "$target" qemu-x86_64 -cpu Nehalem
      score "$target" qemu-x86_64 -cpu max
      ;;
    linux-aarch64)
      "$root/distribution/natives/kernels.sh" 30
      score "$target" qemu-aarch64 -cpu cortex-a53
      score "$target" qemu-aarch64 -cpu neoverse-n1
      # SVE of 128 bits, as in most processors: of 512, which would be the default, takes 15 times as long.
      score "$target" qemu-aarch64 -cpu max,sve-max-vq=1
      ;;
  esac
done
