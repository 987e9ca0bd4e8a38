#!/usr/bin/env bash
# Makes the package that unpacks and runs, with its own Java: a folder, and the same as tar.gz.
#
#   distribution/image.sh [--natives DIR|JAR] [--output DIR]
#
#   --natives  the native libraries: a folder with a MANIFEST, or a jar with META-INF/native. Default: what natives/build.sh made for
#              every processor of this kind, else what native/build.sh made for this machine
#   --output   default: target/distribution
#
# Builds the project first if that is needed. The same input gives the same files, but for lib/murmur.aot, which Java writes.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd -P)
natives='' output=$root/target/distribution
while [ $# -gt 0 ]; do
  case $1 in
    --natives) natives=$(realpath "$2") ;;
    --output) output=$(realpath -m "$2") ;;
    *) echo "image.sh: no option '$1'; there are --natives and --output" >&2; exit 2 ;;
  esac
  shift 2
done
fail() { echo "image.sh: $*" >&2; exit 1; }

# The JDK that the launcher finds; it builds what is missing.
jdk=$(MURMUR_JAVA_OPTS=-XshowSettings:properties "$root/murmur" --version 2>&1 | sed -n 's/^ *java\.home = //p')
[ -x "$jdk/bin/jlink" ] || fail "needs a JDK with jlink, and murmur runs on '$jdk'"
project() { sed -n "s/^  *<$1>\(.*\)<\/$1>.*/\1/p" "$root/pom.xml" | head -n 1; }
version=$(project version)
date=$(project project.build.outputTimestamp)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $natives in
  '')
    platform=$(basename "$root"/native/build/current/META-INF/native/*)
    set -- "$root/native/build/dist/$platform/META-INF/native/$platform/"
    [ -f "$1/MANIFEST" ] || set -- "$root/native/build/current/META-INF/native/$platform/"
    ;;
  *.jar)
    (cd "$work" && "$jdk/bin/jar" -xf "$natives" META-INF/native)
    set -- "$work"/META-INF/native/*/
    ;;
  *) set -- "$natives/" ;;
esac
[ -f "$1/MANIFEST" ] || fail "there are no libraries with a MANIFEST in '$1'"
natives=${1%/}
platform=$(basename "$(realpath "$natives")")
name=murmuration-$version-$platform
image=$output/$name
rm -rf "$image" "$image.tar.gz"
mkdir -p "$image/bin" "$image/lib/native" "$image/lib/data" "$image/lib/server" "$image/legal"

# ---- Java: what the jars use. java.sql is for DuckDB, jdk.unsupported for what libraries do in buffers, jdk.management for the
# free memory where the system is not Linux. TLS needs nothing beyond java.base.
"$jdk/bin/jlink" --add-modules java.base,java.logging,java.management,java.sql,jdk.management,jdk.unsupported \
  --strip-debug --no-man-pages --no-header-files --compress zip-6 --output "$image/runtime"

