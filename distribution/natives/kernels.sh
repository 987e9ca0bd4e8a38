#!/bin/sh
# Runs the programs of src/test/native with the kernels for ARM, random cases beside plain sums, in qemu: those with sdot on a
# processor that has no more, those with smmla on one that has everything. Uses what build.sh made for linux-aarch64.
#
#   distribution/natives/kernels.sh [CASES [SEED]]    30 cases each unless said otherwise
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/native/build"
sysroot="$build/sysroot-aarch64"
work="$build/kernels-linux-aarch64"
mkdir -p "$work"

if ! { cmake -S "$root/src/test/native" -B "$work" -DCMAKE_TOOLCHAIN_FILE="$root/native/toolchain.cmake" -DMURMUR_ARCH=aarch64 \
  -DMURMUR_SYSROOT="$sysroot" -DCMAKE_CROSSCOMPILING_EMULATOR="qemu-aarch64;-L;$sysroot" \
  -DMURMUR_LIBRARIES="$build/dist/linux-aarch64/META-INF/native/linux-aarch64" -DMURMUR_TARGETS="dotprod;i8mm;variants" \
  -DMURMUR_CASES="${1:-30}" ${2:+"-DMURMUR_SEED=$2"} &&
  cmake --build "$work" --parallel "$(getconf _NPROCESSORS_ONLN)"; } > "$work/log" 2>&1; then
  tail -n 25 "$work/log" >&2
  exit 1
fi
cd "$work"
ctest --output-on-failure --parallel "$(getconf _NPROCESSORS_ONLN)"
