/* tests/tls/test_channel.c - our client and our server, each behind the filter: the client's end.
 * Layer: test. Source: RFC 8446, RFC 5246, RFC 9113 9.2; ports/mbedtls/nrpc_tls.h.
 * SPDX-License-Identifier: Apache-2.0 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <string.h>

#include "certs.h"
#include "pair.h"
#include "tests/unit/raw_client.h"

/* A handshake takes a while, most of all on an emulated board: not at every position, but for what
 * is resumed. */
#ifdef __arm__
enum { STEP = 211, RESUMED_STEP = 17, MEMORY_STEP = 32 };
#else
enum { STEP = 11, RESUMED_STEP = 1, MEMORY_STEP = 1 };
#endif
enum { LANE_BYTES = 1 << 15 };

static const char *const heard = "1h 1'hi' 1=0";

/* --- The two ends ----------------------------------------------------------------------------- */

static struct lane {
    uint8_t bytes[LANE_BYTES];
    size_t n, used;
} up, down;

static struct end {
    struct nrpc_conn *conn;
    int failed;
    struct nrpc_tls_failure failure;
} client, server;

static uint32_t now_ms = 1000;
static enum pair_way way;                /* how the client gets what the server sends */
static size_t cut_at, room_bytes = 4096; /* room_bytes: that each end has to transmit, a turn */

static void failed(struct nrpc_conn *conn, const struct nrpc_tls_failure *failure)
{
    struct end *end = conn->server == raw_channel.endpoint ? &client : &server;
    CHECK(nrpc_tls_reason(failure)[0] != 0);
    end->failed++;
    end->failure = *failure;
}

#define BYTES(array) {array, sizeof array}
#define OURS .entropy = pair_entropy, .unix_s = pair_unix_s, .now_ms = pair_now_ms, .failed = failed
#define OWN(name) .certificate = BYTES(certs_##name##_crt), .key = BYTES(certs_##name##_key)
#define SERVER(name, its_clients)                                              \
    NRPC_TLS_DEFINE(of_##name, 2, OWN(name), .authority = BYTES(certs_ca_crt), \
                    .clients = its_clients, OURS)

NRPC_TLS_DEFINE(of_channel, 1, .authority = BYTES(certs_ca_crt), .host = "device.test", OURS);
NRPC_TLS_DEFINE(of_known_channel, 1, OWN(client), .authority = BYTES(certs_ca_crt),
                .host = "device.test", OURS);
NRPC_TLS_DEFINE(of_verifier, 2, OWN(server), .authority = BYTES(certs_ca_crt),
                .clients = NRPC_TLS_CLIENTS_VERIFIED, OURS);
SERVER(server, NRPC_TLS_CLIENTS_ANY);
SERVER(expired, NRPC_TLS_CLIENTS_ANY);
SERVER(elsewhere, NRPC_TLS_CLIENTS_ANY);
SERVER(stranger, NRPC_TLS_CLIENTS_ANY);

static const struct nrpc_server *started(const struct nrpc_server *like, const struct nrpc_tls *tls)
{
    static struct nrpc_server all[16];
    static unsigned n;
    const char *wrong;
    for (unsigned i = 0; i < n; i++) {
        if (all[i].tls == tls) {
            return &all[i];
        }
    }
    all[n] = *like;
    all[n].tls = tls;
    pair_enter();
    wrong = nrpc_tls_start(&all[n]);
    pair_leave();
    CHECK_TEXT(wrong ? wrong : "", "");
    return &all[n++];
}

static void use_version(const struct nrpc_tls *tls, uint16_t version)
{
    mbedtls_ssl_conf_min_tls_version(&tls->state->config, (mbedtls_ssl_protocol_version)version);
    mbedtls_ssl_conf_max_tls_version(&tls->state->config, (mbedtls_ssl_protocol_version)version);
}

static void forget(const struct nrpc_tls *ours)
{
    mbedtls_ssl_session_free(&ours->state->session);
    ours->state->has_session = 0;
}

