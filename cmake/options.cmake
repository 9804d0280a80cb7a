# The flags every target of ours is built with. Foreign and generated code is SYSTEM and escapes the warnings.
option(ENTENTE_WERROR "Treat warnings as errors" OFF)
option(ENTENTE_COVERAGE "Count executed lines with gcov" OFF)
option(ENTENTE_FUZZ "Link fuzz targets with libFuzzer (clang, ENTENTE_SANITIZE=fuzzer-no-link,...)" OFF)
set(ENTENTE_SANITIZE "" CACHE STRING "Sanitizers, comma-separated: address,undefined or thread")

add_library(entente_flags INTERFACE)
target_compile_definitions(entente_flags INTERFACE _GNU_SOURCE ENTENTE_VERSION="${PROJECT_VERSION}")
target_include_directories(entente_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(entente_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion
    -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings
    -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference -Wformat=2
    -ffp-contract=off -fno-omit-frame-pointer -fstack-protector-strong)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(entente_flags INTERFACE
        -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init)
endif()
if(ENTENTE_WERROR)
    target_compile_options(entente_flags INTERFACE -Werror)
endif()

# Asserts stay on in release: CMake's default -DNDEBUG is left out on purpose.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_definitions(entente_flags INTERFACE _FORTIFY_SOURCE=3)
    target_link_options(entente_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
if(ENTENTE_SANITIZE)
    target_compile_options(entente_flags INTERFACE -fsanitize=${ENTENTE_SANITIZE}
        -fno-sanitize-recover=all)
    target_link_options(entente_flags INTERFACE -fsanitize=${ENTENTE_SANITIZE})
endif()
if(ENTENTE_COVERAGE)
    target_compile_options(entente_flags INTERFACE --coverage)
    target_link_options(entente_flags INTERFACE --coverage)
endif()
