# tests/cmake/firmware/arm.cmake - the toolchain of firmware/CMakeLists.txt.
# Layer: tests. Source: the CMake manual, "cmake-toolchains".
# SPDX-License-Identifier: Apache-2.0
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
