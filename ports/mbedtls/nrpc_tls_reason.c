/* ports/mbedtls/nrpc_tls_reason.c - why a connection was refused, as text.
 * Layer: port. Source: Mbed TLS 3.6 ssl.h, x509.h; RFC 8446 6.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/mbedtls/nrpc_tls.h"

struct text {
    int32_t number;
    const char *text;
};
#define END {0, NULL}

static const struct text errors[] = {
    {NRPC_TLS_NO_H2, "no application protocol: the peer does not offer h2"},
    {NRPC_TLS_RENEGOTIATION, "renegotiation refused"},
    {NRPC_TLS_TRUNCATED, "truncated: the peer closed without close_notify"},
    {NRPC_TLS_STALLED, "the handshake took too long"},
    {NRPC_TLS_LONG_RECORD, "record too long: it exceeds MBEDTLS_SSL_IN_CONTENT_LEN"},
    {MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL,
     "no application protocol: the peer does not offer h2"},
    {MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, "the client has no certificate"},
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, "out of memory: see NRPC_TLS_MEMORY_BYTES"},
    {MBEDTLS_ERR_X509_ALLOC_FAILED, "out of memory: see NRPC_TLS_MEMORY_BYTES"},
    {MBEDTLS_ERR_SSL_INVALID_MAC, "a record is not authentic"},
    {MBEDTLS_ERR_SSL_INVALID_RECORD, "not TLS: no such record"},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "unexpected message"},
    {MBEDTLS_ERR_SSL_DECODE_ERROR, "malformed handshake"},
    {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, "illegal parameter in the handshake"},
    {MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE,
     "handshake failure: nothing in common (P-256, AES-128-GCM, SHA-256)"},
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, "protocol version not supported"},
    {MBEDTLS_ERR_SSL_BAD_CERTIFICATE, "bad certificate"},
    {MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, "certificate not accepted"},
    END};

/* The first that applies says most. */
static const struct text flags[] = {
    {MBEDTLS_X509_BADCERT_MISSING, "the client has no certificate"},
    {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "certificate from an unknown CA"},
    {MBEDTLS_X509_BADCERT_EXPIRED, "certificate expired"},
    {MBEDTLS_X509_BADCERT_FUTURE, "certificate not yet valid"},
    {MBEDTLS_X509_BADCERT_CN_MISMATCH, "certificate for another host"},
    {MBEDTLS_X509_BADCERT_KEY_USAGE, "certificate not for this use"},
    {MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "certificate not for this use"},
    END};

static const struct text alerts[] = {
    {MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, "alert of the peer: handshake failure"},
    {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "alert of the peer: bad certificate"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, "alert of the peer: certificate expired"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, "alert of the peer: certificate unknown"},
    {MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA, "alert of the peer: unknown CA"},
    {MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION, "alert of the peer: protocol version"},
    {MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL, "alert of the peer: no application protocol"},
    {116, "alert of the peer: certificate required"},
    END};

const char *nrpc_tls_reason(const struct nrpc_tls_failure *failure)
{
    const struct text *at;
    for (at = flags; at->text && !(failure->flags & (uint32_t)at->number); at++) {
    }
    if (at->text) {
        return at->text;
    }
    if (failure->alert) {
        for (at = alerts; at->text && at->number != failure->alert; at++) {
        }
        return at->text ? at->text : "alert of the peer";
    }
    for (at = errors; at->text && at->number != failure->error; at++) {
    }
    return at->text ? at->text : "TLS failed";
}
