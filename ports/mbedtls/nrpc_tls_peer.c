/* ports/mbedtls/nrpc_tls_peer.c - who the peer is, for handlers and interceptors.
 * Layer: port. Source: RFC 5280 4.1.2.6, 4.2.1.6.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/http2/nrpc_conn.h"
#include "ports/mbedtls/nrpc_tls.h"

#include <mbedtls/oid.h>
#include <string.h>

/* NULL: it has shown none, or it is not verified. */
static const mbedtls_x509_crt *certificate_of(const struct nrpc_call *call)
{
    const struct nrpc_conn *conn = nrpc_call_conn(call);
    const struct nrpc_tls *tls = conn->server->tls;
    const mbedtls_ssl_context *ssl = tls ? &tls->links[conn - conn->server->conns].ssl : NULL;
    return ssl && !mbedtls_ssl_get_verify_result(ssl) ? mbedtls_ssl_get_peer_cert(ssl) : NULL;
}

int nrpc_tls_peer_verified(const struct nrpc_call *call)
{
    return certificate_of(call) != NULL;
}

static const mbedtls_asn1_buf *common_name(const mbedtls_x509_name *name, unsigned i)
{
    for (; name; name = name->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) == 0 && i-- == 0) {
            return &name->val;
        }
    }
    return NULL;
}

static const mbedtls_asn1_buf *alternative_name(const mbedtls_x509_sequence *name, int kind,
                                                unsigned i)
{
    for (; name; name = name->next) {
        if ((name->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == kind && i-- == 0) {
            return &name->buf;
        }
    }
    return NULL;
}

const void *nrpc_tls_peer_name(const struct nrpc_call *call, enum nrpc_tls_name kind, unsigned i,
                               size_t *n)
{
    const mbedtls_x509_crt *certificate = certificate_of(call);
    const mbedtls_asn1_buf *name;
    if (!certificate) {
        return NULL;
    }
    name = kind == NRPC_TLS_COMMON_NAME
               ? common_name(&certificate->subject, i)
               : alternative_name(&certificate->subject_alt_names, (int)kind, i);
    if (!name || !name->p) {
        return NULL;
    }
    *n = name->len;
    return name->p;
}
