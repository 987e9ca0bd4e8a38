# shellcheck shell=sh
# Shell functions that murmur, native/ and bindings/ share; sourced, never run.

# sha256 [FILE...]: the SHA-256 of the files one after another, or of standard input.
sha256() {
  if command -v sha256sum >/dev/null 2>&1; then cat -- "$@" | sha256sum | cut -d' ' -f1; else cat -- "$@" | shasum -a 256 | cut -d' ' -f1; fi
}

# has_integrity FILE INTEGRITY: whether INTEGRITY ("sha512-" and base64, as npm writes it) is the file's.
has_integrity() {
  if command -v sha512sum >/dev/null 2>&1; then actual=$(sha512sum < "$1"); else actual=$(shasum -a 512 < "$1"); fi
  pinned=$(printf '%s' "${2#sha512-}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
  [ -n "$pinned" ] && [ "${actual%% *}" = "$pinned" ]
}

# java_hash DIR: one hash over the Java files below, in the order of their names.
java_hash() {
  (cd "$1" && find . -name '*.java' | LC_ALL=C sort | while IFS= read -r file; do cat "$file"; done) | sha256
}

# property FILE KEY: the value of KEY in a file of KEY=VALUE lines.
property() {
  sed -n "s/^$(printf %s "$2" | sed 's/\./\\./g')=//p" "$1"
}

# header_hash LLAMA_CPP_DIR ROOT: one hash over every header from which the bindings are generated.
header_hash() {
  sha256 "$1/include/llama.h" "$1/ggml/include/ggml.h" "$1/ggml/include/ggml-backend.h" "$2/native/shim/murmur_shim.h"
}

# take_lock FOLDER WHO: makes FOLDER, which one process alone can, and writes its number there. Waits while a process that
# lives has it, and says so as WHO; takes it from one that has ended. Fails if it cannot be made at all. Whoever has taken it
# removes it, whatever ends them.
take_lock() {
  waiting=''
  until mkdir "$1" 2>/dev/null; do
    [ -d "$1" ] || [ -w "${1%/*}" ] || return 1
    owner=''
    read -r owner 2>/dev/null < "$1/pid" || true
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
      rm -rf "$1"
      continue
    fi
    [ -n "$waiting" ] ||
      echo "$2: another build${owner:+ (process $owner)} is running; waiting for it (if none is, remove $1)" >&2
    waiting=1
    sleep 1
  done
  echo $$ > "$1/pid"
}

# debian_mirror: where this Debian gets its packages from, or what DEBIAN_MIRROR names; fails with what to do if neither is known.
debian_mirror() {
  found=${DEBIAN_MIRROR:-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    sed -n 's/^URIs: *\([^ ]*[^ /]\)\/* *$/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*debian\)\/* .*/\2/p' | grep '/debian$' | head -n 1)}
  [ -n "$found" ] || {
    echo "no mirror of Debian stands in /etc/apt; name one: DEBIAN_MIRROR=ADDRESS, such as that of a Debian system's /etc/apt" >&2
    return 1
  }
  echo "$found"
}