/* A call that waits for a link, and the link. */
static void begin(const struct nrpc_tls *ours, const struct nrpc_tls *theirs, uint16_t version,
                  const char *method)
{
    static const struct nrpc_server *plain;
    const struct nrpc_server *its_server = started(&raw_server, theirs);
    plain = plain ? plain : raw_channel.endpoint;
    raw_channel.endpoint = started(plain, ours);
    if (ours->state->config.max_tls_version != (mbedtls_ssl_protocol_version)version) {
        forget(ours);
        use_version(ours, version);
    }
    up.n = up.used = down.n = down.used = 0;
    memset(&client, 0, sizeof client);
    memset(&server, 0, sizeof server);
    raw_reset();
    raw_client_reset();
    CHECK(raw_start(method, "hi", NULL));
    CHECK_EQ(raw_client_tick(now_ms), 0);
    server.conn = nrpc_link_accept(its_server, now_ms);
    CHECK(server.conn != NULL);
    pair_enter();
    client.conn = nrpc_link_dialled(&raw_channel.dial, now_ms);
    pair_leave();
}

/* As a port has its turn with an end. Returns whether anything has moved. */
static int turn(struct nrpc_conn *conn, struct lane *in, struct lane *out, size_t most)
{
    size_t n = in->n - in->used < most ? in->n - in->used : most, used = 0, made;
    uint8_t *room = test_guarded_room(room_bytes);
    if (n) {
        used = nrpc_link_receive(conn, test_guarded(in->bytes + in->used, n), n, now_ms);
        CHECK(used <= n);
        in->used += used;
    }
    made = nrpc_link_transmit(conn, room, room_bytes);
    if (CHECK(made <= LANE_BYTES - out->n)) {
        memcpy(out->bytes + out->n, room, made);
        out->n += made;
    }
    return used || made;
}

static void run(void)
{
    int moved = 1;
    for (unsigned turns = 0; moved && CHECK(turns < 2 * LANE_BYTES); turns++) {
        size_t most = way == PAIR_BYTES                       ? 1
                      : way == PAIR_CUT && down.used < cut_at ? cut_at - down.used
                                                              : SIZE_MAX;
        moved = turn(server.conn, &up, &down, SIZE_MAX);
        if (client.conn) {
            pair_enter();
            moved |= turn(client.conn, &down, &up, most);
            pair_leave();
        }
    }
}

/* The link goes, and the channel takes notice. */
static void end(void)
{
    pair_enter();
    if (client.conn) {
        nrpc_link_lost(client.conn);
    }
    pair_leave();
    nrpc_link_lost(server.conn);
    (void)raw_client_tick(now_ms);
    now_ms += 2 * NRPC_BACKOFF_MAX_MS;
}

static void talk(const struct nrpc_tls *ours, const struct nrpc_tls *theirs, uint16_t version)
{
    begin(ours, theirs, version, "Echo");
    run();
    end();
    CHECK_TEXT(raw_client_log(), heard);
    CHECK_EQ(client.failed, 0);
}

#if NRPC_TLS_PUBLIC
/* The shapes of chains on the public internet; a client's own, too. RSA leaves: tests/e2e. */
NRPC_TLS_DEFINE(of_public, 1, .authority = BYTES(certs_public_crt), .host = "device.test", OURS);
NRPC_TLS_DEFINE(of_known_public, 1, OWN(client_rsa_signed), .authority = BYTES(certs_public_crt),
                .host = "device.test", OURS);
NRPC_TLS_DEFINE(of_public_verifier, 2, OWN(rsa_signed), .authority = BYTES(certs_public_crt),
                .clients = NRPC_TLS_CLIENTS_VERIFIED, OURS);
SERVER(rsa_signed, NRPC_TLS_CLIENTS_ANY);
SERVER(p384_signed, NRPC_TLS_CLIENTS_ANY);
SERVER(cross_signed, NRPC_TLS_CLIENTS_ANY);
SERVER(sha384_signed, NRPC_TLS_CLIENTS_ANY);

static void refuse(const struct nrpc_tls *ours, const struct nrpc_tls *theirs, uint16_t version);

