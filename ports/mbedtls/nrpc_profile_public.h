/* ports/mbedtls/nrpc_profile_public.h - Mbed TLS for clients of servers on the public internet.
 * Layer: port, of Mbed TLS alone. Source: Mbed TLS 3.6 mbedtls_config.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_TLS_PROFILE_PUBLIC_H
#define NRPC_TLS_PROFILE_PUBLIC_H

/* TLS 1.2 and 1.3, records of 16 KB. Beside what the others have it verifies RSA to 4096 bits,
 * P-384 and SHA-384. -DNRPC_TLS_SERVER=1 where the image has a server with TLS, too. */
#define NRPC_TLS_12 1
#define NRPC_TLS_13 1
#define NRPC_TLS_PUBLIC 1
#ifndef NRPC_TLS_SERVER
#define NRPC_TLS_SERVER 0
#endif
#ifndef MBEDTLS_SSL_IN_CONTENT_LEN
#define MBEDTLS_SSL_IN_CONTENT_LEN 16384
#endif
#ifndef MBEDTLS_SSL_OUT_CONTENT_LEN
#define MBEDTLS_SSL_OUT_CONTENT_LEN 2048 /* a ClientHello with the server's ticket */
#endif
#define NRPC_TLS_LESS_RAM 1

#include "ports/mbedtls/nrpc_profile.h"

#endif
