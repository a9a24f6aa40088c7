/* tests/tls/test_start.c - what TLS begins with: certificates, keys, a clock, memory.
 * Layer: test. Source: ports/mbedtls/nrpc_tls.h; RFC 5280 4.1.
 * SPDX-License-Identifier: Apache-2.0 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <string.h>

#include "certs.h"
#include "pair.h"

#define BYTES(array) {array, sizeof array}

static struct pair pair;
static struct nrpc_tls_link links[2];
static struct nrpc_tls_state state;
static struct nrpc_tls tls;
static struct nrpc_server server;

/* A server with the usual certificate; tests change what they are about. */
static void prepare(enum nrpc_tls_clients clients)
{
    const struct nrpc_tls usual = {
        .state = &state,
        .links = links,
        .n_links = 2,
        .certificate = BYTES(certs_server_crt),
        .key = BYTES(certs_server_key),
        .authority = BYTES(certs_ca_crt),
        .entropy = pair_entropy,
        .unix_s = pair_unix_s,
        .now_ms = pair_now_ms,
        .clients = (uint8_t)clients,
    };
    tls = usual;
    server = raw_server;
    server.tls = &tls;
}

static const char *start(void)
{
    const char *wrong;
    memset(&state, 0, sizeof state);
    pair_enter();
    wrong = nrpc_tls_start(&server);
    pair_leave();
    return wrong ? wrong : "";
}

/* What a start has taken. */
static void forget(void)
{
    pair_enter();
    mbedtls_x509_crt_free(&state.certificate);
    mbedtls_x509_crt_free(&state.authority);
    mbedtls_pk_free(&state.key);
    mbedtls_ssl_ticket_free(&state.tickets);
    mbedtls_ssl_config_free(&state.config);
    pair_leave();
}

/* --- Certificates and keys -------------------------------------------------------------------- */

static int sent(const uint8_t *bytes, size_t n)
{
    for (size_t at = 0; at + n <= pair.n_down; at++) {
        if (memcmp(pair.down + at, bytes, n) == 0) {
            return 1;
        }
    }
    return 0;
}

#define TOO_LONG "certificate: longer than MBEDTLS_SSL_OUT_CONTENT_LEN less 60 bytes"

/* Who has signed our certificate, and with what, is the client's business. This one cannot read it
 * unless the profile has RSA and P-384; tests/e2e has those that can. */
static void present(struct nrpc_tls_bytes certificate, struct nrpc_tls_bytes key)
{
    const struct pair_options options = {.version = versions[0]};
    uint32_t used = pair_memory.used;
    prepare(NRPC_TLS_CLIENTS_ANY);
    tls.certificate = certificate;
    tls.key = key;
    if (certificate.n + 60 > MBEDTLS_SSL_OUT_CONTENT_LEN) {
        CHECK_TEXT(start(), TOO_LONG);
        return;
    }
    CHECK_TEXT(start(), "");
    wire_begin_acked(&raw_server);
    raw_reset();
    wire.n_out = 0;
    CHECK(pair_open(&pair, &server, &options));
    pair_run(&pair);
    /* In TLS 1.3 it is encrypted. */
    CHECK(!NRPC_TLS_12 ||
          (sent(certificate.data, 400) && sent(certificate.data + certificate.n - 400, 400)));
    pair_close(&pair);
    forget();
    CHECK_EQ(pair_memory.used, used);
}

static void signed_by_others(void)
{
    static const struct {
        struct nrpc_tls_bytes certificate, key;
    } own[] = {{BYTES(certs_rsa_signed_crt), BYTES(certs_rsa_signed_key)},
               {BYTES(certs_p384_signed_crt), BYTES(certs_p384_signed_key)},
               {BYTES(certs_cross_signed_crt), BYTES(certs_cross_signed_key)},
               {BYTES(certs_sha384_signed_crt), BYTES(certs_sha384_signed_key)}};
    for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++) {
        struct nrpc_tls_bytes all = own[i].certificate, first = all;
        first.n = 4 + ((size_t)all.data[2] << 8 | all.data[3]);
        test_context("certificate", (long)i);
        present(all, own[i].key);
        present(first, own[i].key);
    }
    test_context(NULL, 0);
}

static void keys_in_both_forms(void)
{
    const struct nrpc_tls_bytes pkcs8 = BYTES(certs_server_pkcs8_key);
    const struct pair_options options = {.version = versions[0]};
    prepare(NRPC_TLS_CLIENTS_ANY);
    tls.key = pkcs8;
    CHECK_TEXT(start(), "");
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Echo", 0);
    wire_message(1, "hi", NRPC_END_STREAM);
    CHECK_TEXT(pair_talk(&pair, &server, &options), "1: [200 grpc] 'hi' [status=0] END");
    forget();
}

