#!/bin/sh
# Builds the Vulkan backend as it is shipped, beside every CPU variant, and runs the tests that need a GPU on lavapipe, Mesa's
# Vulkan device that computes on the processor. For Debian 12 and 13 and Ubuntu; as root it installs what is missing.
set -eu
cd "$(dirname "$0")/../../.."

driver=$(find /usr/share/vulkan/icd.d -name 'lvp_icd*.json' 2>/dev/null | head -n 1)
if [ -z "$driver" ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mesa-vulkan-drivers libvulkan1
  driver=$(find /usr/share/vulkan/icd.d -name 'lvp_icd*.json' | head -n 1)
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
export VK_ICD_FILENAMES="$driver" VK_DRIVER_FILES="$driver" GGML_VK_VISIBLE_DEVICES=0
mvn -B test -Pgpu -Dnative.portable=true -Dnative.backends=vulkan -Dmurmuration.vulkan.faults="$layer" "$@"
