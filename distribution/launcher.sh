#!/bin/sh
# Runs Murmuration's command line with the Java beside it.
#
#   MURMUR_JAVA_OPTS  further options for Java, such as -Xmx4g
#
# shellcheck disable=SC2043,SC2154 # image.sh puts two sections of ../murmur here, which set and use some of these
set -u

say() { printf 'murmur: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

#include what a bare environment lacks

root=${root%/bin}
lib=$root/lib
jdk=$root/runtime

# All that runs here is linked to glibc; without it the shell would say that it does not find Java.
[ -e @LOADER@ ] || fail "needs the C library glibc, @GLIBC@ or newer, and there is no @LOADER@:" \
  "this system has another one (Alpine Linux has musl), or keeps it elsewhere; run murmur in a container of Debian there"

# In the order in which they stood when Java's cache was made; it counts with no other.
class_path=''
for library in @LIBRARIES@; do class_path=$class_path:$lib/$library; done
class_path=${class_path#:}
server_options=''
for argument in "$@"; do
  [ "$argument" = serve ] || continue
  for library in @SERVER@; do class_path=$class_path:$lib/server/$library; done
  # Room for what requests leave behind, or the heap grows by it. Java does not start with more of it than -Xmx.
  case ${MURMUR_JAVA_OPTS:-} in *-Xm* | *HeapSize*) ;; *) server_options='-Xms192m -Xmn128m' ;; esac
  break
done

#include the terminal

@JAVA_OPTIONS@
# What data sets are read with would otherwise unpack its libraries into the temporary directory at each start.
# shellcheck disable=SC2086 # the options are meant to be split
exec "$jdk/bin/java" $java_options $server_options -Xlog:disable -XX:AOTCache="$lib/murmur.aot" \
  -Dmurmuration.native.dir="$lib/native" -Dmurmuration.native.packed=true -Dmurmuration.embedded.model="$lib/fledgling-q8_0.gguf" -Djava.library.path="$lib/data" \
  -Dmurmur.stdin.tty="$in_tty" -Dmurmur.stdout.tty="$out_tty" -Dmurmur.stderr.tty="$err_tty" -Dmurmur.columns="$columns" \
  -Dmurmur.command="$command" -Dmurmur.stdin.closed="$stdin_closed" ${MURMUR_JAVA_OPTS:-} -cp "$class_path" \
  dev.murmuration.cli.Murmur "$@"
