/* tests/tls/test_tls.c - the filter, with bytes that are cut anywhere; peers that are wrong.
 * Layer: test. Source: RFC 8446, RFC 5246, RFC 9113 9.2; ports/mbedtls/nrpc_tls.h.
 * SPDX-License-Identifier: Apache-2.0 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <string.h>

#include "certs.h"
#include "pair.h"

#define BYTES(array) {array, sizeof array}
#define CLIENT .certificate = BYTES(certs_client_crt), .key = BYTES(certs_client_key)

static struct pair pair, other;

/* On an emulated board a handshake takes a while: there, not at every position. */
#ifdef __arm__
enum { STEP = 61, MEMORY_STEP = 16 };
#else
enum { STEP = 1, MEMORY_STEP = 1 };
#endif

/* What the client says when its handshake is done, and what it must hear. */
static void say_hello(void)
{
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Echo", 0);
    wire_message(1, "hi", NRPC_END_STREAM);
}
static const char *const heard = "1: [200 grpc] 'hi' [status=0] END";

static void talk(const struct pair_options *options, enum nrpc_tls_clients clients)
{
    uint32_t used = (pair_server(clients), pair_memory.used);
    CHECK_TEXT(pair_talk(&pair, pair_server(clients), options), heard);
    CHECK_EQ(pair.result, 0);
    CHECK_EQ(pair.failed, 0);
    CHECK_EQ(pair_memory.used, used);
}

static void calls_are_served(void)
{
    say_hello();
    EACH_VERSION(v)
    {
        struct pair_options options = {.version = versions[v]},
                            shown = {.version = versions[v], CLIENT};
        talk(&options, NRPC_TLS_CLIENTS_ANY);
        talk(&options, NRPC_TLS_CLIENTS_OPTIONAL);
        talk(&shown, NRPC_TLS_CLIENTS_OPTIONAL);
        talk(&shown, NRPC_TLS_CLIENTS_VERIFIED);
    }
}

static void cut_anywhere(void)
{
    say_hello();
    EACH_VERSION(v)
    {
        struct pair_options options = {.version = versions[v]},
                            shown = {.version = versions[v], CLIENT};
        size_t n;
        pair.room = NRPC_LINK_MIN;
        pair.way = PAIR_BYTES;
        talk(&shown, NRPC_TLS_CLIENTS_VERIFIED);
        talk(&options, NRPC_TLS_CLIENTS_ANY);
        pair.way = PAIR_CUT;
        n = pair.n_up;
        for (pair.at = 1; pair.at < n && !test_has_failed(); pair.at += STEP) {
            test_context("cut at", (long)pair.at);
            talk(&options, NRPC_TLS_CLIENTS_ANY);
        }
        test_context(NULL, 0);
    }
    pair.way = PAIR_WHOLE;
    pair.room = 0;
}

/* --- Who the client is ------------------------------------------------------------------------ */

static void check_name(const struct nrpc_call *call, enum nrpc_tls_name kind, const char *expected)
{
    size_t n = 0;
    const void *name = nrpc_tls_peer_name(call, kind, 0, &n);
    CHECK(name && n == strlen(expected) && memcmp(name, expected, n) == 0);
    CHECK(nrpc_tls_peer_name(call, kind, 1, &n) == NULL);
}

