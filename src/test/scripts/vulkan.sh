#!/bin/sh
# Builds the libraries with the Vulkan backend as they are published, and runs with them the tests that need a GPU, on lavapipe: Mesa's
# Vulkan device that computes on the processor. For Debian 12 on x86-64, as root, where it installs what is missing. What follows it
# goes to Maven; with -Dmurmuration.gpu.rows=512 as many rows are computed at once as usually are, which takes lavapipe long.
set -eu
cd "$(dirname "$0")/../../.."

# The libraries that lavapipe needs, and Vulkan's loader.
if ! ldconfig -p | grep -q 'libvulkan\.so\.1' || [ ! -e /usr/share/doc/mesa-vulkan-drivers ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mesa-vulkan-drivers libvulkan1
fi
sdk=$PWD/native/build/vulkan-sdk
environment=$(src/test/scripts/vulkan-sdk.sh "$sdk")
eval "$environment"
distribution/natives/build.sh linux-x86_64-vulkan
libraries=$PWD/native/build/dist/linux-x86_64-vulkan/META-INF/native/linux-x86_64

# A layer of Vulkan's that lets a device fail, and what hides Vulkan.
faults=$PWD/target/vulkan-faults
mkdir -p "$faults"
cp src/test/native/vulkan_faults.json "$faults/"
for part in faults missing; do
  c++ -std=c++17 -O1 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -I "$sdk/system/usr/include" \
    -o "$faults/libvulkan_$part.so" "src/test/native/vulkan_$part.cpp"
done

# llama.cpp takes a device made of software only if it is named.
export GGML_VK_VISIBLE_DEVICES=0
# Its compiler takes most of the time; what it made is there the next time.
export MESA_SHADER_CACHE_DIR="$sdk/cache"
mvn -B test -Pgpu -Dmurmuration.gpu.rows=64 -Dmurmuration.native.dir="$libraries" -Dmurmuration.vulkan.faults="$faults" "$@"
