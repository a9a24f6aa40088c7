/* tests/cmake/installed/main.cc - the server, in C++.
 * Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <cstdio>
#include <cstdlib>

#include "ports/posix/nrpc_posix.h"

extern "C" const struct nrpc_server server; /* handlers.c, of C: its macro wants C++20 here */
extern "C" const char *name_of(enum nrpc_status status);

int main(int, char **argv)
{
    if (nrpc_posix_listen(&server, "localhost", static_cast<uint16_t>(std::atoi(argv[1]))) != 0) {
        std::fprintf(stderr, "%s\n", nrpc_posix_error());
        return 1;
    }
    std::printf("ready: %s\n", name_of(NRPC_OK));
    std::fflush(stdout);
    while (nrpc_posix_poll(1000) >= 0) {
    }
    return 1;
}
