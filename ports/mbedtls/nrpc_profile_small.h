/* ports/mbedtls/nrpc_profile_small.h - Mbed TLS for TLS 1.2 alone, records of 4 KB.
 * Layer: port, of Mbed TLS alone. Source: Mbed TLS 3.6 mbedtls_config.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_TLS_PROFILE_SMALL_H
#define NRPC_TLS_PROFILE_SMALL_H

/* A client whose records are longer is refused (record_overflow). Those that wait for our SETTINGS
 * (grpcio, grpc-go, grpc-java, grpc-js) send none: windows bound their messages, see
 * nrpc_tls_start. */
#define NRPC_TLS_12 1
#define NRPC_TLS_13 0
#define NRPC_TLS_PUBLIC 0
#ifndef MBEDTLS_SSL_IN_CONTENT_LEN
#define MBEDTLS_SSL_IN_CONTENT_LEN 4096
#endif
#ifndef MBEDTLS_SSL_OUT_CONTENT_LEN
#define MBEDTLS_SSL_OUT_CONTENT_LEN 1024 /* our certificate chain, and 60 bytes, must fit */
#endif
#define NRPC_TLS_LESS_RAM 1

#include "ports/mbedtls/nrpc_profile.h"

#endif
