#!/bin/sh
# Regenerates bindings/java and bindings.lock with jextract. Needed only when llama.cpp, the shim's header or
# symbols.txt changes.
#
#   JEXTRACT=/path/to/jextract LLAMA_CPP_DIR=/path/to/llama.cpp bindings/regenerate.sh
#
# jextract is OpenJDK's (github.com/openjdk/jextract), its branch for JDK 25. LLAMA_CPP_DIR is the source that
# native/build.sh obtained (native/build/llama.cpp) unless another one is named. Should libclang not find the system's
# headers ("unknown type name 'uint16_t'"), name their folders in C_INCLUDE_PATH.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../native/functions.sh
. "$root/native/functions.sh"
here="$root/bindings"
jextract=${JEXTRACT:-jextract}
llama=${LLAMA_CPP_DIR:-$root/native/build/llama.cpp}
command -v "$jextract" >/dev/null 2>&1 || { echo "bindings: '$jextract' not found; set JEXTRACT to OpenJDK's jextract" >&2; exit 1; }
[ -f "$llama/include/llama.h" ] || { echo "bindings: no llama.cpp source in '$llama'; run native/build.sh or set LLAMA_CPP_DIR" >&2; exit 1; }

includes=$(sed -n 's/^\([a-z][a-z]*\) \([A-Za-z0-9_]*\)$/--include-\1 \2/p' "$here/symbols.txt")
rm -rf "$here/java"
# shellcheck disable=SC2086 # the list is meant to be split
"$jextract" --output "$here/java" --target-package dev.murmuration.llama.bindings --header-class-name Bindings \
  -I "$llama/include" -I "$llama/ggml/include" -I "$root/native/shim" $includes "$here/bindings.h"

{
  echo "# What bindings/java was generated from, by bindings/regenerate.sh; bindings/check.sh and the loader compare."
  echo "llama.version=$(property "$root/native/llama.lock" version)"
  echo "llama.commit=$(property "$root/native/llama.lock" commit)"
  echo "jextract.version=$("$jextract" --version 2>&1 | sed -n 's/^jextract //p')"
  echo "headers.sha256=$(header_hash "$llama" "$root")"
  echo "inputs.sha256=$(sha256 "$here/bindings.h" "$here/symbols.txt" "$root/native/shim/murmur_shim.h")"
  echo "output.sha256=$(java_hash "$here/java")"
} > "$here/bindings.lock"
echo "bindings: $(find "$here/java" -name '*.java' | wc -l | tr -d ' ') files, $(find "$here/java" -name '*.java' -exec cat {} + | wc -l | tr -d ' ') lines"
