# ports/cmake/nanorpc.cmake - the targets nanorpc::NAME, and nanorpc_generate. Of the sources, and of what is installed.
# Layer: port. Source: the CMake manual, "Interface Libraries".
# SPDX-License-Identifier: Apache-2.0

# Every target is an interface: its sources are compiled in the program that links it, with that program's settings.
# So all files of an image have the same limits, which the layout of nanorpc's structs wants, and
# target_compile_definitions(app PRIVATE NRPC_MAX_STREAMS=8) is all that sets one. A library of the user's that only
# includes headers links nanorpc::headers, and must be given the same settings.
include_guard(GLOBAL)

get_filename_component(NANORPC_ROOT "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(NANORPC_ROOT "${NANORPC_ROOT}" CACHE INTERNAL "nanorpc's sources")

set(NANOPB_DIR "$ENV{NANOPB_DIR}" CACHE PATH "nanopb's folder: pb.h, and pb_encode.c and so on are in it")
set(NANORPC_PYTHON "" CACHE FILEPATH "a Python that has grpcio-tools and nanopb; python3 of PATH unless it is said")

# $1: name behind nanorpc::; SOURCES: globs below nanorpc's folder; DEFINE, LINK: as for a target.
function(nanorpc_interface name)
    cmake_parse_arguments(PARSE_ARGV 1 its "" "" "SOURCES;DEFINE;LINK")
    set(sources)
    foreach(pattern IN LISTS its_SOURCES)
        file(GLOB found CONFIGURE_DEPENDS "${NANORPC_ROOT}/${pattern}")
        if(NOT found)
            message(FATAL_ERROR "nanorpc: there is no ${NANORPC_ROOT}/${pattern}: the folder is not whole")
        endif()
        list(APPEND sources ${found})
    endforeach()
    add_library(nanorpc_${name} INTERFACE)
    add_library(nanorpc::${name} ALIAS nanorpc_${name})
    target_sources(nanorpc_${name} INTERFACE ${sources})
    target_compile_definitions(nanorpc_${name} INTERFACE ${its_DEFINE})
    target_link_libraries(nanorpc_${name} INTERFACE ${its_LINK})
endfunction()

# --- nanopb ------------------------------------------------------------------------------------------

# The folder that is named, else a target that is there, else what the system has.
function(nanorpc_find_nanopb)
    add_library(nanorpc_nanopb INTERFACE)
    add_library(nanorpc::nanopb ALIAS nanorpc_nanopb)
    if(NANOPB_DIR)
        if(NOT EXISTS "${NANOPB_DIR}/pb_encode.c")
            message(FATAL_ERROR "nanorpc: NANOPB_DIR=${NANOPB_DIR}: there is no pb_encode.c in it")
        endif()
        foreach(part IN ITEMS common encode decode)
            target_sources(nanorpc_nanopb INTERFACE "${NANOPB_DIR}/pb_${part}.c")
        endforeach()
        target_include_directories(nanorpc_nanopb SYSTEM INTERFACE "${NANOPB_DIR}")
        return()
    endif()
    foreach(target IN ITEMS protobuf-nanopb-static nanopb::protobuf-nanopb-static)
        if(TARGET ${target})
            target_link_libraries(nanorpc_nanopb INTERFACE ${target})
            return()
        endif()
    endforeach()
    find_path(NANORPC_NANOPB_INCLUDE pb_encode.h PATH_SUFFIXES nanopb)
    find_library(NANORPC_NANOPB_LIBRARY protobuf-nanopb)
    if(NOT NANORPC_NANOPB_INCLUDE OR NOT NANORPC_NANOPB_LIBRARY OR CMAKE_CROSSCOMPILING)
        message(FATAL_ERROR "nanorpc: nanopb is needed. Give -DNANOPB_DIR=FOLDER, the one that pb.h and pb_encode.c "
            "are in (version 0.4.9), or add nanopb's own CMake project before nanorpc")
    endif()
    target_include_directories(nanorpc_nanopb SYSTEM INTERFACE "${NANORPC_NANOPB_INCLUDE}")
    target_link_libraries(nanorpc_nanopb INTERFACE "${NANORPC_NANOPB_LIBRARY}")
endfunction()
nanorpc_find_nanopb()

# --- The engine, and what is linked beside it ----------------------------------------------------------

add_library(nanorpc_headers INTERFACE)
add_library(nanorpc::headers ALIAS nanorpc_headers)
target_include_directories(nanorpc_headers INTERFACE "${NANORPC_ROOT}")
target_compile_features(nanorpc_headers INTERFACE c_std_99)
target_link_libraries(nanorpc_headers INTERFACE nanorpc::nanopb)

nanorpc_interface(core
    SOURCES nanorpc/hpack/*.c nanorpc/http2/*.c nanorpc/grpc/*.c nanorpc/server/*.c nanorpc/client/*.c
    LINK nanorpc::headers)
# The client's role beside the server's.
nanorpc_interface(client DEFINE NRPC_CLIENT=1 LINK nanorpc::core)
# Health, reflection and interceptors: nanorpc/services/*.h. Reflection wants NRPC_PIECES=1.
nanorpc_interface(services SOURCES nanorpc/services/*.c LINK nanorpc::core)

# --- Ports: one of them, or more -------------------------------------------------------------------------

nanorpc_interface(posix SOURCES ports/posix/*.c LINK nanorpc::core)
if(UNIX AND NOT CMAKE_CROSSCOMPILING)
    set(THREADS_PREFER_PTHREAD_FLAG ON)
    find_package(Threads REQUIRED) # names are looked up in one
    target_link_libraries(nanorpc_posix INTERFACE Threads::Threads)
endif()
nanorpc_interface(serial SOURCES ports/serial/*.c LINK nanorpc::core)
# lwIP's folders, with lwipopts.h, are the program's own: its include directories, or those of a target that it links.
nanorpc_interface(lwip SOURCES ports/lwip/nrpc_lwip.c ports/lwip/nrpc_lwip_dial.c LINK nanorpc::core)
nanorpc_interface(lwip_sockets SOURCES ports/lwip/nrpc_lwip_sockets*.c LINK nanorpc::core)

# TLS below any of the ports. Mbed TLS is a target MbedTLS::mbedtls that is there or found, or the program's own.
nanorpc_interface(tls SOURCES ports/mbedtls/*.c DEFINE NRPC_TLS=1 LINK nanorpc::core)
if(NOT TARGET MbedTLS::mbedtls AND NOT CMAKE_CROSSCOMPILING)
    find_package(MbedTLS QUIET)
endif()
if(TARGET MbedTLS::mbedtls)
    target_link_libraries(nanorpc_tls INTERFACE MbedTLS::mbedtls)
endif()

# --- The generator -----------------------------------------------------------------------------------------

# nanorpc_generate(TARGET app PROTOS a.proto... [IMPORT_DIRS dir...] [OUT dir] [REQUIRE_HANDLERS])
#
# Adds to the target what services and messages of the .proto files become in C, with all that they import, and makes
# it anew when one of these or an .options file beside it has changed. IMPORT_DIRS: of imports; a file's name counts
# from the first of them that it lies in, else from its own folder. OUT: where the C files go; in the build folder
# unless it is said. REQUIRE_HANDLERS: the linker names handlers that are missing.
function(nanorpc_generate)
    cmake_parse_arguments(PARSE_ARGV 0 its "REQUIRE_HANDLERS" "TARGET;OUT" "PROTOS;IMPORT_DIRS")
    if(its_UNPARSED_ARGUMENTS OR NOT its_TARGET OR NOT its_PROTOS)
        message(FATAL_ERROR "nanorpc_generate(TARGET app PROTOS a.proto... [IMPORT_DIRS dir...] [OUT dir] "
            "[REQUIRE_HANDLERS]): got ${ARGV}")
    endif()
    if(NOT TARGET ${its_TARGET})
        message(FATAL_ERROR "nanorpc_generate: there is no target ${its_TARGET} yet: it stands behind add_executable")
    endif()
    if(NOT its_OUT)
        set(its_OUT "${CMAKE_CURRENT_BINARY_DIR}/nanorpc-${its_TARGET}")
    endif()
    set(python "${NANORPC_PYTHON}")
    if(NOT python)
        find_package(Python3 REQUIRED COMPONENTS Interpreter)
        set(python "${Python3_EXECUTABLE}")
    endif()
    set(protos)
    foreach(proto IN LISTS its_PROTOS)
        get_filename_component(proto "${proto}" ABSOLUTE)
        list(APPEND protos "${proto}")
    endforeach()
    set(words)
    foreach(folder IN LISTS its_IMPORT_DIRS)
        get_filename_component(folder "${folder}" ABSOLUTE)
        list(APPEND words -I "${folder}")
    endforeach()
    if(its_REQUIRE_HANDLERS)
        list(APPEND words --require-handlers)
    endif()
    set(environment)
    if(NANOPB_DIR)
        set(environment "NANOPB_DIR=${NANOPB_DIR}")
    endif()
    set(command "${CMAKE_COMMAND}" -E env ${environment} "${python}" -B "${NANORPC_ROOT}/ports/python/nanorpc/generate.py"
        ${protos} ${words})

    execute_process(COMMAND ${command} --list RESULT_VARIABLE failed OUTPUT_VARIABLE names ERROR_VARIABLE why)
    if(failed)
        message(FATAL_ERROR "${why}")
    endif()
    string(REGEX MATCHALL "[^\n]+" names "${names}")
    set(made)
    foreach(name IN LISTS names)
        list(APPEND made "${its_OUT}/${name}")
    endforeach()
    # What is imported may change, and with it which files there are.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${protos})
    file(GLOB generator "${NANORPC_ROOT}/proto/nanorpc_generator/*.py")
    set(options)
    foreach(proto IN LISTS protos)
        string(REGEX REPLACE "\\.proto$" ".options" file "${proto}")
        if(EXISTS "${file}")
            list(APPEND options "${file}")
        endif()
    endforeach()
    add_custom_command(
        OUTPUT ${made}
        COMMAND ${command} --out "${its_OUT}" --depfile "${its_OUT}/nanorpc.d"
        COMMAND "${CMAKE_COMMAND}" -E touch ${made}
        DEPENDS ${protos} ${options} ${generator} "${NANORPC_ROOT}/ports/python/nanorpc/generate.py"
        DEPFILE "${its_OUT}/nanorpc.d"
        COMMENT "nanorpc: ${its_PROTOS}"
        VERBATIM)
    target_sources(${its_TARGET} PRIVATE ${made})
    get_target_property(type ${its_TARGET} TYPE)
    if(type STREQUAL "EXECUTABLE")
        target_include_directories(${its_TARGET} PRIVATE "${its_OUT}")
    else()
        target_include_directories(${its_TARGET} PUBLIC "${its_OUT}")
    endif()
endfunction()
