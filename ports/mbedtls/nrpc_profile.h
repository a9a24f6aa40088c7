/* ports/mbedtls/nrpc_profile.h - what the profiles share: P-256, AES-128-GCM, SHA-256, no heap.
 * Layer: port; a profile_*.h includes it. Source: Mbed TLS 3.6 mbedtls_config.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_TLS_PROFILE_H
#define NRPC_TLS_PROFILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* --- From us instead of from a C library: memory.c and platform.c ----------------------------- */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
void *nrpc_tls_calloc(size_t count, size_t size);
void nrpc_tls_free(void *block);
#define MBEDTLS_PLATFORM_CALLOC_MACRO nrpc_tls_calloc
#if NRPC_TLS_13
/* Mbed TLS 3.6.6, its issue 10917: when a transform of TLS 1.3 cannot be set up, what it holds by
 * then is lost. */
struct mbedtls_ssl_transform;
void nrpc_tls_free_transform(struct mbedtls_ssl_transform *transform);
#define MBEDTLS_PLATFORM_FREE_MACRO(block)                       \
    _Generic((block),                                            \
        struct mbedtls_ssl_transform *: nrpc_tls_free_transform, \
        default: nrpc_tls_free)(block)
#else
#define MBEDTLS_PLATFORM_FREE_MACRO nrpc_tls_free
#endif
#define MBEDTLS_PLATFORM_EXIT_ALT
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_SNPRINTF_MACRO \
    snprintf /* for names and OIDs in words, which the linker drops where nobody asks */

/* Dates of certificates, and the age of tickets. */
#define MBEDTLS_HAVE_TIME
#define MBEDTLS_HAVE_TIME_DATE
#define MBEDTLS_PLATFORM_MS_TIME_ALT
#define MBEDTLS_PLATFORM_GMTIME_R_ALT
#define MBEDTLS_PLATFORM_TIME_TYPE_MACRO int64_t
int64_t nrpc_tls_unix_time(int64_t *also);
#define MBEDTLS_PLATFORM_TIME_MACRO nrpc_tls_unix_time

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_DEPRECATED_REMOVED
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_CTR_DRBG_USE_128_BIT_KEY /* seeded by the board's entropy, see nrpc_tls.h */

/* --- Algorithms: every gRPC client has these -------------------------------------------------- */
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ONLY_128_BIT_KEY_LENGTH
#define MBEDTLS_AES_ROM_TABLES /* in flash */
#define MBEDTLS_CIPHER_C
#define MBEDTLS_GCM_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#if NRPC_TLS_PUBLIC /* what certificates of the public internet are signed with */
#define MBEDTLS_MPI_MAX_SIZE 512
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_SHA384_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_X509_RSASSA_PSS_SUPPORT
#else
#define MBEDTLS_MPI_MAX_SIZE 48
#endif
#if NRPC_TLS_LESS_RAM
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_ECP_WINDOW_SIZE 2
/* A table of the generator: half the time for 1.7 KB of flash, 5.5 with P-384: not there. */
#define MBEDTLS_ECP_FIXED_POINT_OPTIM (1 - NRPC_TLS_PUBLIC)
#endif

#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_REMOVE_INFO

/* --- TLS -------------------------------------------------------------------------------------- */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_SESSION_TICKETS
#ifndef NRPC_TLS_SERVER
#define NRPC_TLS_SERVER 1 /* 0, for images of clients alone: less flash */
#endif
#if NRPC_TLS_SERVER
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_TICKET_C
#endif
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE /* the peer's names, for handlers */
#define MBEDTLS_SSL_ALL_ALERT_MESSAGES

#if NRPC_TLS_12
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#if NRPC_TLS_PUBLIC
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#endif
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#endif

#if NRPC_TLS_13
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_TLS1_3_DEFAULT_NEW_SESSION_TICKETS 1
#define MBEDTLS_SSL_CID_TLS1_3_PADDING_GRANULARITY 1 /* none */
#define MBEDTLS_HKDF_C
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#ifndef MBEDTLS_PSA_KEY_SLOT_COUNT
/* Two a connection, and five for each handshake that runs. */
#define MBEDTLS_PSA_KEY_SLOT_COUNT 16
#endif
#endif

#endif