static void names_are_read(void)
{
    EACH_VERSION(v)
    {
        struct pair_options options = {.version = versions[v]},
                            shown = {.version = versions[v], CLIENT};
        size_t n;
        wire_begin_acked(&raw_server);
        wire_request(1, "/test.Raw/Later", 0);
        wire_message(1, "hi", NRPC_END_STREAM);
        for (int shows = 0; shows <= 1; shows++) {
            raw_reset();
            wire.n_out = 0;
            CHECK(pair_open(&pair, pair_server(NRPC_TLS_CLIENTS_OPTIONAL),
                            shows ? &shown : &options));
            pair_run(&pair);
            CHECK_EQ(nrpc_tls_peer_verified(raw_call(1)), shows);
            if (shows) {
                check_name(raw_call(1), NRPC_TLS_COMMON_NAME, "client-1");
                check_name(raw_call(1), NRPC_TLS_DNS, "client-1.test");
                check_name(raw_call(1), NRPC_TLS_URI, "spiffe://nanorpc.test/client-1");
                CHECK(nrpc_tls_peer_name(raw_call(1), NRPC_TLS_IP, 0, &n) == NULL);
            } else {
                CHECK(nrpc_tls_peer_name(raw_call(1), NRPC_TLS_COMMON_NAME, 0, &n) == NULL);
            }
            raw_finish(1, NRPC_OK, NULL);
            pair_run(&pair);
            pair_close(&pair);
        }
    }
}

/* --- Peers that are refused ------------------------------------------------------------------- */

/* error, flags: what the server says; alert: what the client hears. 0: whatever. */
static void refuse(const struct pair_options *options, enum nrpc_tls_clients clients, int error,
                   uint32_t flags, int alert)
{
    uint32_t used = (pair_server(clients), pair_memory.used);
    raw_reset();
    wire.n_out = 0;
    CHECK(pair_open(&pair, pair_server(clients), options));
    pair_run(&pair);
    CHECK(nrpc_link_closing(pair.conn));
    CHECK(pair.result != 0);
    CHECK_EQ(pair.failed, 1);
    CHECK(!error || pair.failure.error == error);
    CHECK_EQ(pair.failure.flags & flags, flags);
    if (alert) {
        CHECK_EQ(pair.result, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
        CHECK_EQ(pair.ssl.in_msg[1], alert);
    }
    CHECK_EQ(raw.n_events, 0);
    pair_close(&pair);
    CHECK_EQ(pair_memory.used, used);
}

static void other_protocols(void)
{
    static const char *http[] = {"http/1.1", NULL};
    EACH_VERSION(v)
    {
        struct pair_options options = {.version = versions[v], .protocols = http};
        refuse(&options, NRPC_TLS_CLIENTS_ANY, MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, 0,
               MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL);
    }
}

static void bad_clients(void)
{
    static const struct {
        struct nrpc_tls_bytes certificate, key;
        uint32_t flags;
        int alert;
    } bad[] = {{BYTES(certs_client_expired_crt), BYTES(certs_client_expired_key),
                MBEDTLS_X509_BADCERT_EXPIRED, MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED},
               {BYTES(certs_client_stranger_crt), BYTES(certs_client_stranger_key),
                MBEDTLS_X509_BADCERT_NOT_TRUSTED, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA},
               {BYTES(certs_server_crt), BYTES(certs_server_key),
                MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, MBEDTLS_SSL_ALERT_MSG_BAD_CERT}};
    EACH_VERSION(v)
    {
        struct pair_options none = {.version = versions[v]};
        for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            struct pair_options options = {
                .version = versions[v], .certificate = bad[i].certificate, .key = bad[i].key};
            test_context("certificate", (long)i);
            refuse(&options, NRPC_TLS_CLIENTS_OPTIONAL, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED,
                   bad[i].flags, bad[i].alert);
            refuse(&options, NRPC_TLS_CLIENTS_VERIFIED, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED,
                   bad[i].flags, bad[i].alert);
        }
        test_context(NULL, 0);
        refuse(&none, NRPC_TLS_CLIENTS_VERIFIED, MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, 0,
               versions[v] == MBEDTLS_SSL_VERSION_TLS1_2 ? MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE
                                                         : 116);
    }
}

/* The client does not like our certificate: we hear why. (In TLS 1.3 this client sends its alert in
 * plain text, too late for that; the clients of the end-to-end tests do not.) */
