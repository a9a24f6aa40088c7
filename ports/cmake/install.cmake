# ports/cmake/install.cmake - `cmake --install`: the sources, and what find_package(nanorpc) and pkg-config read.
# Layer: port. Source: the CMake manual, "Creating Packages".
# SPDX-License-Identifier: Apache-2.0
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Sources are compiled in the program that links them, see nanorpc.cmake: nothing is compiled here.
set(NANORPC_SHARE "${CMAKE_INSTALL_DATADIR}/nanorpc")
install(DIRECTORY nanorpc DESTINATION "${NANORPC_SHARE}" FILES_MATCHING PATTERN "*.[ch]")
foreach(port IN ITEMS posix lwip serial mbedtls)
    install(DIRECTORY ports/${port} DESTINATION "${NANORPC_SHARE}/ports" FILES_MATCHING PATTERN "*.[ch]")
endforeach()
install(FILES ports/nrpc_admission.h ports/nrpc_link.h DESTINATION "${NANORPC_SHARE}/ports")
install(FILES ports/cmake/nanorpc.cmake DESTINATION "${NANORPC_SHARE}/ports/cmake")
install(DIRECTORY ports/python/nanorpc DESTINATION "${NANORPC_SHARE}/ports/python" FILES_MATCHING PATTERN "*.py")
install(DIRECTORY proto DESTINATION "${NANORPC_SHARE}" PATTERN "__pycache__" EXCLUDE)
install(FILES LICENSE DESTINATION "${NANORPC_SHARE}")

set(NANORPC_CMAKE "${CMAKE_INSTALL_DATADIR}/cmake/nanorpc")
configure_package_config_file(ports/cmake/nanorpc-config.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/nanorpc-config.cmake"
    INSTALL_DESTINATION "${NANORPC_CMAKE}" PATH_VARS NANORPC_SHARE)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/nanorpc-config-version.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/nanorpc-config.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/nanorpc-config-version.cmake" DESTINATION "${NANORPC_CMAKE}")
