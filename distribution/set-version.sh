#!/usr/bin/env bash
# Writes a version into every file that names the project's own: distribution/set-version.sh 0.1.0
# A release's files also get the time of today.
set -euo pipefail

new=${1:-}
if ! [[ $new =~ ^[0-9]+\.[0-9]+\.[0-9]+(-SNAPSHOT)?$ ]]; then
  echo "usage: distribution/set-version.sh VERSION, such as 0.1.0 or 0.2.0-SNAPSHOT" >&2
  exit 2
fi
cd "$(dirname "$0")/.."
old=$(sed -n 's/^  <version>\(.*\)<\/version>$/\1/p' pom.xml | head -n 1)
quoted=${old//./\\.}

mapfile -t files < <(git ls-files '*pom.xml' 'README.md' 'docs/install.md' 'distribution/README.md' 'integrations/*README.md')
sed -i "s|<version>$quoted</version>|<version>$new</version>|; s|\(murmuration[a-z-]*[-_]\)$quoted\([-._][a-z]\)|\1$new\2|g" "${files[@]}"
openapi=src/main/resources/dev/murmuration/server/openapi.json
sed -i "s|\"version\": \"${quoted%-SNAPSHOT}\"|\"version\": \"${new%-SNAPSHOT}\"|" "$openapi"
if [[ $new != *-SNAPSHOT ]]; then
  mapfile -t poms < <(git ls-files '*pom.xml')
  sed -i "s|\(<project.build.outputTimestamp>\).*\(</project\)|\1$(date -u +%Y-%m-%d)T00:00:00Z\2|" "${poms[@]}"
fi

git --no-pager diff --stat
if [[ $old == *-SNAPSHOT && $old != "$new" ]] && git grep -nF "$old" -- . ':!distribution/set-version.sh' ':!CHANGELOG.md' ':!RELEASING.md' ':!benchmarks/RESULTS.md'; then
  echo "set-version.sh: $old still stands there" >&2
  exit 1
fi
