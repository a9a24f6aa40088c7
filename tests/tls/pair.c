/* tests/tls/pair.c - Mbed TLS as a client, a server behind the filter; all in memory.
 * Layer: test. Source: Mbed TLS 3.6 ssl.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <string.h>

#include "certs.h"
#include "tests/target/systick.h"

#define NOW_UNIX_S 1790000000u /* in 2026 */

struct pair_memory pair_memory;
const void *pair_askers[PAIR_ASKED_MAX];
uint64_t pair_cost;

/* --- What the server side takes --------------------------------------------------------------- */

static int in_server;

void *__real_nrpc_tls_calloc(size_t count, size_t size);
void __real_nrpc_tls_free(void *block);
void *__wrap_nrpc_tls_calloc(size_t count, size_t size);
void __wrap_nrpc_tls_free(void *block);
/* client_memory.c */
void *pair_client_calloc(size_t count, size_t size);
void pair_client_free(void *block);
int pair_client_has(const void *block);

static void note_use(void)
{
    pair_memory.used = nrpc_tls_memory()->used;
    if (pair_memory.used > pair_memory.peak) {
        pair_memory.peak = pair_memory.used;
    }
}

void *__wrap_nrpc_tls_calloc(size_t count, size_t size)
{
    void *block;
    if (!in_server) {
        return pair_client_calloc(count, size);
    }
    if (pair_memory.asked < PAIR_ASKED_MAX) {
        pair_askers[pair_memory.asked] = __builtin_return_address(0);
    }
    if (++pair_memory.asked == pair_memory.fail_at) {
        return NULL;
    }
    block = __real_nrpc_tls_calloc(count, size);
    note_use();
    return block;
}

void __wrap_nrpc_tls_free(void *block)
{
    if (pair_client_has(block)) {
        pair_client_free(block);
    } else {
        __real_nrpc_tls_free(block);
        note_use();
    }
}

void pair_spare(uint32_t bytes)
{
    static void *hogs[2]; /* the second for less, when something is taken behind the first */
    static unsigned n;
    uint32_t left = NRPC_TLS_MEMORY_BYTES - nrpc_tls_memory()->used;
    if (!bytes || left < bytes + 16) {
        while (n) {
            nrpc_tls_free(hogs[--n]);
        }
        left = NRPC_TLS_MEMORY_BYTES - nrpc_tls_memory()->used;
    }
    if (bytes && CHECK(n < 2)) {
        in_server++;
        hogs[n] = nrpc_tls_calloc(1, left - bytes - 8);
        in_server--;
        CHECK(hogs[n++] != NULL);
    }
}

uint32_t pair_needed(const char *wrong)
{
    static const char text[] = "NRPC_TLS_MEMORY_BYTES is too little for a connection, it takes ";
    uint32_t all = 0;
    if (CHECK(wrong && strncmp(wrong, text, sizeof text - 1) == 0)) {
        for (const char *at = wrong + sizeof text - 1; *at; at++) {
            all = all * 10 + (uint32_t)(*at - '0');
        }
    }
    return all - nrpc_tls_memory()->used;
}

/* Each one, but of the thousands that numbers are made of every 97th. */
void pair_choose(uint8_t *is_chosen, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned same = 0;
        for (unsigned j = 0; j < n; j++) {
            same += pair_askers[j] == pair_askers[i];
        }
        is_chosen[i] = same < 100 || i % 97 == 0;
    }
}

static uint32_t began;

void pair_enter(void)
{
    in_server = 1;
    began = systick_now();
}

void pair_leave(void)
{
    pair_cost += (uint64_t)systick_since(began) * SYSTICK_NS;
    in_server = 0;
}

/* --- The server ------------------------------------------------------------------------------- */

static struct pair *current;

int pair_entropy(void *buf, size_t n)
{
    static uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        ((uint8_t *)buf)[i] = (uint8_t)(x >> 24);
    }
    return 1;
}

uint64_t pair_unix_s(void)
{
    return NOW_UNIX_S;
}

uint32_t pair_clock_step_ms;
int pair_clock_works;

uint32_t pair_now_ms(void)
{
    static uint32_t now_ms;
    now_ms += pair_clock_step_ms;
    return now_ms + (pair_clock_works ? pair_memory.asked / 2 : 0);
}

