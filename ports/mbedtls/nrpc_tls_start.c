/* ports/mbedtls/nrpc_tls_start.c - from certificates and options to a configuration of Mbed TLS.
 * Layer: port. Source: Mbed TLS 3.6 ssl.h; RFC 9113 9.2.
 * SPDX-License-Identifier: Apache-2.0 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "nanorpc/http2/nrpc_conn.h"
#include "ports/mbedtls/nrpc_tls.h"

/* What a client that waits for our SETTINGS can put into one record, at most, for each call: a
 * message within its window, and the headers that gRPC clients send. */
enum { HEADERS_BYTES = 512, CONTROL_BYTES = 256 };
/* Of the message that has our certificates: a head, and 5 bytes each. */
enum { AROUND_CERTIFICATES = 60 };

static const int suites[] = {
#if NRPC_TLS_13
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#endif
#if NRPC_TLS_12
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
#if NRPC_TLS_PUBLIC
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
#endif
#endif
    0};
static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
#if NRPC_TLS_PUBLIC
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
#endif
                                  0};
#if NRPC_TLS_PUBLIC
/* PKCS #1 first: a server with TLS 1.2 and RSA may choose what is first, and Mbed TLS offers PSS
 * for TLS 1.3 but does not take it in 1.2. */
static const uint16_t signatures[] = {
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
    MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
    MBEDTLS_TLS1_3_SIG_NONE,
};
#endif

enum { SEQUENCE = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE };

/* *p: a certificate's content, *end its end. To its public key: behind the version, which may be
 * missing, and five things more (RFC 5280 4.1). Returns as Mbed TLS does. */
static int read_key(unsigned char *p, const unsigned char *end, mbedtls_pk_context *key)
{
    size_t n;
    int result = mbedtls_asn1_get_tag(&p, end, &n, SEQUENCE);
    for (int left = 5; !result && left && p < end; left--) {
        left += *p == (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED);
        result = mbedtls_asn1_get_tag(&p, end, &n, *p);
        p += result ? 0 : n;
    }
    return result ? result : mbedtls_pk_parse_subpubkey(&p, end, key);
}

/* Our own certificates, used where they are. They are the peer's to judge: what they and those
 * above them are signed with may be nothing that this profile has. So but for the first one's
 * public key they are not read. Returns 0, or 1: one of them is none. */
static int read_own(mbedtls_x509_crt *at, struct nrpc_tls_bytes bytes)
{
    unsigned char *p = (unsigned char *)(uintptr_t)bytes.data;
    const unsigned char *const end = bytes.n ? p + bytes.n : p;
    mbedtls_x509_crt_init(at);
    for (size_t n; p != end; p += n) {
        if (at->raw.p) {
            at->next = nrpc_tls_calloc(1, sizeof *at);
            at = at->next;
        }
        if (!at) {
            return 1;
        }
        at->raw.p = p;
        if (mbedtls_asn1_get_tag(&p, end, &n, SEQUENCE)) {
            return 1;
        }
        at->raw.len = (size_t)(p - at->raw.p) + n;
        if (at->raw.p == bytes.data && read_key(p, p + n, &at->pk)) {
            return 1;
        }
    }
    return 0;
}

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

static int is_pem(struct nrpc_tls_bytes bytes)
{
    return bytes.n && bytes.data[0] == '-';
}

