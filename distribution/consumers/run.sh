#!/usr/bin/env bash
# Applications of four kinds, made as their authors would, with the artifacts from a repository of files: on the class path, Spring
# Boot's jar, an image of jlink, and one that a server reloads. Each runs without a compiler on the PATH and scores a text right.
#
#   distribution/consumers/run.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here="$root/distribution/consumers"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

home=$(MURMUR_JAVA_OPTS=-XshowSettings:properties "$root/murmur" --version 2>&1 | sed -n 's/^ *java\.home = //p')
natives="linux-$(uname -m)"
version=$(sed -n 's/^  <version>\(.*\)<\/version>$/\1/p' "$root/pom.xml")
if [ ! -x "$home/bin/java" ] || [ -z "$version" ]; then
  echo "run.sh: no JDK, or no version in pom.xml" >&2
  exit 1
fi

mvn -B -q -f "$root/distribution" deploy -DskipTests -Dformat.skip -Dmaven.javadoc.skip -Dmaven.source.skip \
  -DaltDeploymentRepository="local::file://$work/repository"

# What Maven Central has may be there already; our artifacts come from nowhere but that repository.
local_repository=${MAVEN_LOCAL_REPOSITORY:-$HOME/.m2/repository}
cp -al "$local_repository" "$work/m2" 2>/dev/null || { rm -rf "$work/m2"; cp -R "$local_repository" "$work/m2"; }
rm -rf "$work/m2/dev/murmuration"
cp -R "$here" "$work/consumers"
for consumer in plain spring-boot modular reload; do
  JAVA_HOME=$home mvn -B -q -f "$work/consumers/$consumer" package -Dmaven.repo.local="$work/m2" \
    -Dmurmuration.repository="file://$work/repository" -Dmurmuration.version="$version" -Dmurmuration.natives="$natives"
done

# ---- run, with nothing but Java ----

mkdir "$work/bin"
ln -s "$home/bin/java" "$work/bin/java"
bare() { env -i PATH="$work/bin" XDG_CACHE_HOME="$work/cache-$1" "${@:2}"; }

# scored NAME COUNT TEXT: whether it consists of so many rewards, right up to the digits that depend on the processor.
scored() {
  if [ "$(grep -c '^7\.3[0-9]*$' <<< "$3")" != "$2" ]; then
    printf 'run.sh: %s did not score right, it said:\n%s\n' "$1" "$3" >&2
    exit 1
  fi
  printf '%s: %s\n' "$1" "$(tr '\n' ' ' <<< "$3")"
}

cd "$work"
target="$work/consumers/plain/target"
scored plain 1 "$(bare plain java --enable-native-access=ALL-UNNAMED -cp "$target/plain.jar:$target/lib/*" consumer.Main)"

scored spring-boot 1 "$(bare spring-boot java -jar "$work/consumers/spring-boot/target/spring-boot.jar")"

target="$work/consumers/modular/target"
module="dev.murmuration.natives.${natives//-/.}"
"$home/bin/jlink" --module-path "$target/modular.jar:$target/lib" --add-modules "consumer,$module" \
  --add-options="--add-modules=$module --enable-native-access=dev.murmuration" --output "$work/image"
scored jlink 1 "$(bare jlink "$work/image/bin/java" -m consumer/consumer.Main)"

target="$work/consumers/reload/target"
reloaded=$(bare reload java --enable-native-access=ALL-UNNAMED -XX:SoftRefLRUPolicyMSPerMB=0 -cp "$target/classes" consumer.Container \
  "$target/reload.jar" "$target"/lib/*.jar)
scored reload 4 "$reloaded"
grep -qx collected <<< "$reloaded" || { echo "run.sh: the first application's class loader is kept" >&2; exit 1; }
