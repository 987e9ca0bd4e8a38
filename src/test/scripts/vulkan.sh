#!/bin/sh
# Builds the Vulkan backend and runs the tests that need a GPU on lavapipe, Mesa's Vulkan device that computes on the processor. For
# Debian 12, as root, where it installs what is missing. With -Dnative.portable=true as it is shipped, beside every CPU variant.
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

# The layer that lets a device fail.
layer=$PWD/target/vulkan-faults
mkdir -p "$layer"
cp src/test/native/vulkan_faults.json "$layer/"
c++ -std=c++17 -O1 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -I "$sdk/system/usr/include" \
  -o "$layer/libvulkan_faults.so" src/test/native/vulkan_faults.cpp

# llama.cpp takes a device made of software only if it is named.
export GGML_VK_VISIBLE_DEVICES=0
mvn -B test -Pgpu -Dnative.backends=vulkan -Dmurmuration.vulkan.faults="$layer" "$@"
