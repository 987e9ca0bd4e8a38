#!/usr/bin/env bash
# Builds the container file without a daemon, and asks the server in it: distribution/check-container.sh ARCHIVE DEBIAN
#
#   DEBIAN  a folder with a bare Debian 12 (debootstrap --variant=minbase bookworm DEBIAN), which takes the place of the image that
#           would be fetched
#
# As root, with buildah and curl.
set -euo pipefail

archive=$(realpath "$1")
debian=$(realpath "$2")
tree=$(cd "$(dirname "$0")/.." && pwd -P)
work=$(mktemp -d)
# All that buildah keeps goes there, and nothing into the user's own storage.
export BUILDAH_ISOLATION=chroot
storage=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)
port=18090
server=''
# The container's first process, which podman and docker send their signals to: Java, in the launcher's place.
first() { pgrep --euid 65534 --full "cli\\.Murmur serve --host 0\\.0\\.0\\.0 --port $port"; }
clean_up() {
  if [ -n "$server" ]; then
    # buildah itself would leave it running.
    first | xargs --no-run-if-empty kill -KILL
    wait "$server" || true
  fi
  buildah "${storage[@]}" rm --all > /dev/null 2>&1 || true
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT
fail() { echo "check-container.sh: $*" >&2; exit 1; }

base=$(buildah "${storage[@]}" from scratch)
buildah "${storage[@]}" add --quiet "$base" "$debian" / > /dev/null
buildah "${storage[@]}" commit --quiet --rm "$base" murmur-base > /dev/null
mkdir "$work/context"
ln "$archive" "$work/context/" 2>/dev/null || cp "$archive" "$work/context/"
buildah "${storage[@]}" build --quiet --build-arg BASE=localhost/murmur-base --file "$tree/distribution/Containerfile" --tag murmur "$work/context" > /dev/null

configured=$(buildah "${storage[@]}" inspect --type image --format '{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}} {{.OCIv1.Config.User}}' murmur)
[ "$configured" = '[murmur] [serve --host 0.0.0.0] 65534:65534' ] || fail "it is configured as $configured"
container=$(buildah "${storage[@]}" from murmur)
inside() { buildah "${storage[@]}" run "$@"; }
reward=$(inside --env MURMUR_JAVA_OPTS=-XX:AOTMode=on "$container" -- murmur score -q --prompt 'Hello?' --response 'Hi there, how can I help?')
[[ $reward =~ ^7\.[34][0-9]*$ ]] || fail "the reward is '$reward'"
inside "$container" -- murmur demo > "$work/demo"
cat "$work/demo"
grep -q '^ 1 .*Put the egg in boiling water' "$work/demo" || fail "demo ranks nothing"
inside "$container" -- murmur doctor
# Without a key it listens on this machine alone.
if inside "$container" -- murmur serve --host 0.0.0.0 --port "$port" 2> "$work/refused"; then fail "it serves everybody without a key"; fi
grep -q 'key' "$work/refused" || fail "it says $(cat "$work/refused")"
inside --env MURMUR_API_KEY=a-key-for-this-test "$container" -- murmur serve --host 0.0.0.0 --port "$port" > "$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do
  curl -sf http://127.0.0.1:$port/ready > /dev/null && break
  sleep 0.1
done
curl -sf http://127.0.0.1:$port/health || { cat "$work/log" >&2; fail "the server is not there"; }
ask() {
  curl -s http://127.0.0.1:$port/v1/rewards -H 'Content-Type: application/json' -d '{"prompt": "Hello?", "responses": ["Hi there, how can I help?"]}' "$@"
}
ask -f -H 'Authorization: Bearer a-key-for-this-test' | grep -o '"reward":7.3[0-9]*' || fail "no reward"
status=$(ask -o "$work/answer" -w '%{http_code}')
[ "$status" = 401 ] || fail "without the key it answers $status"
process=$(first)
kill "$process"
wait "$server" || { cat "$work/log" >&2; fail "the server ended with $?"; }
server=''
[ ! -e "/proc/$process" ] || fail "the server goes on"
