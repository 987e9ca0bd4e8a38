#!/usr/bin/env bash
# Tries packages on a bare Debian 12, without Java and without a compiler: distribution/check.sh ARCHIVE [DEB]
#
# As root, with debootstrap and curl. The system takes a minute or two to make; DEBIAN=DIR keeps it there for the next time.
set -euo pipefail

archive=$(realpath "$1")
deb=${2:+$(realpath "$2")}
tree=$(cd "$(dirname "$0")/.." && pwd -P)
resources=$tree/src/test/resources
work=$(mktemp -d)
server=''
clean_up() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  umount "$work/debian/proc" "$work/debian" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT
fail() { echo "check.sh: $*" >&2; exit 1; }
step() { printf '%s\n' "== $*"; }

step "a bare Debian 12"
base=${DEBIAN:-$work/base}
[ -d "$base/etc" ] || debootstrap --variant=minbase --include=busybox-static bookworm "$base" > "$work/debootstrap.log" 2>&1 || { tail -20 "$work/debootstrap.log" >&2; fail "no Debian"; }
cp -a "$base" "$work/debian"
debian=$work/debian
# A file system of its own, as any machine's and any container's is; Java asks which one a file is on.
mount --bind "$debian" "$debian"
mount -t proc proc "$debian/proc"
# What a login has, and nothing of this machine's. The locale is none at all, as in a container.
home=/srv/home
mkdir "$debian$home"
inside() {
  local where=/
  if [ "$1" = -C ]; then
    where=$2
    shift 2
  fi
  chroot "$debian" /usr/bin/env -i -C "$where" PATH=/usr/local/bin:/usr/bin:/bin HOME="$home" TERM=dumb "$@"
}
for program in java cc gcc mvn; do
  if inside sh -c "command -v $program"; then fail "this Debian is not bare"; fi
done

step "from the archive to a ranking"
cp "$archive" "$debian/srv/murmuration.tar.gz"
started=$(date +%s%N)
inside sh -c 'cd /opt && tar -xzf /srv/murmuration.tar.gz && /opt/murmuration-*/bin/murmur demo' > "$work/demo"
ended=$(date +%s%N)
cat "$work/demo"
grep -q '^ 1 .*Put the egg in boiling water' "$work/demo" || fail "demo ranks nothing"
root=$(cd "$debian/opt" && echo murmuration-*)
printf '%s MB, unpacked %s MB; from unpacking to ranking %s ms\n' $(($(stat -c %s "$archive") / 1000000)) \
  "$(du -sm --apparent-size "$debian/opt/$root" | cut -f 1)" $(((ended - started) / 1000000))
[ ! -e "$debian$home/.cache" ] || fail "something was extracted into ~/.cache"

# scores COMMAND...: it gives the reward that it should.
text=(score -q --prompt 'Hello?' --response 'Hi there, how can I help?')
scores() {
  local reward
  reward=$("$@" "${text[@]}") || fail "$* ends with $?"
  [[ $reward =~ ^7\.[34][0-9]*$ ]] || fail "$* gives the reward '$reward'"
}
scores inside "/opt/$root/bin/murmur"

step "Java's cache counts where it was unpacked"
# With AOTMode=on Java ends where it cannot use it.
scores inside MURMUR_JAVA_OPTS=-XX:AOTMode=on "/opt/$root/bin/murmur"
inside MURMUR_JAVA_OPTS=-XX:AOTMode=on "/opt/$root/bin/murmur" serve --help > "$work/out"

step "where there is no glibc, such as on Alpine Linux"
other=$work/other
mkdir -p "$other/bin" "$other/dev" "$other/opt"
: > "$other/dev/null"
cp "$debian/bin/busybox" "$other/bin/"
for name in sh grep readlink; do ln -s busybox "$other/bin/$name"; done
cp -R "$debian/opt/$root" "$other/opt/murmuration"
if chroot "$other" /bin/sh -c '/opt/murmuration/bin/murmur demo' 2> "$work/err"; then fail "it runs without glibc"; fi
cat "$work/err"
grep -q '^murmur: needs the C library glibc' "$work/err" || fail "that is not clear"
rm -rf "$other"

