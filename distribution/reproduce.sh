#!/usr/bin/env bash
# Builds everything that is published here, and once more from a clone in another folder, and compares the bytes: jars, sources,
# javadoc, and the native libraries in them. Names the entries that differ.
#
#   distribution/reproduce.sh [linux-x86_64] [linux-aarch64]    native libraries for x86_64 unless named
#   distribution/reproduce.sh --java                            with the native libraries that are there, built once
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
fail() { echo "reproduce.sh: $*" >&2; exit 1; }

[ -z "$(git -C "$root" status --porcelain)" ] || fail "there are changes that a clone would not have; commit them"
[ $# -gt 0 ] || set -- linux-x86_64
kept='llama.cpp llama.cpp.commit current current.key current.variant sysroot-x86_64 sysroot-aarch64'
if [ "$1" = --java ]; then
  shift
  kept="$kept dist"
fi
# A cache of compiled files would hide what depends on the folder, or bring it here from elsewhere.
export CCACHE_DISABLE=1

build() {
  [ $# -eq 1 ] || "$1/distribution/natives/build.sh" "${@:2}"
  mvn -B -q -f "$1/distribution" package -DskipTests -Dformat.skip
}
build "$root" "$@"

# What is downloaded need not be so twice, and the libraries for this processor are not published.
other="$work/a clone in a folder of another length"
git clone -q "$root" "$other"
mkdir -p "$other/native/build"
for name in $kept; do
  [ ! -e "$root/native/build/$name" ] || cp -R "$root/native/build/$name" "$other/native/build/"
done
build "$other" "$@"

home=$(MURMUR_JAVA_OPTS=-XshowSettings:properties "$root/murmur" --version 2>&1 | sed -n 's/^ *java\.home = //p')
cd "$other"
count=0
differ=0
for jar in target/murmuration-*.jar distribution/natives/target/*.jar integrations/*/target/*.jar; do
  count=$((count + 1))
  cmp -s "$root/$jar" "$jar" && continue
  differ=$((differ + 1))
  echo "differs: $jar"
  [ -f "$root/$jar" ] || continue
  rm -rf "$work/one" "$work/two"
  mkdir "$work/one" "$work/two"
  (cd "$work/one" && "$home/bin/jar" xf "$root/$jar")
  (cd "$work/two" && "$home/bin/jar" xf "$other/$jar")
  (cd "$work" && diff -rq one two) || true
  diff <("$home/bin/jar" tvf "$root/$jar") <("$home/bin/jar" tvf "$jar") || true
done
[ "$differ" = 0 ] || fail "$differ of $count jars differ"
echo "$count jars, the same bytes in both folders"