static void bad_server(void)
{
    EACH_VERSION(v)
    {
        struct pair_options stranger = {.version = versions[v],
                                        .authority = BYTES(certs_other_crt)},
                            elsewhere = {.version = versions[v], .host = "elsewhere.test"};
        int is_heard = versions[v] == MBEDTLS_SSL_VERSION_TLS1_2;
        refuse(&stranger, NRPC_TLS_CLIENTS_ANY, is_heard ? MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE : 0,
               0, 0);
        CHECK(!is_heard || pair.failure.alert == MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA);
        refuse(&elsewhere, NRPC_TLS_CLIENTS_ANY, is_heard ? MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE : 0,
               0, 0);
        CHECK(!is_heard || pair.failure.alert == MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
    }
}

/* --- Ends ------------------------------------------------------------------------------------- */

static void begin_call(const char *method)
{
    static const struct pair_options options = {.host = NULL};
    wire_begin_acked(&raw_server);
    wire_request(1, method, 0);
    wire_message(1, "hi", NRPC_END_STREAM);
    raw_reset();
    wire.n_out = 0;
    CHECK(pair_open(&pair, pair_server(NRPC_TLS_CLIENTS_ANY), &options));
    pair_run(&pair);
}

static void orderly_ends(void)
{
    begin_call("/test.Raw/Echo");
    CHECK(!nrpc_link_closing(pair.conn));
    CHECK_EQ(mbedtls_ssl_close_notify(&pair.ssl), 0);
    pair_run(&pair);
    CHECK(nrpc_link_closing(pair.conn));
    CHECK(pair.saw_end); /* ours has come back */
    pair_close(&pair);
    CHECK_EQ(pair.failed, 0);
    /* From our side: GOAWAY, close_notify. */
    begin_call("/test.Raw/Echo");
    nrpc_conn_shutdown(pair.conn);
    for (int i = 0; i < 12 && !pair.saw_end; i++) {
        pair.now_ms += 1000;
        (void)nrpc_link_tick(pair.conn, pair.now_ms);
        pair_run(&pair);
    }
    CHECK(pair.saw_end);
    CHECK(nrpc_link_closing(pair.conn));
    pair_close(&pair);
    CHECK_EQ(pair.failed, 0);
    /* And the client just closes, as grpcio does: no call is open, so nothing is cut off. */
    begin_call("/test.Raw/Echo");
    pair_close(&pair);
    CHECK_EQ(pair.failed, 0);
}

static void truncated_ends(void)
{
    begin_call("/test.Raw/Later");
    pair_close(&pair);
    CHECK_EQ(pair.failed, 1);
    CHECK_EQ(pair.failure.error, NRPC_TLS_TRUNCATED);
    CHECK_EQ(raw.n_cancelled, 1);
}

static void false_records(void)
{
    /* A record that is not authentic. */
    begin_call("/test.Raw/Later");
    CHECK(mbedtls_ssl_write(&pair.ssl, (const unsigned char *)"x", 1) == 1);
    pair.up[pair.n_up - 1] ^= 1;
    pair_run(&pair);
    CHECK(nrpc_link_closing(pair.conn));
    CHECK_EQ(pair.failure.error, MBEDTLS_ERR_SSL_INVALID_MAC);
    CHECK_EQ(pair.result, MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
    CHECK_EQ(pair.ssl.in_msg[1], MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC);
    pair_close(&pair);
    CHECK_EQ(pair.failed, 1);
    CHECK_EQ(raw.n_cancelled, 1);
    /* Not TLS at all. */
    begin_call("/test.Raw/Echo");
    memcpy(pair.up + pair.n_up, "PRI * HTTP/2.0\r\n\r\n", 18);
    pair.n_up += 18;
    pair_run(&pair);
    CHECK(nrpc_link_closing(pair.conn));
    CHECK_EQ(pair.failed, 1);
    pair_close(&pair);
    /* One that is longer than our buffer. */
    begin_call("/test.Raw/Later");
    memcpy(pair.up + pair.n_up, "\x17\3\3\x48\0", 5);
    pair.n_up += 5;
    pair_run(&pair);
    CHECK(nrpc_link_closing(pair.conn));
    CHECK_EQ(pair.failure.error, NRPC_TLS_LONG_RECORD);
    CHECK_EQ(pair.ssl.in_msg[1], MBEDTLS_SSL_ALERT_MSG_RECORD_OVERFLOW);
    pair_close(&pair);
}

#if NRPC_TLS_12
int mbedtls_ssl_write_record(mbedtls_ssl_context *ssl, int force_flush); /* Mbed TLS's own */

static void renegotiation(void)
{
    static const struct pair_options options = {.version = MBEDTLS_SSL_VERSION_TLS1_2};
    const uint8_t client_hello[] = {MBEDTLS_SSL_HS_CLIENT_HELLO, 0, 0, 2, 3, 3};
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_message(1, "hi", NRPC_END_STREAM);
    raw_reset();
    CHECK(pair_open(&pair, pair_server(NRPC_TLS_CLIENTS_ANY), &options));
    pair_run(&pair);
    pair.ssl.out_msgtype = MBEDTLS_SSL_MSG_HANDSHAKE;
    pair.ssl.out_msglen = sizeof client_hello;
    memcpy(pair.ssl.out_msg, client_hello, sizeof client_hello);
    CHECK_EQ(mbedtls_ssl_write_record(&pair.ssl, 1), 0);
    pair_run(&pair);
    CHECK(nrpc_link_closing(pair.conn));
    CHECK_EQ(pair.failed, 1);
    CHECK_EQ(pair.failure.error, NRPC_TLS_RENEGOTIATION);
    CHECK_EQ(pair.ssl.in_msg[1], MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION);
    pair_close(&pair);
    CHECK_EQ(raw.n_cancelled, 1);
}
#endif

/* --- Stalls ----------------------------------------------------------------------------------- */

static void stalled_handshake(void)
{
    EACH_VERSION(v)
    {
        const struct pair_options options = {.version = versions[v]};
        size_t n_down;
        raw_reset();
        wire.n_out = 0;
        say_hello();
        CHECK(pair_open(&other, pair_server(NRPC_TLS_CLIENTS_ANY), &options));
        (void)mbedtls_ssl_handshake(&other.ssl);
        other.silent = 1; /* its ClientHello is all that comes */
        pair_run(&other);
        n_down = other.n_down;
        CHECK(n_down > 100 && !nrpc_link_closing(other.conn));
        CHECK_TEXT(pair_talk(&pair, pair_server(NRPC_TLS_CLIENTS_ANY), &options),
                   heard); /* others are served meanwhile */
        for (int i = 0; i < 30 && !nrpc_link_closing(other.conn); i++) {
            other.now_ms += 1000;
            CHECK(nrpc_link_tick(other.conn, other.now_ms) <= 1000);
            pair_run(&other);
        }
        CHECK(nrpc_link_closing(other.conn));
        CHECK_EQ(other.failure.error, NRPC_TLS_STALLED);
        CHECK(other.now_ms >= NRPC_STALL_TIMEOUT_MS);
        pair_close(&other);
        CHECK_EQ(other.failed, 1);
    }
}

/* --- Resumption ------------------------------------------------------------------------------- */

static void resume(uint16_t version, enum nrpc_tls_clients clients, int is_resumed)
{
    struct pair_options options = {.version = version, CLIENT};
    mbedtls_ssl_session session;
    size_t n_full;
    mbedtls_ssl_session_init(&session);
    say_hello();
    raw_reset();
    wire.n_out = 0;
    CHECK(pair_open(&pair, pair_server(clients), &options));
    pair_run(&pair);
    CHECK_TEXT(wire_text(), heard);
    n_full = pair.n_down;
    CHECK_EQ(mbedtls_ssl_get_session(&pair.ssl, &session), 0);
    pair_close(&pair);
    options.session = &session;
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_message(1, "hi", NRPC_END_STREAM);
    raw_reset();
    wire.n_out = 0;
    CHECK(pair_open(&pair, pair_server(clients), &options));
    pair_run(&pair);
    CHECK_EQ(pair.failed, 0);
    CHECK_EQ(n_full - pair.n_down >= 450, is_resumed); /* our certificate is not there */
    if (!CHECK(raw_call(1) != NULL)) {
        return;
    }
    CHECK_EQ(nrpc_tls_peer_verified(raw_call(1)), clients != NRPC_TLS_CLIENTS_ANY);
    if (clients != NRPC_TLS_CLIENTS_ANY) {
        check_name(raw_call(1), NRPC_TLS_COMMON_NAME, "client-1");
    }
    pair_close(&pair);
    mbedtls_ssl_session_free(&session);
}

static void sessions_are_resumed(void)
{
#if NRPC_TLS_12
    resume(MBEDTLS_SSL_VERSION_TLS1_2, NRPC_TLS_CLIENTS_ANY, 1);
    resume(MBEDTLS_SSL_VERSION_TLS1_2, NRPC_TLS_CLIENTS_VERIFIED, 1);
#endif
#if NRPC_TLS_13
    resume(MBEDTLS_SSL_VERSION_TLS1_3, NRPC_TLS_CLIENTS_ANY, 1);
    resume(MBEDTLS_SSL_VERSION_TLS1_3, NRPC_TLS_CLIENTS_VERIFIED, 0);
#endif
}

/* --- No memory -------------------------------------------------------------------------------- */

static void fail_at(unsigned i, const struct pair_options *options)
{
    uint32_t used = pair_memory.used;
    raw_reset();
    wire.n_out = 0;
    pair_memory.asked = 0;
    pair_memory.fail_at = i;
    if (pair_open(&pair, pair_server(NRPC_TLS_CLIENTS_VERIFIED), options)) {
        pair_run(&pair);
    }
    pair_memory.fail_at = 0;
    CHECK(pair.failed <= 1);
    if (pair.failed && pair.conn) {
        CHECK(nrpc_link_closing(pair.conn));
    } else if (pair.conn) { /* it could do without, as with a ticket */
        CHECK_TEXT(wire_text(), heard);
    }
    pair_close(&pair);
    CHECK_EQ(pair_memory.used, used);
}

/* Each allocation of a handshake fails once: the connection is refused, nothing leaks, the next one
 * works. */
static void no_memory_anywhere(void)
{
    EACH_VERSION(v)
    {
        const struct pair_options options = {.version = versions[v], CLIENT};
        static uint8_t is_worth[PAIR_ASKED_MAX];
        unsigned n, n_failed = 0, n_tried = 0;
        say_hello();
        talk(&options, NRPC_TLS_CLIENTS_VERIFIED);
        pair_memory.asked = 0;
        talk(&options, NRPC_TLS_CLIENTS_VERIFIED);
        n = pair_memory.asked;
        CHECK(n > 40 && n <= PAIR_ASKED_MAX);
        pair_choose(is_worth, n);
        for (unsigned i = 0; i < n && !test_has_failed(); i++) {
            if (!is_worth[i] || n_tried++ % MEMORY_STEP != 0) {
                continue;
            }
            test_context("allocation", (long)i);
            fail_at(i + 1, &options);
            n_failed += pair.failed != 0;
            if (n_failed % 16 == 0) {
                talk(&options, NRPC_TLS_CLIENTS_VERIFIED);
            }
        }
        test_context(NULL, 0);
        CHECK(n_failed * MEMORY_STEP >= 100);
        test_print_number(n);
        test_print(" allocations, failed ");
        test_print_number(n_failed);
        test_print("\n");
        talk(&options, NRPC_TLS_CLIENTS_VERIFIED);
    }
}

int main(void)
{
    RUN(calls_are_served);
    RUN(cut_anywhere);
    RUN(names_are_read);
    RUN(other_protocols);
    RUN(bad_clients);
    RUN(bad_server);
    RUN(orderly_ends);
    RUN(truncated_ends);
    RUN(false_records);
#if NRPC_TLS_12
    RUN(renegotiation);
#endif
    RUN(stalled_handshake);
    RUN(sessions_are_resumed);
    RUN(no_memory_anywhere);
    return test_end();
}