step "through links, from elsewhere, in a folder with blanks"
ln -s "../../../opt/$root/bin/murmur" "$debian/usr/local/bin/murmur"
ln -s murmur "$debian/usr/local/bin/mm"
scores inside mm
mkdir "$debian/srv/a b ü"
mv "$debian/opt/$root" "$debian/srv/a b ü/"
scores inside -C "/srv/a b ü/$root/lib" ../bin/murmur
scores inside MURMUR_JAVA_OPTS=-XX:AOTMode=on "/srv/a b ü/$root/bin/murmur"
mv "$debian/srv/a b ü/$root" "$debian/opt/"

step "data sets, reports, checkpoints"
data=$debian/srv/data
mkdir "$data"
cp "$resources"/checkpoints/tiny-rm/{config.json,pytorch_model.bin,tokenizer.model} "$data/"
head -n 40 "$resources/datasets/fledgling.jsonl" > "$data/rows.jsonl"
# The rows as Parquet, too, written by the library that reads them.
cat > "$work/Parquet.java" <<'JAVA'
void main(String[] file) throws Exception {
  try (var database = java.sql.DriverManager.getConnection("jdbc:duckdb:"); var statement = database.createStatement()) {
    statement.execute("COPY (SELECT prompt, answers FROM '" + file[0] + "') TO '" + file[1] + "' (FORMAT parquet)");
  }
}
JAVA
jdk=$(MURMUR_JAVA_OPTS=-XshowSettings:properties "$tree/murmur" --version 2>&1 | sed -n 's/^ *java\.home = //p')
"$jdk/bin/java" --enable-native-access=ALL-UNNAMED -cp "$(echo "$tree"/target/lib/duckdb_jdbc-*.jar)" "$work/Parquet.java" \
  "$data/rows.jsonl" "$data/rows.parquet"
run() { inside -C /srv/data murmur "$@" > "$work/out" 2> "$work/err" || { cat "$work/out" "$work/err" >&2; fail "murmur $*"; }; }
run batch rows.jsonl -o of-json.csv.zst
run batch rows.parquet -o rewards.jsonl
run batch rows.parquet -o rewards.parquet
[ "$(wc -l < "$data/rewards.jsonl")" -ge 40 ] || fail "batch has written too few rows of Parquet"
run eval rows.parquet --report report.html
grep -q '</html>' "$data/report.html" || fail "the report is no page"
run convert . -o tiny.gguf
run quantize tiny.gguf tiny-q8.gguf --type q8_0
run doctor -m tiny-q8.gguf
cat "$work/out"

step "a server, asked from outside"
# Not by the function above: a signal is to reach the server itself.
chroot "$debian" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$home" murmur serve --port 18089 > "$work/serve.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  curl -sf http://127.0.0.1:18089/ready > /dev/null && break
  sleep 0.1
done
curl -sf http://127.0.0.1:18089/health || { cat "$work/serve.log" >&2; fail "the server is not there"; }
answer=$(curl -sf http://127.0.0.1:18089/v1/rewards -H 'Content-Type: application/json' \
  -d '{"prompt": "Hello?", "responses": ["Hi there, how can I help?"]}')
echo "$answer"
[[ $answer == *'"reward":7.3'* ]] || fail "that is not the reward"
kill "$server"
wait "$server" || fail "the server ended with $?"
server=''

step "as nobody, without a home, where nothing can be written"
scores chroot --userspec=65534:65534 "$debian" /usr/bin/env -i HOME=/nonexistent "/opt/$root/bin/murmur"
scores unshare --mount "$tree/distribution/read-only.sh" "$debian" "/opt/$root/bin/murmur"

if [ -n "$deb" ]; then
  step "the package for Debian"
  rm -rf "$debian/opt/$root" "$debian/usr/local/bin/"{murmur,mm}
  cp "$deb" "$debian/srv/murmuration.deb"
  inside PATH=/usr/sbin:/usr/bin:/sbin:/bin dpkg -i /srv/murmuration.deb
  scores inside murmur
  scores inside MURMUR_JAVA_OPTS=-XX:AOTMode=on murmur
  inside murmur demo > "$work/demo"
  inside PATH=/usr/sbin:/usr/bin:/sbin:/bin dpkg --verify murmuration
  [ -s "$debian/usr/share/doc/murmuration/copyright" ] || fail "the package has no copyright"
  inside PATH=/usr/sbin:/usr/bin:/sbin:/bin dpkg --purge murmuration
  left=$(cd "$debian" && find . -xdev -name '*murmur*' ! -path './srv/*' ! -path './proc/*' ! -path './var/log/*')
  [ -z "$left" ] || fail "the package leaves $left"
fi
step "all is well"
