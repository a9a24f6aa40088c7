/* tests/readme/services/main.c - runs the servers of docs/services.md on Linux. The sensor is lost
 * once two calls of the guarded server have failed; then it is night. Layer: test. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "guarded.h"
#include "ports/posix/nrpc_posix.h"

extern const struct nrpc_server server, guarded;

void print(const char *line, size_t n)
{
    (void)n;
    printf("%s\n", line);
    fflush(stdout);
}

int is_night(void)
{
    return calls_that_failed() >= 2;
}

int main(void)
{
    if (nrpc_posix_listen(&guarded, "localhost", 0) != 0) {
        return 1;
    }
    printf("guarded %u\n", (unsigned)nrpc_posix_port());
    fflush(stdout);
    if (nrpc_posix_listen(&server, "localhost", SERVICES_PORT) != 0) {
        return 1;
    }
    while (nrpc_posix_poll(50) >= 0) {
        sensor_is_lost(is_night());
    }
    return 1;
}
