#!/usr/bin/env bash
# Whether a release could be published: signs everything with a key made for this, deploys it into a folder, from a clone with a made-up
# home in the poms, and looks whether all is there that Maven Central asks for. Nothing is left, and nothing is published.
#
# Needs the native libraries of both kinds (natives/build.sh) and GnuPG.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd -P)
work=$(mktemp -d)
export GNUPGHOME=$work/keys
clean_up() {
  gpgconf --kill all
  rm -rf "$work"
}
trap clean_up EXIT
fail() { echo "check-release.sh: $*" >&2; exit 1; }
maven() { mvn -B -q -f "$work/clone/distribution" -Prelease -DskipTests -Dformat.skip "$@"; }

[ -z "$(git -C "$root" status --porcelain)" ] || fail "there are changes that a clone would not have; commit them"
git clone -q "$root" "$work/clone"
mkdir -p "$work/clone/native/build"
for name in llama.cpp llama.cpp.commit current current.key current.variant dist; do
  [ ! -e "$root/native/build/$name" ] || cp -R "$root/native/build/$name" "$work/clone/native/build/"
done

# As it is committed, it is refused: nobody's home is there.
if maven -pl natives prepare-package > "$work/refused" 2>&1; then fail "a release without a home is not refused"; fi
grep -m 1 'pom.xml does not say where the project is at home' "$work/refused" || { cat "$work/refused" >&2; fail "that is another refusal"; }

git -C "$work/clone" grep -lz 'murmuration\.invalid' -- '*pom.xml' | (cd "$work/clone" && xargs -0 sed -i 's/murmuration\.invalid/murmuration.example/')
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'For this check <nobody@example.invalid>' ed25519 sign never 2> "$work/gpg" ||
  { cat "$work/gpg" >&2; fail "no key"; }
maven deploy -Dmaven.install.skip -DaltDeploymentRepository="local::file://$work/repository"

published=$work/repository/dev/murmuration
# has ELEMENT POM: it is there, or in one of the parents, which are published as well. The poms' own elements are indented by two.
has() {
  local pom=$2 parent
  until grep -q "^  <$1>" "$pom"; do
    parent=$(sed -n '/<parent>/,/<\/parent>/s/.*<artifactId>\(.*\)<\/artifactId>.*/\1/p' "$pom")
    [ -n "$parent" ] || return 1
    pom=$(echo "$published/$parent"/*/*.pom)
  done
}
count=0
for pom in "$published"/*/*/*.pom; do
  artifact=$(basename "$pom" .pom)
  for element in name description url licenses developers scm; do
    has "$element" "$pom" || fail "$artifact has no <$element>"
  done
  ! grep -q '\.invalid' "$pom" || fail "$artifact names something that nobody has"
  if ! grep -q '^  <packaging>pom<' "$pom"; then
    for kind in '' -sources -javadoc; do [ -s "${pom%.pom}$kind.jar" ] || fail "there is no $artifact$kind.jar"; done
  fi
  for file in "${pom%.pom}"*.pom "${pom%.pom}"*.jar; do
    [ -f "$file" ] || continue
    gpg --batch --quiet --verify "$file.asc" "$file" 2> "$work/gpg" || { cat "$work/gpg" >&2; fail "$(basename "$file") is not signed"; }
    for sum in md5 sha1; do
      [ "$(cut -d ' ' -f 1 "$file.$sum")" = "$("${sum}sum" "$file" | cut -d ' ' -f 1)" ] || fail "$(basename "$file").$sum is not its sum"
    done
    count=$((count + 1))
  done
done
for artifact in murmuration murmuration-bom murmuration-langchain4j murmuration-spark murmuration-spring-ai murmuration-spring-boot-starter; do
  [ -d "$published/$artifact" ] || fail "$artifact is not published"
done
for classifier in linux-x86_64 linux-aarch64; do
  [ -s "$(echo "$published"/murmuration-natives/*/*-"$classifier".jar)" ] || fail "there are no native libraries for $classifier"
done
echo "$count files, signed and complete, of $(find "$published" -name '*.pom' | wc -l) artifacts"