# ---- the libraries that Java calls, as files, so that nothing is unpacked when murmur runs
install -m 755 "$natives"/*.so* "$image/lib/native/"
install -m 644 "$natives/MANIFEST" "$image/lib/native/"

# without JAR PATTERN...: the jar without the files that match, with its times fixed.
without() {
  local jar=$1 folder
  shift
  folder=$(mktemp -d -p "$work")
  (
    cd "$folder"
    "$jdk/bin/jar" -xf "$jar"
    cp META-INF/MANIFEST.MF ../manifest
    for pattern in META-INF/MANIFEST.MF "$@"; do find . -path "./$pattern" -type f -delete; done
    find . -type f | sed 's|^\./||' | LC_ALL=C sort > ../files
    "$jdk/bin/jar" --create --file "$image/lib/$(basename "$jar")" --manifest ../manifest --date "$date" @../files
  )
  rm -rf "$folder"
}

case $platform in
  linux-x86_64) duckdb=linux_amd64 zstd=linux/amd64 loader=/lib64/ld-linux-x86-64.so.2 ;;
  linux-aarch64) duckdb=linux_arm64 zstd=linux/aarch64 loader=/lib/ld-linux-aarch64.so.1 ;;
  *) fail "nothing is known about $platform" ;;
esac
for jar in "$root"/target/lib/*.jar; do
  case $(basename "$jar") in
    murmuration-natives.jar) ;;
    duckdb_jdbc-*)
      (cd "$work" && "$jdk/bin/jar" -xf "$jar" "libduckdb_java.so_$duckdb")
      install -m 755 "$work/libduckdb_java.so_$duckdb" "$image/lib/data/libduckdb_java.so"
      without "$jar" 'libduckdb_java.so*'
      ;;
    zstd-jni-*)
      (cd "$work" && "$jdk/bin/jar" -xf "$jar" "$zstd")
      install -m 755 "$work/$zstd"/libzstd-jni-*.so "$image/lib/data/"
      without "$jar" 'linux/*' 'darwin/*' 'win/*' 'freebsd/*' 'aix/*'
      ;;
    *) install -m 644 "$jar" "$image/lib/" ;;
  esac
done
install -m 644 "$root"/target/lib/server/*.jar "$image/lib/server/"
model=src/main/resources/dev/murmuration/reward/fledgling-q8_0.gguf
install -m 644 "$root/$model" "$image/lib/"
without "$root/target/murmuration-$version.jar" 'dev/murmuration/reward/fledgling-q8_0.gguf'

# ---- the launcher
section() { sed -n "/^# ---- $1 ----/,/^# ---- /p" "$root/murmur" | sed '1d;$d'; }
listed() { (cd "$1" && printf '%s ' *.jar | sed 's/ $//'); }
options=$(grep '^java_options=' "$root/murmur") || fail "murmur has no java_options"
while IFS= read -r line; do
  case $line in
    '#include '*)
      section "${line#\#include }" > "$work/section"
      [ -s "$work/section" ] || fail "murmur has no section '${line#\#include }'"
      cat "$work/section"
      ;;
    @JAVA_OPTIONS@) printf '%s\n' "$options" ;;
    *)
      line=${line//@LOADER@/$loader}
      line=${line/@GLIBC@/$(sed -n 's/^glibc //p' "$natives/MANIFEST")}
      line=${line/@LIBRARIES@/$(listed "$image/lib")}
      printf '%s\n' "${line/@SERVER@/$(listed "$image/lib/server")}"
      ;;
  esac
done < "$root/distribution/launcher.sh" > "$image/bin/murmur"
chmod 755 "$image/bin/murmur"

# ---- whose it is
install -m 644 "$root/LICENSE" "$root/NOTICE" "$root/README.md" "$root/CHANGELOG.md" "$image/"
mkdir "$image/legal/java"
released() { sed -n "s/^$1=\"\(.*\)\"/\1/p" "$jdk/release"; }
cat > "$image/legal/java/SOURCE" << END
The folder runtime (in Debian's package /usr/lib/murmuration/runtime) is a part of OpenJDK $(released JAVA_RUNTIME_VERSION),
built by $(released IMPLEMENTOR), under the GNU General Public License, version 2, with the Classpath Exception;
its folder legal has the licences. Its source: $(released SOURCE_REPO) $(released SOURCE)
END
for jar in "$root"/target/lib/*.jar "$root"/target/lib/server/*.jar; do
  [ "$(basename "$jar")" != murmuration-natives.jar ] || continue
  folder=$image/legal/$(basename "$jar" .jar)
  mkdir "$folder"
  # Some have more than their own, such as FastDoubleParser-LICENSE.
  "$jdk/bin/jar" -tf "$jar" | grep -E '^META-INF/[^/]*(LICENSE|NOTICE)[^/]*$' > "$work/texts" || true
  # With an empty list everything would be extracted.
  [ ! -s "$work/texts" ] || (cd "$folder" && "$jdk/bin/jar" -xf "$jar" @"$work/texts")
  for file in "$folder"/META-INF/*; do [ ! -f "$file" ] || mv "$file" "$folder/"; done
  rm -rf "$folder/META-INF"
  for text in "$root"/distribution/licences/*.txt; do
    case $(basename "$jar") in "$(basename "$text" .txt)"-*) cp "$text" "$folder/LICENSE" ;; esac
  done
  [ -n "$(ls "$folder")" ] || fail "no licence of $(basename "$jar") is known; put it into distribution/licences"
done
chmod -R u=rwX,go=rX "$image"

# Java compares the jars' times with those that they had when its cache was made, so they are set before, and tar keeps them.
find "$image" -exec touch -h -d "$date" {} +
set --
for jar in $(listed "$image/lib"); do set -- "$@" "$image/lib/$jar"; done
class_path=$(IFS=:; echo "$*")
eval "$options"
train() {
  # shellcheck disable=SC2154,SC2086 # java_options is the launcher's, and meant to be split
  env -u JDK_JAVA_OPTIONS -u JAVA_TOOL_OPTIONS "$image/runtime/bin/java" $java_options -Xlog:disable -Dmurmuration.native.dir="$image/lib/native" \
    -Dmurmuration.embedded.model="$image/lib/fledgling-q8_0.gguf" "$@" -XX:AOTConfiguration="$work/aot.config" \
    -cp "$class_path" dev.murmuration.cli.AotTraining > "$work/training.log" 2>&1 || { cat "$work/training.log" >&2; fail "no AOT cache"; }
}
train -XX:AOTMode=record
train -XX:AOTMode=create -XX:AOTCache="$image/lib/murmur.aot"
chmod 644 "$image/lib/murmur.aot"
{
  "$image/bin/murmur" --version
  echo "for $platform"
} > "$image/VERSION"
mkdir -p "$image/share/bash-completion/completions"
"$image/bin/murmur" completion > "$image/share/bash-completion/completions/murmur"
find "$image" -newermt "$date" -exec touch -h -d "$date" {} +

tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="$date" --directory "$output" "$name" | gzip -n > "$image.tar.gz"
(cd "$output" && sha256sum "$name.tar.gz" > "$name.tar.gz.sha256")
echo "$image.tar.gz"
