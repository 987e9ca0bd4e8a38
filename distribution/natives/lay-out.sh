#!/bin/sh
# Lays out the jars of native libraries below $TARGET/modules, a folder each, and writes javac.txt, with which javac makes them
# modules. Maven runs it. Takes what build.sh made; where there is nothing for this machine, what native/build.sh made for it,
# which is good for no other one: not for a release.
#
#   VERSION, TARGET, RELEASE=true|false
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build="$root/native/build"
modules="$TARGET/modules"
sources="$TARGET/module-sources"

fail() { echo "natives: $*" >&2; exit 1; }

# lay_out CLASSIFIER BUILD
lay_out() {
  module=dev.murmuration.natives.$(echo "$1" | tr - .)
  mkdir -p "$modules/$module/META-INF" "$sources/$module"
  cp -R "$2/META-INF/native" "$modules/$module/META-INF/"
  cp "$root/LICENSE" "$root/NOTICE" "$modules/$module/META-INF/"
  # Java refuses the libraries of another version.
  for manifest in "$modules/$module"/META-INF/native/*/MANIFEST; do echo "version $VERSION" >> "$manifest"; done
  echo "module $module {}" > "$sources/$module/module-info.java"
  echo "module-sources/$module/module-info.java" >> "$TARGET/javac.txt"
}

rm -rf "$modules" "$sources" "$TARGET/javac.txt"
mkdir -p "$modules"
printf '%s\n' '--release 9' '-Xlint:-module' '-d modules' '--module-source-path module-sources' > "$TARGET/javac.txt"
for folder in "$build"/dist/*/; do
  [ ! -d "$folder/META-INF" ] || lay_out "$(basename "$folder")" "$folder"
done
if [ "$RELEASE" = true ]; then
  for classifier in linux.x86_64 linux.aarch64; do
    [ -d "$modules/dev.murmuration.natives.$classifier" ] || fail "a release has natives for $classifier: run distribution/natives/build.sh"
  done
  for pom in pom.xml distribution/pom.xml integrations/pom.xml; do
    ! grep -q 'murmuration\.invalid' "$root/$pom" || fail "$pom does not say where the project is at home: murmuration.invalid stands for it"
  done
else
  this=$(basename "$build"/current/META-INF/native/*)
  [ -d "$build/dist/$this" ] || lay_out "$this" "$build/current"
fi
chmod -R u=rwX,go=rX "$modules"
