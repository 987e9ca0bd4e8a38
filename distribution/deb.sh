#!/usr/bin/env bash
# Makes a package for Debian and Ubuntu of what image.sh made: distribution/deb.sh IMAGE [OUTPUT]
#
#   IMAGE   the folder, such as target/distribution/murmuration-0.1.0-linux-x86_64
#   OUTPUT  default: the folder that IMAGE is in
#   DEB_MAINTAINER  in the environment: an address for the package's field of that name
#
# It needs a JDK with jpackage, dpkg-deb and fakeroot.
set -euo pipefail

image=$(realpath "$1")
output=$(realpath "${2:-$image/..}")
root=$(cd "$(dirname "$0")/.." && pwd -P)
fail() { echo "deb.sh: $*" >&2; exit 1; }
[ -x "$image/bin/murmur" ] || fail "$image is not what image.sh made"
jdk=$(MURMUR_JAVA_OPTS=-XshowSettings:properties "$root/murmur" --version 2>&1 | sed -n 's/^ *java\.home = //p')
[ -x "$jdk/bin/jpackage" ] || fail "needs a JDK with jpackage, and murmur runs on '$jdk'"
version=$("$image/bin/murmur" --version | sed -n 's/^murmuration \([0-9.]*\).*/\1/p')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# jpackage's own launcher is a program that knows nothing of terminals and locales. Ours takes its place, and looks where jpackage
# puts things below /usr.
"$jdk/bin/jpackage" --type app-image --name murmur --app-version "$version" --vendor "The Murmuration authors" \
  --description "Scores text with reward models" --runtime-image "$image/runtime" --input "$image/lib" \
  --main-jar "murmuration-$(basename "$image" | sed 's/^murmuration-\(.*\)-linux-.*/\1/').jar" \
  --main-class dev.murmuration.cli.Murmur --dest "$work" >&2
app=$work/murmur
# shellcheck disable=SC2016 # they are the launcher's variables
sed -e 's|^lib=.*|lib=$root/lib/murmuration/app|' -e 's|^jdk=.*|jdk=$root/lib/murmuration/runtime|' "$image/bin/murmur" > "$app/bin/murmur"
cp -Rp "$image/lib/." "$app/lib/app/"

mkdir "$work/resources"
{
  cat "$image/LICENSE" "$image/NOTICE"
  for folder in "$image"/legal/*/; do
    printf '\n-----------------------------------------------------------------------------\n%s\n\n' "$(basename "$folder")"
    cat "$folder"/*
  done
} > "$work/resources/copyright"
# libstdc++6 is for the library that reads Parquet.
DPKG_DEB_COMPRESSOR_TYPE=none "$jdk/bin/jpackage" --type deb --app-image "$app" --name murmuration --linux-package-name murmuration \
  --app-version "$version" --vendor "The Murmuration authors" --description "Scores text with reward models" --install-dir /usr \
  --linux-deb-maintainer "${DEB_MAINTAINER:-nobody@example.invalid}" --linux-app-category science \
  --linux-package-deps "libc6 (>= $(sed -n 's/^glibc //p' "$image/lib/native/MANIFEST")), libstdc++6" \
  --resource-dir "$work/resources" --dest "$work" >&2

# What jpackage leaves undone: times, without which Java's cache does not count; sums; what belongs elsewhere below /usr. Its scripts
# are for services and menus, of which there are none.
package=$work/package
dpkg-deb --raw-extract "$work"/murmuration_*.deb "$package"
rm -rf "$package"/DEBIAN/p* "$package"/usr/lib/murmuration/{app/murmur.cfg,lib,murmur.png}
mkdir -p "$package/usr/share/bash-completion/completions" "$package/usr/share/doc/murmuration"
cp "$image/share/bash-completion/completions/murmur" "$package/usr/share/bash-completion/completions/"
cp "$image/README.md" "$image/CHANGELOG.md" "$work/resources/copyright" "$root/docs/examples/murmur.service" "$package/usr/share/doc/murmuration/"
find "$package" -exec touch -h -r "$image/lib/murmur.aot" {} +
(cd "$package" && find usr -type f | LC_ALL=C sort | xargs -d '\n' md5sum) > "$work/md5sums"
cp "$work/md5sums" "$package/DEBIAN/"
SOURCE_DATE_EPOCH=$(stat -c %Y "$image/lib/murmur.aot") dpkg-deb --root-owner-group --build "$package" "$output" > /dev/null
echo "$output/murmuration_${version}_$(dpkg --print-architecture).deb"
