/* ports/mbedtls/nrpc_tls_start.c - from certificates and options to a configuration of Mbed TLS.
 * Layer: port. Source: Mbed TLS 3.6 ssl.h; RFC 9113 9.2.
 * SPDX-License-Identifier: Apache-2.0 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "nanorpc/http2/nrpc_conn.h"
#include "ports/mbedtls/nrpc_tls.h"

/* What a client that waits for our SETTINGS can put into one record, at most, for each call: a
 * message within its window, and the headers that gRPC clients send. */
enum { HEADERS_BYTES = 512, CONTROL_BYTES = 256 };

static const int suites[] = {
#if NRPC_TLS_13
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#endif
#if NRPC_TLS_12
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
#endif
    0};
static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, 0};

/* One certificate behind the other, used where they are. Returns 0, or 1: one of them is none. */
static int parse(mbedtls_x509_crt *chain, struct nrpc_tls_bytes bytes)
{
    mbedtls_x509_crt_init(chain);
    while (bytes.n) {
        mbedtls_x509_crt *last = chain;
        if (mbedtls_x509_crt_parse_der_nocopy(chain, bytes.data, bytes.n)) {
            return 1;
        }
        while (last->next) {
            last = last->next;
        }
        bytes.data += last->raw.len;
        bytes.n -= last->raw.len;
    }
    return 0;
}

static const char *parse_all(const struct nrpc_tls *tls)
{
    struct nrpc_tls_state *state = tls->state;
    if (parse(&state->certificate, tls->certificate)) {
        return "certificate: not a DER certificate with a P-256 key, or NRPC_TLS_MEMORY_BYTES is "
               "too little";
    }
    if (parse(&state->authority, tls->authority)) {
        return "authority: not a DER certificate with a P-256 key, or NRPC_TLS_MEMORY_BYTES is too "
               "little";
    }
    mbedtls_pk_init(&state->key);
    if (tls->key.n &&
        (mbedtls_pk_parse_key(&state->key, tls->key.data, tls->key.n, NULL, 0, nrpc_tls_random,
                              NULL) ||
         mbedtls_pk_check_pair(&state->certificate.pk, &state->key, nrpc_tls_random, NULL))) {
        return "key: not the DER key of the certificate";
    }
    return NULL;
}

static const char *check(const struct nrpc_server *server)
{
    const struct nrpc_tls *tls = server->tls;
    int verifies = tls->host || tls->clients != NRPC_TLS_CLIENTS_ANY;
    if (tls->n_links < server->n_conns) {
        return "NRPC_TLS_DEFINE has fewer connections than the server";
    }
    if (verifies && !tls->authority.n) {
        return "peers are to be verified, but there is no authority";
    }
    if (verifies && !tls->unix_s && !tls->undated) {
        return "this board has no clock: dates of certificates cannot be checked (see undated)";
    }
    if (!tls->host && !tls->key.n) {
        return "a server needs a certificate and its key";
    }
    if (MBEDTLS_SSL_IN_CONTENT_LEN < 16384 &&
        NRPC_MAX_STREAMS * (server->rx_bytes + HEADERS_BYTES) + CONTROL_BYTES >
            MBEDTLS_SSL_IN_CONTENT_LEN) {
        return "peers may send longer records than MBEDTLS_SSL_IN_CONTENT_LEN: fewer streams, or "
               "smaller messages";
    }
    return NULL;
}

static int forget_dates(void *unused, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    (void)unused;
    (void)certificate;
    (void)depth;
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    return 0;
}

static int configure(const struct nrpc_tls *tls)
{
    static const char *protocols[] = {"h2", NULL};
    int mode = tls->host                              ? MBEDTLS_SSL_VERIFY_REQUIRED
               : tls->clients != NRPC_TLS_CLIENTS_ANY ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                                      : MBEDTLS_SSL_VERIFY_NONE;
    struct nrpc_tls_state *state = tls->state;
    mbedtls_ssl_config *config = &state->config;
    int result;
    mbedtls_ssl_config_init(config);
    result = mbedtls_ssl_config_defaults(config,
                                         tls->host ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
                                         MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_groups(config, groups);
    mbedtls_ssl_conf_rng(config, nrpc_tls_random, NULL);
    mbedtls_ssl_conf_authmode(config, mode); /* of OPTIONAL, tls.c makes the decision */
    mbedtls_ssl_conf_ca_chain(config, tls->authority.n ? &state->authority : NULL, NULL);
    if (tls->undated) {
        mbedtls_ssl_conf_verify(config, forget_dates, NULL);
    }
    result = result ? result : mbedtls_ssl_conf_alpn_protocols(config, protocols);
    if (!result && tls->key.n) {
        result = mbedtls_ssl_conf_own_cert(config, &state->certificate, &state->key);
    }
    mbedtls_ssl_session_init(&state->session);
    state->has_session = 0;
    if (tls->host) {
#if NRPC_TLS_13
        mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
            config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
        return result;
    }
    mbedtls_ssl_ticket_init(&state->tickets);
    mbedtls_ssl_conf_session_tickets_cb(config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &state->tickets);
#if NRPC_TLS_13
    /* A ticket of TLS 1.3 does not carry the client's certificate, so who it is would be lost. One
     * of TLS 1.2 does. */
    if (tls->clients != NRPC_TLS_CLIENTS_ANY) {
        mbedtls_ssl_conf_new_session_tickets(config, 0);
    }
#endif
    return result ? result
                  : mbedtls_ssl_ticket_setup(&state->tickets, nrpc_tls_random, NULL,
                                             MBEDTLS_CIPHER_AES_128_GCM, NRPC_TLS_TICKET_S);
}

const char *nrpc_tls_start(const struct nrpc_server *server)
{
    const char *wrong = check(server);
    wrong = wrong ? wrong : nrpc_tls_seed(server->tls);
    wrong = wrong ? wrong : parse_all(server->tls);
    return wrong ? wrong : configure(server->tls) ? "NRPC_TLS_MEMORY_BYTES is too little" : NULL;
}
