#!/bin/sh
# Compiles the CUDA backend as it is shipped, a library of its own, for one architecture, and runs the tests that need a GPU on it;
# where there is no driver, it looks whether murmur says so in words and computes on the CPU. By hand: it takes the better part of an
# hour on two cores, and needs the CUDA Toolkit with cuBLAS. NATIVE_CUDA names the architectures (default: 80-virtual, which
# drivers translate for Ampere and all that came later); CUDACXX or the path, nvcc.
set -eu
cd "$(dirname "$0")/../../.."
export NATIVE_PORTABLE=true NATIVE_BACKENDS=cuda NATIVE_CUDA="${NATIVE_CUDA:-80-virtual}"
NATIVE_OUT=$PWD/native/build/dist/linux-$(uname -m)-cuda native/build.sh
directory=$(echo "$PWD"/native/build/dist/linux-"$(uname -m)"-cuda/META-INF/native/*)
[ -f "$directory/libggml-cuda.so" ]

mvn -B -q package -DskipTests
murmur() { MURMUR_JAVA_OPTS="-Dmurmuration.native.dir=$directory" ./murmur "$@"; }
murmur devices
if murmur devices --json | grep -q '"CUDA0"'; then
  exec mvn -B test -Pgpu "-Dmurmuration.native.dir=$directory"
fi
murmur devices --json | grep -q '"name":"CUDA","devices":\[\],"problem":"'
murmur score -q --prompt "Hello?" --response "Hi" > /dev/null
if said=$(murmur score -q --prompt "Hello?" --response "Hi" -ngl 99 2>&1); then
  echo "a GPU was asked for, there is none, and nothing was said" >&2
  exit 1
fi
echo "$said"
echo "$said" | grep -q 'CUDA: '