static void failed(struct nrpc_conn *conn, const struct nrpc_tls_failure *failure)
{
    (void)conn;
    CHECK(nrpc_tls_reason(failure)[0] != 0);
    if (current) {
        current->failed++;
        current->failure = *failure;
    }
}

#define BYTES(array) {array, sizeof array}
#define OPTIONS(its_clients)                                                          \
    .certificate = BYTES(certs_server_crt), .key = BYTES(certs_server_key),           \
    .authority = BYTES(certs_ca_crt), .entropy = pair_entropy, .unix_s = pair_unix_s, \
    .now_ms = pair_now_ms, .failed = failed, .clients = its_clients
NRPC_TLS_DEFINE(pair_any, 2, OPTIONS(NRPC_TLS_CLIENTS_ANY));
NRPC_TLS_DEFINE(pair_optional, 2, OPTIONS(NRPC_TLS_CLIENTS_OPTIONAL));
NRPC_TLS_DEFINE(pair_verified, 2, OPTIONS(NRPC_TLS_CLIENTS_VERIFIED));

const struct nrpc_server *pair_server(enum nrpc_tls_clients clients)
{
    static const struct nrpc_tls *const all[] = {&pair_any, &pair_optional, &pair_verified};
    static struct nrpc_server servers[3];
    struct nrpc_server *server = &servers[clients];
    if (!server->tls) {
        const char *wrong;
        *server = raw_server;
        server->tls = all[clients];
        pair_enter();
        wrong = nrpc_tls_start(server);
        pair_leave();
        CHECK_TEXT(wrong ? wrong : "", "");
    }
    return server;
}

/* --- The client ------------------------------------------------------------------------------- */

static int client_send(void *context, const unsigned char *buf, size_t n)
{
    struct pair *pair = context;
    if (!CHECK(n <= sizeof pair->up - pair->n_up)) {
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    }
    memcpy(pair->up + pair->n_up, buf, n);
    pair->n_up += n;
    return (int)n;
}

static int client_receive(void *context, unsigned char *buf, size_t n)
{
    struct pair *pair = context;
    size_t left = pair->n_down - pair->n_read;
    n = n < left ? n : left;
    memcpy(buf, pair->down + pair->n_read, n);
    pair->n_read += n;
    return n ? (int)n : MBEDTLS_ERR_SSL_WANT_READ;
}

static void configure(struct pair *pair)
{
    static const char *h2[] = {"h2", NULL};
    const struct pair_options *options = &pair->options;
    const struct nrpc_tls_bytes ca = BYTES(certs_ca_crt),
                                *authority = options->authority.n ? &options->authority : &ca;
    mbedtls_ssl_config *config = &pair->config;
    mbedtls_ssl_config_init(config);
    mbedtls_x509_crt_init(&pair->authority);
    mbedtls_x509_crt_init(&pair->certificate);
    mbedtls_pk_init(&pair->key);
    CHECK_EQ(mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT,
                                         MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
             0);
    CHECK_EQ(mbedtls_x509_crt_parse_der_nocopy(&pair->authority, authority->data, authority->n), 0);
    mbedtls_ssl_conf_ca_chain(config, &pair->authority, NULL);
    mbedtls_ssl_conf_rng(config, nrpc_tls_random, NULL);
#if NRPC_TLS_13
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
    if (options->version) {
        mbedtls_ssl_conf_min_tls_version(config, (mbedtls_ssl_protocol_version)options->version);
        mbedtls_ssl_conf_max_tls_version(config, (mbedtls_ssl_protocol_version)options->version);
    }
    CHECK_EQ(mbedtls_ssl_conf_alpn_protocols(config, options->protocols ? options->protocols : h2),
             0);
    if (options->certificate.n) {
        CHECK_EQ(mbedtls_x509_crt_parse_der_nocopy(&pair->certificate, options->certificate.data,
                                                   options->certificate.n),
                 0);
        CHECK_EQ(mbedtls_pk_parse_key(&pair->key, options->key.data, options->key.n, NULL, 0,
                                      nrpc_tls_random, NULL),
                 0);
        CHECK_EQ(mbedtls_ssl_conf_own_cert(config, &pair->certificate, &pair->key), 0);
    }
}

