#!/bin/sh
# Makes a folder with the C library of Debian 11 and the C++ runtime of its GCC, for native/build.sh to compile with
# (NATIVE_SYSROOT), and for qemu to run with. Needs apt and a network; no root. Does nothing where it is done.
#
#   distribution/natives/sysroot.sh x86_64|aarch64 DIR
#
#   DEBIAN_MIRROR   default: where this system gets its packages from
set -eu
arch=$1
sysroot=$2
suite=bullseye
packages='libc6 libgomp1 libc6-dev linux-libc-dev libgcc-10-dev libstdc++-10-dev'

[ ! -f "$sysroot/packages" ] || exit 0
# shellcheck source=../../native/functions.sh
. "$(dirname "$0")/../../native/functions.sh"
mirror=$(debian_mirror)
case $arch in
  x86_64) debian=amd64 ;;
  aarch64) debian=arm64 ;;
  *) echo "sysroot.sh: '$arch' is neither x86_64 nor aarch64" >&2; exit 2 ;;
esac
rm -rf "$sysroot"
mkdir -p "$sysroot"
sysroot=$(cd "$sysroot" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# An apt of its own: it touches nothing of this system, and trusts what Debian has signed.
mkdir -p "$work/lists/partial" "$work/archives/partial"
: > "$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$work/sources.list"
apt() {
  apt-get -qq -o Dir::State="$work" -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache="$work" \
    -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o APT::Architecture="$debian" \
    -o APT::Architectures::="$debian" -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 "$@"
}
echo "sysroot: getting the C library of Debian 11 for $arch" >&2
apt update
# shellcheck disable=SC2086 # a list
(cd "$work" && apt download $packages)
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$sysroot"; done

# Links that begin at the root of a system would lead out of the folder.
find "$sysroot" -type l | while IFS= read -r link; do
  to=$(readlink "$link")
  case $to in /*) ln -sf "$sysroot$to" "$link" ;; esac
done
rm -rf "${sysroot:?}/usr/share"
# What this is, for build.sh to see when it is another.
(cd "$work" && printf '%s\n' *.deb) > "$sysroot/packages"
