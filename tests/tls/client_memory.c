/* tests/tls/client_memory.c - memory for Mbed TLS's other end, so that ours has all of its own.
 * Layer: test. Source: ports/mbedtls/nrpc_tls_memory.c, once more.
 * SPDX-License-Identifier: Apache-2.0 */
#define nrpc_tls_calloc pair_client_calloc
#define nrpc_tls_free pair_client_free
#define nrpc_tls_memory pair_client_memory
#include "ports/mbedtls/nrpc_tls_memory.c"

int pair_client_has(const void *block);

int pair_client_has(const void *block)
{
    return (const union head *)block >= buffer &&
           (const union head *)block < buffer + sizeof buffer / UNIT;
}