int pair_open(struct pair *pair, const struct nrpc_server *server,
              const struct pair_options *options)
{
    enum pair_way way = pair->way;
    size_t at = pair->at, room = pair->room;
    memset(pair, 0, sizeof *pair);
    pair->way = way;
    pair->at = at;
    pair->room = room ? room : 4096;
    pair->server = server;
    pair->options = *options;
    current = pair;
    configure(pair);
    mbedtls_ssl_init(&pair->ssl);
    CHECK_EQ(mbedtls_ssl_setup(&pair->ssl, &pair->config), 0);
    CHECK_EQ(mbedtls_ssl_set_hostname(&pair->ssl, options->host ? options->host : "device.test"),
             0);
    mbedtls_ssl_set_bio(&pair->ssl, pair, client_send, client_receive, NULL);
    if (options->session) {
        CHECK_EQ(mbedtls_ssl_set_session(&pair->ssl, options->session), 0);
    }
    pair->now_ms = options->now_ms ? options->now_ms : 1000;
    pair_enter();
    pair->conn = nrpc_link_accept(server, pair->now_ms);
    pair_leave();
    return pair->conn != NULL;
}

/* The client's turn. Returns whether anything has moved. */
static int run_client(struct pair *pair)
{
    size_t n_up = pair->n_up, n_read = pair->n_read;
    int result = 0;
    if (pair->result || pair->silent) {
        return 0;
    }
    if (!pair->is_open) {
        result = mbedtls_ssl_handshake(&pair->ssl);
        pair->is_open = result == 0;
    }
    while (pair->is_open && pair->n_written < wire.n_in && result >= 0) {
        size_t n = wire.n_in - pair->n_written;
        result = mbedtls_ssl_write(&pair->ssl, wire.in + pair->n_written, n < 4000 ? n : 4000);
        pair->n_written += result > 0 ? (size_t)result : 0;
    }
    while (pair->is_open &&
           (result >= 0 || result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)) {
        result = mbedtls_ssl_read(&pair->ssl, wire.out + wire.n_out, sizeof wire.out - wire.n_out);
        wire.n_out += result > 0 ? (size_t)result : 0;
    }
    if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        pair->saw_end = 1;
    } else if (result != MBEDTLS_ERR_SSL_WANT_READ) {
        pair->result = result;
    }
    return pair->n_up != n_up || pair->n_read != n_read;
}

static int run_server(struct pair *pair)
{
    size_t used = 0, made;
    int moved = 0;
    if (pair->options.spoil && pair->n_fed < pair->n_up) {
        pair->options.spoil(pair);
    }
    size_t piece = pair->n_up - pair->n_fed;
    if (pair->way == PAIR_BYTES && piece > 1) {
        piece = 1;
    } else if (pair->way == PAIR_CUT && pair->n_fed < pair->at && pair->n_up > pair->at) {
        piece = pair->at - pair->n_fed;
    }
    pair_enter();
    if (piece) {
        used = nrpc_link_receive(pair->conn, test_guarded(pair->up + pair->n_fed, piece), piece,
                                 pair->now_ms);
        CHECK(used <= piece);
        pair->n_fed += used;
    }
    do {
        uint8_t *room = test_guarded_room(pair->room);
        made = nrpc_link_transmit(pair->conn, room, pair->room);
        CHECK(made <= sizeof pair->down - pair->n_down);
        memcpy(pair->down + pair->n_down, room, made);
        pair->n_down += made;
        moved |= made != 0;
    } while (made);
    pair_leave();
    return moved || used;
}

void pair_run(struct pair *pair)
{
    int client, server;
    current = pair;
    do {
        client = run_client(pair);
        server = run_server(pair);
    } while ((client || server) && !test_has_failed());
}

void pair_close(struct pair *pair)
{
    current = pair;
    if (pair->conn) {
        pair_enter();
        nrpc_link_lost(pair->conn);
        pair_leave();
    }
    mbedtls_ssl_free(&pair->ssl);
    mbedtls_ssl_config_free(&pair->config);
    mbedtls_x509_crt_free(&pair->authority);
    mbedtls_x509_crt_free(&pair->certificate);
    mbedtls_pk_free(&pair->key);
    current = NULL;
}

const char *pair_talk(struct pair *pair, const struct nrpc_server *server,
                      const struct pair_options *options)
{
    raw_reset();
    wire.n_out = 0;
    if (CHECK(pair_open(pair, server, options))) {
        pair_run(pair);
    }
    pair_close(pair);
    return wire_text();
}
