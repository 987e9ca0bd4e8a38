#!/usr/bin/env bash
# Whether the profile "api" notices what breaks: compares the built jar with itself, and with a made-up release that has a public
# class more. Puts that into the local Maven repository, and takes it out again.
set -euo pipefail

cd "$(dirname "$0")/.."
version=$(sed -n 's/^  <version>\(.*\)<\/version>$/\1/p' pom.xml | head -n 1)
made_up=${version%-SNAPSHOT}-made-up
jar=target/murmuration-$version.jar
work=$(mktemp -d)
installed=$(mvn -q help:evaluate -Dexpression=settings.localRepository -DforceStdout)/dev/murmuration/murmuration/$made_up
trap 'rm -rf "$work" "$installed"' EXIT
jdk=$(MURMUR_JAVA_OPTS=-XshowSettings:properties ./murmur --version 2>&1 | sed -n 's/^ *java\.home = //p')

compare() {
  mvn -B -q install:install-file -Dfile="$1" -DgroupId=dev.murmuration -DartifactId=murmuration -Dversion="$made_up" -Dpackaging=jar
  mvn -B -Papi japicmp:cmp@api -Dapi.previous="$made_up" > "$work/log" 2>&1
}
compare "$jar" || { cat "$work/log"; echo "check-api.sh: the jar is said to break with itself" >&2; exit 1; }

cp "$jar" "$work/previous.jar"
mkdir -p "$work/dev/murmuration/reward"
echo 'package dev.murmuration.reward; public final class Gone { public void call() {} }' > "$work/dev/murmuration/reward/Gone.java"
"$jdk/bin/javac" -d "$work" "$work/dev/murmuration/reward/Gone.java"
"$jdk/bin/jar" --update --file "$work/previous.jar" -C "$work" dev/murmuration/reward/Gone.class
if compare "$work/previous.jar"; then
  cat "$work/log"
  echo "check-api.sh: a class is gone, and nothing is said" >&2
  exit 1
fi
grep 'dev.murmuration.reward.Gone\|semantic\|Semantic' "$work/log"
