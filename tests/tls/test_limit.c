/* tests/tls/test_limit.c - handshakes have a share of the time, and wait for it: the first first.
 * Layer: test. Source: ports/mbedtls/nrpc_tls.h, NRPC_TLS_HANDSHAKE_MS.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "certs.h"
#include "pair.h"

#define BYTES(array) {array, sizeof array}

static struct pair pair, other;
static const char *const heard = "1: [200 grpc] 'hi' [status=0] END";

/* As pair_server's; and one without a clock. */
#define OPTIONS                                                             \
    .certificate = BYTES(certs_server_crt), .key = BYTES(certs_server_key), \
    .entropy = pair_entropy, .unix_s = pair_unix_s
NRPC_TLS_DEFINE(measured_tls, 2, OPTIONS, .now_ms = pair_now_ms);
NRPC_TLS_DEFINE(unmeasured_tls, 2, OPTIONS);

/* Milliseconds from anywhere, never less. */
static uint32_t now_ms = 5000;

static const struct nrpc_server *started(const struct nrpc_tls *tls)
{
    static struct nrpc_server servers[2];
    struct nrpc_server *server = &servers[tls == &measured_tls];
    if (!server->tls) {
        const char *wrong;
        *server = raw_server;
        server->tls = tls;
        pair_enter();
        wrong = nrpc_tls_start(server);
        pair_leave();
        CHECK_TEXT(wrong ? wrong : "", "");
    }
    return server;
}

static void say_hello(void)
{
    wire_begin_acked(&raw_server);
    raw_reset();
    wire.n_out = 0;
}

static void open(struct pair *which, const struct nrpc_server *server)
{
    struct pair_options options = {.now_ms = now_ms};
    CHECK(pair_open(which, server, &options));
    pair_run(which);
}

/* A turn of the port, so many milliseconds later. Returns what its timer says. */
static uint32_t turn(struct pair *which, uint32_t later_ms)
{
    uint32_t next;
    now_ms += later_ms;
    which->now_ms = now_ms;
    pair_enter();
    next = nrpc_link_tick(which->conn, now_ms);
    pair_leave();
    pair_run(which);
    return next;
}

/* Whatever was owed is long over. */
static void rest(void)
{
    now_ms += 1000000;
    nrpc_tls_clock(now_ms);
}

static void check_waits(struct pair *which)
{
    CHECK(!which->is_open && !which->n_down && !nrpc_link_closing(which->conn));
}

/* --- One after the other ---------------------------------------------------------------------- */

/* Those who are there keep being served; who comes waits until the share is there again, then is
 * served as ever. */
static void waits_its_turn(void)
{
    const struct nrpc_server *server = started(&measured_tls);
    uint32_t next;
    rest();
    say_hello();
    open(&pair, server);
    nrpc_tls_spend(2 * NRPC_TLS_HANDSHAKE_MS); /* two seconds' worth: one has to pass */
    open(&other, server);
    check_waits(&other);
    wire_request(1, "/test.Raw/Echo", 0);
    wire_message(1, "hi", NRPC_END_STREAM);
    pair_run(&pair);
    CHECK_TEXT(wire_text(), heard);
    raw_reset();
    wire.n_out = 0;
    CHECK(nrpc_conn_timer_set(other.conn));
    next = turn(&other, 0);
    CHECK(next > 900 && next <= 1001);
    (void)turn(&other, next - 10);
    check_waits(&other);
    CHECK(turn(&other, 20) <= 1000);
    CHECK(other.is_open);
    CHECK_TEXT(wire_text(), heard);
    pair_close(&pair);
    pair_close(&other);
}

/* What handshakes take is measured, and holds up the next ones. */
static void is_measured(void)
{
    const struct nrpc_server *server = started(&measured_tls);
    uint32_t first, second;
    rest();
    say_hello();
    pair_clock_step_ms = 1000;
    open(&pair, server);
    pair_clock_step_ms = 0;
    CHECK(pair.is_open);
    first = nrpc_tls_wait_ms();
    CHECK(first >= 1000 * 1000 / NRPC_TLS_HANDSHAKE_MS);
    open(&other, server);
    check_waits(&other);
    second = nrpc_tls_wait_ms();
    CHECK_EQ(second, first); /* waiting costs nothing */
    (void)turn(&other, first);
    CHECK(other.is_open);
    pair_close(&pair);
    pair_close(&other);
}

