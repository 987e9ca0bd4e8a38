# Compiles with this system's GCC for an older Debian, or for another processor. MURMUR_SYSROOT has that one's C library, and the
# C++ runtime of its own GCC: ours may need a newer C library, and is linked statically.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MURMUR_ARCH MURMUR_SYSROOT)
set(triplet "${MURMUR_ARCH}-linux-gnu")
file(GLOB runtime "${MURMUR_SYSROOT}/usr/lib/gcc/${triplet}/*")
get_filename_component(version "${runtime}" NAME)

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR "${MURMUR_ARCH}")
set(CMAKE_C_COMPILER "${triplet}-gcc")
set(CMAKE_CXX_COMPILER "${triplet}-g++")
set(CMAKE_SYSROOT "${MURMUR_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
if(DEFINED ENV{VULKAN_SDK})
  # Vulkan's loader and headers, of which only the names of functions go into what is built.
  list(APPEND CMAKE_FIND_ROOT_PATH "$ENV{VULKAN_SDK}")
endif()

# A cross compiler looks into folders of its own before the sysroot.
set(usr "${MURMUR_SYSROOT}/usr")
set(c "-isystem \"${usr}/include/${triplet}\" -isystem \"${usr}/include\"")
set(CMAKE_C_FLAGS_INIT "${c}")
set(CMAKE_CXX_FLAGS_INIT "-nostdinc++ -isystem \"${usr}/include/c++/${version}\" -isystem \"${usr}/include/${triplet}/c++/${version}\" ${c}")
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-L\"${runtime}\" -L\"${usr}/lib/${triplet}\" -L\"${MURMUR_SYSROOT}/lib/${triplet}\" -B\"${usr}/lib/${triplet}\"")
endforeach()