static void public_chains(void)
{
    static const struct nrpc_tls *const servers[] = {&of_rsa_signed, &of_p384_signed,
                                                     &of_cross_signed, &of_public_verifier};
    EACH_VERSION(v)
    {
        for (unsigned i = 0; i < sizeof servers / sizeof servers[0]; i++) {
            test_context("server", (long)i);
            forget(&of_known_public);
            talk(&of_known_public, servers[i], versions[v]);
        }
        test_context(NULL, 0);
        talk(&of_channel, &of_sha384_signed, versions[v]);
        refuse(&of_public, &of_server, versions[v]);
        CHECK(client.failure.flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED);
        refuse(&of_channel, &of_rsa_signed, versions[v]);
        CHECK(client.failure.flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED);
        forget(&of_channel);
    }
}
#endif

static void check_unavailable(void)
{
    CHECK(strncmp(raw_client_log(), "1=14(", 5) == 0); /* "no connection", or "connection lost" */
}

/* It starts with as much memory as it says, no less, and a call is made; with half of it, none. */
static void suffices(const struct nrpc_tls *ours, const struct nrpc_tls *theirs, uint16_t version)
{
    struct nrpc_server endpoint = *raw_channel.endpoint;
    uint32_t bytes;
    (void)started(&raw_server, theirs);
    endpoint.tls = ours;
    pair_enter();
    pair_spare(2048);
    bytes = pair_needed(nrpc_tls_start(&endpoint));
    pair_spare(bytes - 8);
    CHECK_EQ(pair_needed(nrpc_tls_start(&endpoint)), bytes);
    pair_spare(bytes);
    pair_leave();
    talk(ours, theirs, version); /* it is started there */
    forget(ours);
    pair_spare(bytes / 16 * 8);
    begin(ours, theirs, version, "Echo");
    run();
    end();
    check_unavailable();
    pair_spare(0);
    forget(ours);
}

