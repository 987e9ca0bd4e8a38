#!/bin/sh
# Builds the native libraries that are published, for every processor of a kind and for every Linux with glibc 2.31 or newer, into
# native/build/dist/. One command on Debian 12, as root where packages are missing. Does nothing where it is done.
#
#   distribution/natives/build.sh [linux-x86_64] [linux-aarch64]    both unless named
#   distribution/natives/build.sh linux-x86_64-vulkan               the same with the Vulkan backend; needs what vulkan-sdk.sh gets
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/native/build"
# The glibc of Debian 11. Newer: Ubuntu 20.04 has the same, RHEL 9 2.34, Amazon Linux 2023 2.34.
most_glibc=2.31
[ $# -gt 0 ] || set -- linux-x86_64 linux-aarch64

fail() { echo "natives: $*" >&2; exit 1; }

packages=''
need() { command -v "$1" >/dev/null 2>&1 || packages="$packages $2"; }
need cmake cmake
need ninja ninja-build
need git git
need npm npm
need readelf binutils
for target; do
  case $target in
    linux-x86_64 | linux-x86_64-vulkan) need x86_64-linux-gnu-g++ "$([ "$(uname -m)" = x86_64 ] && echo g++ || echo g++-x86-64-linux-gnu)" ;;
    linux-aarch64) need aarch64-linux-gnu-g++ "$([ "$(uname -m)" = aarch64 ] && echo g++ || echo g++-aarch64-linux-gnu)" ;;
    *) fail "cannot build $target; known: linux-x86_64, linux-aarch64, linux-x86_64-vulkan" ;;
  esac
done
if [ -n "$packages" ]; then
  [ "$(id -u)" = 0 ] || fail "missing:$packages; install them, or run this as root"
  apt-get update -qq
  # shellcheck disable=SC2086 # a list
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $packages > /dev/null
fi

# needed FILE: the libraries that the system's loader will look for.
needed() { LC_ALL=C readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'; }

# check FOLDER: whether the libraries run on every system that they are said to run on.
check() {
  glibc=$(sed -n 's/^glibc //p' "$1/MANIFEST")
  [ "$(printf '%s\n' "$glibc" "$most_glibc" | sort -t . -k 1,1n -k 2,2n | tail -n 1)" = "$most_glibc" ] ||
    fail "$1 needs glibc $glibc, and may need $most_glibc at most"
  ! grep -q '^cpu ' "$1/MANIFEST" || fail "$1 is for one processor"
  for library in "$1"/lib*; do
    for name in $(needed "$library"); do
      case $name in
        libc.so.6 | libm.so.6 | libdl.so.2 | libpthread.so.0 | librt.so.1 | ld-linux-*) ;;
        # Where it is missing, the backend is not loaded, and all else works.
        libvulkan.so.1) [ "$(basename "$library")" = libggml-vulkan.so ] || fail "$(basename "$library") needs Vulkan" ;;
        *) [ -f "$1/$name" ] || fail "$(basename "$library") needs $name, which a system may lack" ;;
      esac
    done
  done
}

# With this ccache would give the compiler relative paths, and these would stand in the libraries.
unset CCACHE_BASEDIR
for target; do
  case $target in *-vulkan) backend=vulkan ;; *) backend='' ;; esac
  system=${target%-vulkan}
  sysroot="$build/sysroot-${system#linux-}"
  "$root/distribution/natives/sysroot.sh" "${system#linux-}" "$sysroot"
  NATIVE_PORTABLE=true NATIVE_BACKENDS=$backend NATIVE_TARGET=$system NATIVE_SYSROOT=$sysroot NATIVE_OUT="$build/dist/$target" \
    "$root/native/build.sh"
  check "$build/dist/$target/META-INF/native/$system"
done
