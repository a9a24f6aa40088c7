/* tests/cmake/installed/names.cc - a library's file that knows nanorpc's headers alone.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/nanorpc.h"

extern "C" const char *name_of(enum nrpc_status status)
{
    return status == NRPC_OK ? "OK" : "something else";
}