#define PEM "certificates and keys must be DER, not PEM"
#define BAD_CERTIFICATE "certificate: not a DER certificate with a P-256 key"
#define BAD_AUTHORITY "authority: not a DER certificate, or not of what this profile verifies"
#define BAD_KEY "key: not the DER key of the certificate"

static void check_refused(const char *why)
{
    CHECK_TEXT(start(), why);
    forget();
    prepare(NRPC_TLS_CLIENTS_VERIFIED);
}

static void wrong_ones(void)
{
    static const char pem[] = "-----BEGIN CERTIFICATE-----\nMIIB";
    static uint8_t changed[sizeof certs_server_crt];
    const struct nrpc_tls_bytes text = {(const uint8_t *)pem, sizeof pem},
                                root = BYTES(certs_rsa_root_crt), other = BYTES(certs_client_key),
                                none = BYTES(changed), of_p384 = BYTES(certs_p384_middle_crt);
    prepare(NRPC_TLS_CLIENTS_VERIFIED);
    tls.certificate = text;
    check_refused(PEM);
    tls.authority = text;
    check_refused(PEM);
    tls.key = text;
    check_refused(PEM);
    tls.key = other;
    check_refused(BAD_KEY);
    tls.authority = root;
    check_refused(NRPC_TLS_PUBLIC ? "" : BAD_AUTHORITY);
    tls.certificate = of_p384; /* its key is a P-384 one */
    check_refused(NRPC_TLS_PUBLIC ? BAD_KEY : BAD_CERTIFICATE);
    tls.certificate = none; /* all zeros */
    check_refused(BAD_CERTIFICATE);
    for (size_t n = 1; n < sizeof certs_server_crt; n += 7) { /* cut off */
        tls.certificate.n = n;
        check_refused(BAD_CERTIFICATE);
    }
    /* Behind a good one, what is none. */
    memcpy(changed, certs_server_crt, sizeof changed);
    tls.certificate = none;
    check_refused("");
    changed[3] -= 2; /* two bytes shorter than it is: something stands behind it */
    tls.certificate = none;
    CHECK(start()[0] != 0);
    forget();
}

/* --- The clock -------------------------------------------------------------------------------- */

int64_t nrpc_tls_unix_time(int64_t *also);

/* A server that needs none, started last, does not take it from those that do. */
static void clock_stays(void)
{
    prepare(NRPC_TLS_CLIENTS_VERIFIED);
    CHECK_TEXT(start(), "");
    forget();
    prepare(NRPC_TLS_CLIENTS_ANY);
    tls.unix_s = NULL;
    CHECK_TEXT(start(), "");
    forget();
    CHECK_EQ(nrpc_tls_unix_time(NULL), (int64_t)pair_unix_s());
}

/* --- Memory ----------------------------------------------------------------------------------- */

static void talk(const struct pair_options *options, const char *heard)
{
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Echo", 0);
    wire_message(1, "hi", NRPC_END_STREAM);
    CHECK_TEXT(pair_talk(&pair, &server, options), heard);
}

/* It starts with as much as it says, no less, and a connection comes about; with half of it there
 * is none. And it does not ask for much that is not used. */
static void suffices(enum nrpc_tls_clients clients, const struct pair_options *options)
{
    uint32_t bytes;
    prepare(clients);
    pair_spare(2048);
    bytes = pair_needed(start());
    pair_spare(bytes - 8);
    CHECK_EQ(pair_needed(start()), bytes);
    pair_spare(bytes);
    CHECK_TEXT(start(), "");
    pair_memory.peak = pair_memory.used;
    talk(options, "1: [200 grpc] 'hi' [status=0] END");
    CHECK(NRPC_TLS_MEMORY_BYTES - pair_memory.peak <= bytes / 8); /* what was free at the peak */
    pair_spare(bytes / 16 * 8);
    raw_reset();
    wire.n_out = 0;
    if (pair_open(&pair, &server, options)) {
        pair_run(&pair);
    }
    CHECK(!pair.is_open);
    pair_close(&pair);
    pair_spare(0);
    forget();
}

static void memory_that_suffices(void)
{
    EACH_VERSION(v)
    {
        const struct pair_options options = {.version = versions[v]},
                                  shown = {.version = versions[v],
                                           .certificate = BYTES(certs_client_crt),
                                           .key = BYTES(certs_client_key)};
        suffices(NRPC_TLS_CLIENTS_ANY, &options);
        suffices(NRPC_TLS_CLIENTS_VERIFIED, &shown);
    }
}

int main(void)
{
    RUN(signed_by_others);
    RUN(keys_in_both_forms);
    RUN(wrong_ones);
    RUN(clock_stays);
    RUN(memory_that_suffices);
    return test_end();
}