/* Where it takes the most. */
static void memory_that_suffices(void)
{
#if NRPC_TLS_PUBLIC
    suffices(&of_public, &of_rsa_signed, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    suffices(&of_channel, &of_server, versions[sizeof versions / sizeof versions[0] - 1]);
#endif
}

static void calls_are_made(void)
{
    EACH_VERSION(v)
    {
        talk(&of_channel, &of_server, versions[v]);
        talk(&of_known_channel, &of_server, versions[v]);
        talk(&of_known_channel, &of_verifier, versions[v]);
    }
}

static void cut_anywhere(void)
{
    EACH_VERSION(v)
    {
        /* Resumed: in TLS 1.3 an exchange of keys is left. */
        int is_cheap = versions[v] == MBEDTLS_SSL_VERSION_TLS1_2;
        size_t n;
        way = PAIR_BYTES;
        forget(&of_known_channel);
        talk(&of_known_channel, &of_verifier, versions[v]);
        talk(&of_known_channel, &of_server, versions[v]);
        way = PAIR_CUT;
        for (int resumed = 0; resumed < 2; resumed++) {
            size_t step = resumed && is_cheap ? RESUMED_STEP : STEP;
            talk(&of_channel, &of_server, versions[v]);
            for (cut_at = 1, n = 2; cut_at < n && !test_has_failed(); cut_at += step) {
                if (!resumed) {
                    forget(&of_channel);
                }
                test_context("cut at", (long)cut_at);
                talk(&of_channel, &of_server, versions[v]);
                n = down.n;
            }
        }
        test_context(NULL, 0);
    }
    way = PAIR_WHOLE;
}

/* Little room: what goes out comes in pieces. So a ticket of TLS 1.3 comes alone, and right after
 * it we have something to send. */
static void little_room(void)
{
    room_bytes = NRPC_LINK_MIN;
    EACH_VERSION(v)
    {
        for (int times = 0; times < 2; times++) { /* the second time it is resumed */
            talk(&of_channel, &of_server, versions[v]);
            CHECK(of_channel.state->has_session);
            talk(&of_known_channel, &of_verifier, versions[v]);
        }
    }
    room_bytes = 4096;
}

/* --- Servers that are refused, and that refuse ------------------------------------------------ */

/* Nothing of the call gets to the server, and its owner is told. */
static void refuse(const struct nrpc_tls *ours, const struct nrpc_tls *theirs, uint16_t version)
{
    uint32_t used;
    begin(ours, theirs, version, "Echo"); /* what is kept from the first time on is not counted */
    end();
    forget(ours);
    used = pair_memory.used;
    begin(ours, theirs, version, "Echo");
    run();
    CHECK(nrpc_link_closing(client.conn));
    end();
    check_unavailable();
    CHECK_EQ(client.failed, 1);
    CHECK_EQ(server.failed, 1);
    CHECK_EQ(raw.n_events, 0);
    /* In TLS 1.2 a server that asks for a certificate looks at it once we have a session. */
    forget(ours);
    CHECK_EQ(pair_memory.used, used);
}

static void bad_certificates(void)
{
    static const struct {
        const struct nrpc_tls *tls;
        uint32_t flag;
        int alert;
    } bad[] = {{&of_expired, MBEDTLS_X509_BADCERT_EXPIRED, MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED},
               {&of_stranger, MBEDTLS_X509_BADCERT_NOT_TRUSTED, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA},
               {&of_elsewhere, MBEDTLS_X509_BADCERT_CN_MISMATCH, MBEDTLS_SSL_ALERT_MSG_BAD_CERT}};
    EACH_VERSION(v)
    {
        talk(&of_channel, &of_server, versions[v]);
        for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            test_context("certificate", (long)i);
            refuse(&of_channel, bad[i].tls, versions[v]);
            CHECK_EQ(client.failure.error, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
            CHECK(client.failure.flags & bad[i].flag);
            /* In TLS 1.3 Mbed TLS sends it in plain text, too late for that. */
            if (versions[v] == MBEDTLS_SSL_VERSION_TLS1_2) {
                CHECK_EQ(server.failure.alert, bad[i].alert);
            }
        }
        test_context(NULL, 0);
    }
}

static void servers_without_h2(void)
{
    static const char *http[] = {"http/1.1", NULL};
    (void)started(&raw_server, &of_server);
    EACH_VERSION(v)
    {
        const char **h2 = of_server.state->config.alpn_list;
        of_server.state->config.alpn_list = NULL; /* it does not know of ALPN */
        refuse(&of_channel, &of_server, versions[v]);
        CHECK_EQ(client.failure.error, NRPC_TLS_NO_H2);
        of_server.state->config.alpn_list = http;
        refuse(&of_channel, &of_server, versions[v]);
        CHECK_EQ(client.failure.alert, MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL);
        of_server.state->config.alpn_list = h2;
    }
}

/* In TLS 1.3 the handshake is over for the client when the server looks at its certificate. */
static void servers_that_want_a_certificate(void)
{
    EACH_VERSION(v)
    {
        refuse(&of_channel, &of_verifier, versions[v]);
        CHECK_EQ(client.failure.alert, versions[v] == MBEDTLS_SSL_VERSION_TLS1_2
                                           ? MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE
                                           : 116);
        CHECK_EQ(server.failure.error, MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE);
    }
}

/* --- Ends ------------------------------------------------------------------------------------- */

static void truncated_ends(void)
{
    EACH_VERSION(v)
    {
        begin(&of_channel, &of_server, versions[v], "Later");
        run();
        CHECK(raw_call(1) != NULL);
        end();
        check_unavailable();
        CHECK_EQ(client.failed, 1);
        CHECK_EQ(client.failure.error, NRPC_TLS_TRUNCATED);
    }
}

static void stalled_servers(void)
{
    EACH_VERSION(v)
    {
        uint32_t began_ms = now_ms;
        begin(&of_channel, &of_server, versions[v], "Echo");
        pair_enter();
        CHECK(turn(client.conn, &down, &up, 0)); /* a ClientHello, and no answer */
        for (int i = 0; i < 30 && !nrpc_link_closing(client.conn); i++) {
            now_ms += 1000;
            (void)nrpc_link_tick(client.conn, now_ms);
            (void)turn(client.conn, &down, &up, 0);
        }
        pair_leave();
        CHECK(nrpc_link_closing(client.conn));
        CHECK(now_ms - began_ms >= NRPC_STALL_TIMEOUT_MS);
        end();
        CHECK_EQ(client.failure.error, NRPC_TLS_STALLED);
        check_unavailable();
    }
}

/* --- Resumption ------------------------------------------------------------------------------- */

static void sessions_are_resumed(void)
{
    EACH_VERSION(v)
    {
        mbedtls_ssl_ticket_context *tickets = &of_server.state->tickets;
        size_t n_full;
        forget(&of_channel);
        talk(&of_channel, &of_server, versions[v]);
        n_full = down.n;
        CHECK(of_channel.state->has_session);
        talk(&of_channel, &of_server, versions[v]);
        CHECK(n_full >= down.n + 450); /* the server's certificate is not there */
        talk(&of_channel, &of_server, versions[v]);
        CHECK(n_full >= down.n + 450);
        /* The server starts anew, and knows its tickets no more. */
        mbedtls_ssl_ticket_free(tickets);
        mbedtls_ssl_ticket_init(tickets);
        CHECK_EQ(mbedtls_ssl_ticket_setup(tickets, nrpc_tls_random, NULL,
                                          MBEDTLS_CIPHER_AES_128_GCM, NRPC_TLS_TICKET_S),
                 0);
        talk(&of_channel, &of_server, versions[v]);
        CHECK(n_full < down.n + 100);
        talk(&of_channel, &of_server, versions[v]);
        CHECK(n_full >= down.n + 450);
    }
}

/* A session whose connection fails is not used again: the next one begins anew. */
static void sessions_are_dropped(void)
{
    EACH_VERSION(v)
    {
        size_t n_full;
        forget(&of_channel);
        talk(&of_channel, &of_server, versions[v]);
        n_full = down.n;
        begin(&of_channel, &of_server, versions[v], "Later");
        run();
        down.bytes[down.n++] = 22;
        memcpy(down.bytes + down.n, "\3\3\0\2..", 6); /* a record that is not authentic */
        down.n += 6;
        run();
        end();
        CHECK_EQ(client.failed, 1);
        CHECK(!of_channel.state->has_session);
        talk(&of_channel, &of_server, versions[v]);
        CHECK(n_full < down.n + 100);
    }
}

/* --- No memory -------------------------------------------------------------------------------- */

static void fail_at(unsigned i, uint16_t version)
{
    uint32_t used = (forget(&of_known_channel), pair_memory.used);
    pair_memory.asked = 0;
    pair_memory.fail_at = i;
    begin(&of_known_channel, &of_verifier, version, "Echo");
    run();
    pair_memory.fail_at = 0;
    CHECK(client.failed <= 1);
    if (client.failed && client.conn) {
        CHECK(nrpc_link_closing(client.conn));
    }
    end();
    if (client.failed) {
        check_unavailable();
    } else { /* it could do without, as without a session to be resumed */
        CHECK_TEXT(raw_client_log(), heard);
    }
    forget(&of_known_channel);
    CHECK_EQ(pair_memory.used, used);
}

/* Each allocation of a handshake fails once: the call is told, nothing leaks, the next link
 * works. */
static void no_memory_anywhere(void)
{
    EACH_VERSION(v)
    {
        static uint8_t is_worth[PAIR_ASKED_MAX];
        unsigned n, n_failed = 0, n_tried = 0;
        talk(&of_known_channel, &of_verifier, versions[v]);
        forget(&of_known_channel);
        pair_memory.asked = 0;
        talk(&of_known_channel, &of_verifier, versions[v]);
        n = pair_memory.asked;
        CHECK(n > 40 && n <= PAIR_ASKED_MAX);
        pair_choose(is_worth, n);
        for (unsigned i = 0; i < n && !test_has_failed(); i++) {
            if (!is_worth[i] || n_tried++ % MEMORY_STEP != 0) {
                continue;
            }
            test_context("allocation", (long)i);
            fail_at(i + 1, versions[v]);
            n_failed += client.failed != 0;
        }
        test_context(NULL, 0);
        CHECK(n_failed * MEMORY_STEP >= 100);
        test_print_number(n);
        test_print(" allocations, failed ");
        test_print_number(n_failed);
        test_print("\n");
        talk(&of_known_channel, &of_verifier, versions[v]);
    }
}

int main(void)
{
    RUN(memory_that_suffices);
    RUN(calls_are_made);
#if NRPC_TLS_PUBLIC
    RUN(public_chains);
#endif
    RUN(cut_anywhere);
    RUN(little_room);
    RUN(bad_certificates);
    RUN(servers_without_h2);
    RUN(servers_that_want_a_certificate);
    RUN(truncated_ends);
    RUN(stalled_servers);
    RUN(sessions_are_resumed);
    RUN(sessions_are_dropped);
    RUN(no_memory_anywhere);
    return test_end();
}