static const char *parse_all(const struct nrpc_tls *tls)
{
    struct nrpc_tls_state *state = tls->state;
    if (is_pem(tls->certificate) || is_pem(tls->authority) || is_pem(tls->key)) {
        return "certificates and keys must be DER, not PEM";
    }
    if (read_own(&state->certificate, tls->certificate)) {
        return "certificate: not a DER certificate with a P-256 key";
    }
    if (parse(&state->authority, tls->authority)) {
        return "authority: not a DER certificate, or not of what this profile verifies";
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

/* What one connection takes while its handshake runs, beside its two records, and what is there for
 * all of them. Measured on a Cortex-M3, with peers whose certificates are like those of
 * tests/certs.py; with pointers of 8 bytes a fifth more. tests/tls holds the sum against what is
 * used. */
#define SERVER_BYTES (NRPC_TLS_13 ? 6000u : 3200u)
#define VERIFY_BYTES (NRPC_TLS_13 ? 3000u : 2500u)
#define CLIENT_BYTES (NRPC_TLS_PUBLIC ? 16000u : NRPC_TLS_13 ? 7800u : 5500u)
#define TICKETS_BYTES 1200u

/* NULL: a connection fits into what is free. */
static const char *check_memory(const struct nrpc_tls *tls)
{
    static char text[] = "NRPC_TLS_MEMORY_BYTES is too little for a connection, it takes 0000000";
    char *at = text + sizeof text - sizeof "0000000";
    uint32_t all = (uint32_t)(tls->certificate.n + tls->authority.n) + CLIENT_BYTES;
    if (!tls->host) {
        all += TICKETS_BYTES + SERVER_BYTES - CLIENT_BYTES;
        all += tls->clients != NRPC_TLS_CLIENTS_ANY ? VERIFY_BYTES : 0;
    }
    all = sizeof(void *) > 4 ? all / 5 * 6 : all;
    all += nrpc_tls_memory()->used + MBEDTLS_SSL_IN_CONTENT_LEN + MBEDTLS_SSL_OUT_CONTENT_LEN;
    all = (all + 7) / 8 * 8;
    for (uint32_t unit = 1000000; unit; unit /= 10) {
        if (all >= unit) {
            *at++ = (char)('0' + all / unit % 10);
        }
    }
    *at = '\0';
    return all > NRPC_TLS_MEMORY_BYTES ? text : NULL;
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
    if (!tls->host && !NRPC_TLS_SERVER) {
        return "this image has no server with TLS: see NRPC_TLS_SERVER";
    }
    if (!tls->host && !tls->key.n) {
        return "a server needs a certificate and its key";
    }
    if (tls->certificate.n + AROUND_CERTIFICATES > MBEDTLS_SSL_OUT_CONTENT_LEN) {
        return "certificate: longer than MBEDTLS_SSL_OUT_CONTENT_LEN less 60 bytes";
    }
    if (MBEDTLS_SSL_IN_CONTENT_LEN < 16384 &&
        NRPC_MAX_STREAMS * (server->rx_bytes + HEADERS_BYTES) + CONTROL_BYTES >
            MBEDTLS_SSL_IN_CONTENT_LEN) {
        return "peers may send longer records than MBEDTLS_SSL_IN_CONTENT_LEN: fewer streams, or "
               "smaller messages";
    }
    return check_memory(tls);
}

static int forget_dates(void *unused, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    (void)unused;
    (void)certificate;
    (void)depth;
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    return 0;
}

/* A server's. */
static int configure_tickets(const struct nrpc_tls *tls)
{
#ifdef MBEDTLS_SSL_SRV_C
    struct nrpc_tls_state *state = tls->state;
    mbedtls_ssl_config *config = &state->config;
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
    return mbedtls_ssl_ticket_setup(&state->tickets, nrpc_tls_random, NULL,
                                    MBEDTLS_CIPHER_AES_128_GCM, NRPC_TLS_TICKET_S);
#else
    (void)tls;
    return 0;
#endif
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
#if NRPC_TLS_PUBLIC
    mbedtls_ssl_conf_sig_algs(config, signatures);
#endif
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
    return result ? result : configure_tickets(tls);
}
const char *nrpc_tls_start(const struct nrpc_server *server)
{
    const char *wrong = check(server);
    wrong = wrong ? wrong : nrpc_tls_seed(server->tls);
    wrong = wrong ? wrong : parse_all(server->tls);
    return wrong ? wrong : configure(server->tls) ? "NRPC_TLS_MEMORY_BYTES is too little" : NULL;
}
