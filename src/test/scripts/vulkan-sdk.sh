#!/bin/sh
# Puts into DIR what compiles llama.cpp's Vulkan backend on a Debian or Ubuntu whose own glslc is too old for its shaders (Debian
# 12's 2023.2 is): Debian 13's glslc, which runs with that Debian's C library from DIR, and Debian 13's headers; and lavapipe of Mesa
# 25 from Debian 12's backports, a Vulkan device made of software (Debian 12's own, of Mesa 22, ends the process now and then). Nothing
# is installed, and what is compiled with them needs no more than the system's own libraries. Prints what to put into the environment.
#
#   eval "$(src/test/scripts/vulkan-sdk.sh DIR)"
#
# apt fetches the packages and compares their signatures. A Debian 13 needs none of this: apt-get install glslc libvulkan-dev spirv-headers.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
# shellcheck source=../../../native/functions.sh
. "$(dirname "$0")/../../../native/functions.sh"
mirror=$(debian_mirror)
system=$dir/system

apt() {
  tool=$1
  shift
  "$tool" -q -o Dir::State="$dir/apt" -o Dir::State::status="$dir/apt/status" -o Dir::Cache="$dir/apt" -o Dir::Etc::sourcelist="$dir/apt/sources.list" \
    -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root -o Acquire::Languages=none "$@" >&2
}

# fetch SUITE FOLDER PACKAGES...: unpacks a suite's packages.
fetch() {
  suite=$1 folder=$2
  shift 2
  rm -rf "$dir/packages"
  mkdir -p "$dir/packages" "$folder"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$dir/apt/sources.list"
  apt apt-get update
  (cd "$dir/packages" && apt apt-get download "$@")
  for package in "$dir"/packages/*.deb; do
    dpkg-deb -x "$package" "$folder"
  done
}

if [ ! -f "$dir/complete" ]; then
  mkdir -p "$dir/apt/lists/partial" "$dir/apt/archives/partial"
  : > "$dir/apt/status"
  fetch trixie "$system" glslc libshaderc1 libstdc++6 libgcc-s1 libc6 libvulkan-dev libvulkan1 spirv-headers
  fetch bookworm-backports "$dir/mesa" mesa-vulkan-drivers libdrm2 libdrm-amdgpu1
  driver=$(find "$dir/mesa" -name libvulkan_lvp.so)
  sed "s|\"library_path\": .*|\"library_path\": \"$driver\"|" "$dir"/mesa/usr/share/vulkan/icd.d/lvp_icd*.json > "$dir/lavapipe.json"
  loader=$(find "$system" -name 'ld-linux*.so*' | head -n 1)
  libraries=$(dirname "$(find "$system" -name 'libshaderc_shared.so*' -o -name 'libshaderc.so*' | head -n 1)")
  mv "$system/usr/bin/glslc" "$system/glslc"
  printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$loader" "$libraries:$(dirname "$loader")" "$system/glslc" > "$system/usr/bin/glslc"
  chmod +x "$system/usr/bin/glslc"
  "$system/usr/bin/glslc" --version >&2
  : > "$dir/complete"
fi
# CMake looks below the prefix for headers, packages and glslc; where it compiles for an older Debian, in VULKAN_SDK.
echo "export CMAKE_PREFIX_PATH='$system/usr' VULKAN_SDK='$system/usr' VK_ICD_FILENAMES='$dir/lavapipe.json' VK_DRIVER_FILES='$dir/lavapipe.json'"