/* The first that came is the next, in whatever order the port asks; who has gone holds up nobody.
 */
static void first_comes_first(void)
{
    const struct nrpc_server *server = started(&measured_tls);
    for (int gone = 0; gone < 2; gone++) {
        rest();
        say_hello();
        nrpc_tls_spend(2 * NRPC_TLS_HANDSHAKE_MS);
        open(&other, server);
        open(&pair, server);
        check_waits(&other);
        check_waits(&pair);
        if (gone) {
            pair_close(&other);
        }
        now_ms += 2000;
        (void)turn(&pair, 0);
        CHECK_EQ(pair.is_open, gone);
        if (!gone) {
            (void)turn(&other, 0);
            CHECK(other.is_open);
            (void)turn(&pair, 0);
            CHECK(pair.is_open);
            pair_close(&other);
        }
        pair_close(&pair);
    }
}

/* However long it has to wait, it does not stall; after that it may. */
static void waiting_is_no_stall(void)
{
    const struct nrpc_server *server = started(&measured_tls);
    uint32_t seconds = 3 * NRPC_STALL_TIMEOUT_MS / 1000, left;
    rest();
    say_hello();
    nrpc_tls_spend((seconds + 1) * NRPC_TLS_HANDSHAKE_MS);
    open(&pair, server);
    for (uint32_t i = 1; i < seconds; i++) {
        (void)turn(&pair, 1000);
        check_waits(&pair);
    }
    pair.silent = 1;
    for (left = 2 * NRPC_STALL_TIMEOUT_MS / 1000; left && !nrpc_link_closing(pair.conn); left--) {
        (void)turn(&pair, 1000);
    }
    CHECK(pair.n_down > 100 && left && left < NRPC_STALL_TIMEOUT_MS / 1000 + 1);
    pair_close(&pair);
}

/* Without a clock each is taken for 100 ms: those of a second at once, then one each 250 ms. */
static void without_a_clock(void)
{
    const struct nrpc_server *server = started(&unmeasured_tls);
    unsigned n = 0;
    rest();
    say_hello();
    for (;; n++) {
        open(&pair, server);
        if (!CHECK(n <= 1000) || !pair.is_open) {
            break;
        }
        pair_close(&pair);
    }
    CHECK_EQ(n, NRPC_TLS_HANDSHAKE_MS / 100 + 1);
    (void)turn(&pair, 100 * 1000 / NRPC_TLS_HANDSHAKE_MS);
    CHECK(pair.is_open);
    pair_close(&pair);
}

/* A client that is connected, and each of whose calls takes 5 ms, beside one that begins a
 * handshake whenever it can. */
static void others_keep_their_share(void)
{
    enum { CALL_MS = 5, ALL_MS = 60000 };
    const struct nrpc_server *server = started(&measured_tls);
    uint32_t base_ms, began_ms, passed_ms = 0, calls = 0, handshakes = 0;
    rest();
    say_hello();
    open(&pair, server);
    pair_clock_works = 1;
    base_ms = now_ms;
    began_ms = pair_now_ms();
    other.conn = NULL;
    while (passed_ms < ALL_MS && !test_has_failed()) {
        calls++;
        if (!other.conn) {
            open(&other, server);
        } else {
            (void)turn(&other, 0);
        }
        if (other.is_open) {
            handshakes++;
            pair_close(&other);
            other.conn = NULL;
        }
        passed_ms = pair_now_ms() - began_ms + calls * CALL_MS;
        now_ms = base_ms + passed_ms;
    }
    pair_clock_works = 0;
    test_print_number(handshakes);
    test_print(" handshakes in a minute; percent of the time left to others: ");
    test_print_number(calls * CALL_MS * 100 / passed_ms);
    test_print("\n");
    CHECK(handshakes >= 4);
    CHECK(calls * CALL_MS * 100 / passed_ms >= 60);
    if (other.conn) {
        pair_close(&other);
    }
    pair_close(&pair);
}

int main(void)
{
    RUN(waits_its_turn);
    RUN(is_measured);
    RUN(first_comes_first);
    RUN(waiting_is_no_stall);
    RUN(without_a_clock);
    RUN(others_keep_their_share);
    return test_end();
}
