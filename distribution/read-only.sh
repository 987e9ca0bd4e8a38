#!/bin/sh
# Runs a command as nobody in a system where nothing can be written: read-only.sh ROOT COMMAND...
# For check.sh, in a mount namespace of its own.
set -eu
root=$1
shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot --userspec=65534:65534 "$root" /usr/bin/env -i PATH=/usr/bin:/bin "$@"
