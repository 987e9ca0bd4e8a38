#!/bin/sh
# Fails when bindings/java or native/shim/layouts.inc is not what bindings.lock says: edited by hand, or older than its inputs. Needs no jextract.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../native/functions.sh
. "$root/native/functions.sh"
here="$root/bindings"

check() { # NAME ACTUAL WHAT
  expected=$(property "$here/bindings.lock" "$1")
  [ "$expected" = "$2" ] || {
    echo "bindings: $3 does not match bindings/bindings.lock ($1 is $2, locked $expected); run bindings/regenerate.sh" >&2
    exit 1
  }
}
check llama.commit "$(property "$root/native/llama.lock" commit)" "the commit in native/llama.lock"
check inputs.sha256 "$(sha256 "$here/bindings.h" "$here/symbols.txt" "$root/native/shim/murmur_shim.h")" "an input (bindings.h, symbols.txt or native/shim/murmur_shim.h)"
check output.sha256 "$(java_hash "$here/java")" "bindings/java"
check layouts.sha256 "$(sha256 "$root/native/shim/layouts.inc")" "native/shim/layouts.inc"
