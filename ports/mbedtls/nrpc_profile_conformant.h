/* ports/mbedtls/nrpc_profile_conformant.h - Mbed TLS for TLS 1.2 and 1.3, records of 16 KB.
 * Layer: port, of Mbed TLS alone. Source: Mbed TLS 3.6 mbedtls_config.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_TLS_PROFILE_CONFORMANT_H
#define NRPC_TLS_PROFILE_CONFORMANT_H

#define NRPC_TLS_12 1
#define NRPC_TLS_13 1
#define NRPC_TLS_PUBLIC 0
#ifndef MBEDTLS_SSL_IN_CONTENT_LEN
#define MBEDTLS_SSL_IN_CONTENT_LEN 16384
#endif
#ifndef MBEDTLS_SSL_OUT_CONTENT_LEN
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096
#endif
#define NRPC_TLS_LESS_RAM 0

#include "ports/mbedtls/nrpc_profile.h"

#endif
