/* tests/unit/test_dial.c - when a link is dialled, what a lost one means, servers that dial out.
 * Layer: test. Source: nanorpc/dial.h; gRPC "Connection Backoff Protocol".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/dial.h"

#include <string.h>

#include "raw_service.h"
#include "test.h"

enum { START = 12345, ROUNDS = 40 };

/* The string's zero ends SETTINGS. */
static const uint8_t hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";

static uint32_t now;
static int is_wanted, gives_conn;
static unsigned n_failed;

static struct nrpc_conn *linked(struct nrpc_dial *dial, uint32_t now_ms)
{
    (void)dial;
    CHECK_EQ(now_ms, now);
    return gives_conn ? nrpc_server_accept(&raw_server, now_ms) : NULL;
}

static void failed(struct nrpc_dial *dial)
{
    CHECK_EQ(dial->state, NRPC_DIAL_WAITING);
    n_failed++;
}

static int wanted(struct nrpc_dial *dial, uint32_t now_ms, uint32_t *wait_ms)
{
    (void)dial;
    (void)now_ms;
    CHECK_EQ(*wait_ms, 1000);
    return is_wanted;
}

static const struct nrpc_dial_role role = {linked, failed, wanted};

static struct nrpc_dial fresh(void)
{
    struct nrpc_dial dial = {.role = &role};
    now = START;
    n_failed = 0;
    is_wanted = gives_conn = 1;
    return dial;
}

/* Asks as a port does, until it may dial. Returns how long that took. */
static uint32_t wait(struct nrpc_dial *dial)
{
    uint32_t began = now, step;
    while ((step = nrpc_dial_wait_ms(dial, now)) != 0) {
        CHECK(step <= 1000);
        if (!CHECK(now - began <= 1000000)) {
            break;
        }
        now += step;
    }
    CHECK_EQ(dial->state, NRPC_DIAL_DIALLING);
    return now - began;
}

static struct nrpc_conn *link_up(struct nrpc_dial *dial)
{
    struct nrpc_conn *conn = nrpc_dial_linked(dial, now);
    uint8_t out[NRPC_TRANSMIT_MIN];
    CHECK(conn != NULL);
    CHECK(conn && nrpc_conn_transmit(conn, out, sizeof out) >= 9);
    CHECK_EQ(dial->state, NRPC_DIAL_LINKED);
    CHECK(dial->conn == conn);
    return conn;
}

static void greet(struct nrpc_conn *conn)
{
    uint8_t out[NRPC_TRANSMIT_MIN];
    CHECK_EQ(nrpc_conn_receive(conn, hello, sizeof hello, now), sizeof hello);
    while (nrpc_conn_transmit(conn, out, sizeof out) != 0) {
    }
    CHECK(!nrpc_conn_closing(conn));
}

static void waits_grow(void)
{
    struct nrpc_dial dial = fresh();
    uint32_t middle = NRPC_BACKOFF_MIN_MS, least = UINT32_MAX, most = 0;
    CHECK_EQ(wait(&dial), 0);
    for (int i = 0; i < ROUNDS; i++) {
        now += 7; /* counted from the beginning of the attempt */
        CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 1000);
        nrpc_dial_failed(&dial);
        uint32_t waited = wait(&dial) + 7;
        CHECK(waited >= middle - middle / 5 && waited <= middle + middle / 5);
        if (middle == NRPC_BACKOFF_MAX_MS) {
            least = waited < least ? waited : least;
            most = waited > most ? waited : most;
        }
        middle += middle * 3 / 5;
        middle = middle < NRPC_BACKOFF_MAX_MS ? middle : NRPC_BACKOFF_MAX_MS;
    }
    CHECK(most - least > NRPC_BACKOFF_MAX_MS / 5); /* spread */
    CHECK_EQ(n_failed, ROUNDS);
}

static void many_failures(void)
{
    struct nrpc_dial dial = fresh();
    for (int i = 0; i < 600; i++) {
        CHECK(wait(&dial) <= NRPC_BACKOFF_MAX_MS + NRPC_BACKOFF_MAX_MS / 5);
        nrpc_dial_failed(&dial);
    }
    CHECK(wait(&dial) >= NRPC_BACKOFF_MAX_MS - NRPC_BACKOFF_MAX_MS / 5);
}

static void seeds_differ(void)
{
    struct nrpc_dial one = fresh(), other = fresh(), seeded = fresh();
    seeded.random = 1;
    for (int i = 0; i < 8; i++) {
        now = START + (uint32_t)i * 1000000;
        (void)nrpc_dial_wait_ms(&one, now);
        (void)nrpc_dial_wait_ms(&other, now);
        (void)nrpc_dial_wait_ms(&seeded, now);
        nrpc_dial_failed(&one);
        nrpc_dial_failed(&other);
        nrpc_dial_failed(&seeded);
    }
    CHECK(one.random != other.random);
    CHECK(one.next_ms != other.next_ms || one.next_ms != seeded.next_ms);
}

static void not_wanted(void)
{
    struct nrpc_dial dial = fresh();
    is_wanted = 0;
    CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 1000);
    is_wanted = 1;
    CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 0);
    nrpc_dial_failed(&dial);
    is_wanted = 0;
    CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 1000);
    is_wanted = 1;
    CHECK(nrpc_dial_wait_ms(&dial, now) > 1); /* the wait still counts */
}

/* Half of the clock's range later a time of long ago looks like one to come. */
static void a_month_later(void)
{
    struct nrpc_dial dial = fresh();
    (void)wait(&dial);
    nrpc_dial_failed(&dial);
    is_wanted = 0;
    for (uint32_t passed = 0; passed < 0x90000000u; passed += 0x8000000u) {
        now += 0x8000000u;
        CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 1000);
    }
    is_wanted = 1;
    CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 0);
}

static void across_the_wrap(void)
{
    struct nrpc_dial dial = fresh();
    now = UINT32_MAX - 100;
    CHECK_EQ(wait(&dial), 0);
    nrpc_dial_failed(&dial);
    uint32_t waited = wait(&dial);
    CHECK(waited >= NRPC_BACKOFF_MIN_MS * 4 / 5 && waited <= NRPC_BACKOFF_MIN_MS * 6 / 5);
}

/* A peer that accepts and closes is no success. */
static void lost_before_settings(void)
{
    struct nrpc_dial dial = fresh();
    for (int i = 0; i < 10; i++) {
        (void)wait(&dial);
        struct nrpc_conn *conn = link_up(&dial);
        CHECK_EQ(nrpc_conn_receive(conn, hello, 9, now), 9);
        nrpc_conn_lost(conn);
    }
    CHECK(wait(&dial) > 10 * NRPC_BACKOFF_MIN_MS);
    CHECK_EQ(n_failed, 10);
    CHECK(dial.conn == NULL);
}

static void lost_after_settings(void)
{
    struct nrpc_dial dial = fresh();
    for (int i = 0; i < 10; i++) {
        (void)wait(&dial);
        nrpc_dial_failed(&dial);
    }
    (void)wait(&dial);
    struct nrpc_conn *conn = link_up(&dial);
    greet(conn);
    CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 1000);
    now += 1000000;
    CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 1000);
    nrpc_conn_lost(conn);
    CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 0); /* it has lasted: at once */
    conn = link_up(&dial);
    greet(conn);
    CHECK_EQ(nrpc_dial_wait_ms(&dial, now), 1000);
    nrpc_conn_lost(conn);
    uint32_t waited = wait(&dial); /* it has not: no hot loop */
    CHECK(waited >= NRPC_BACKOFF_MIN_MS * 4 / 5 && waited <= NRPC_BACKOFF_MIN_MS * 6 / 5);
    CHECK_EQ(n_failed, 10);
}

static void no_memory(void)
{
    struct nrpc_dial dial = fresh();
    (void)wait(&dial);
    gives_conn = 0;
    CHECK(nrpc_dial_linked(&dial, now) == NULL);
    CHECK_EQ(n_failed, 1);
    CHECK(wait(&dial) >= NRPC_BACKOFF_MIN_MS * 4 / 5);
}

/* The memory of a lost connection is another's before the dial has looked. */
static void memory_used_again(void)
{
    struct nrpc_dial one = fresh(), other = fresh();
    (void)wait(&one);
    (void)wait(&other);
    struct nrpc_conn *conn = link_up(&one);
    greet(conn);
    (void)nrpc_dial_wait_ms(&one, now);
    nrpc_conn_lost(conn);
    CHECK(nrpc_server_accept(&raw_server, now) == conn);
    (void)nrpc_dial_wait_ms(&one, now);
    CHECK_EQ(one.state, NRPC_DIAL_WAITING);
    nrpc_conn_lost(conn);

    (void)wait(&one);
    CHECK(link_up(&one) == conn);
    nrpc_conn_lost(conn);
    CHECK(link_up(&other) == conn);
    (void)nrpc_dial_wait_ms(&one, now);
    (void)nrpc_dial_wait_ms(&other, now);
    CHECK_EQ(one.state, NRPC_DIAL_WAITING);
    CHECK_EQ(other.state, NRPC_DIAL_LINKED);
    nrpc_conn_lost(conn);
}

/* --- Reverse --------------------------------------------------------------------------------- */

static NRPC_REVERSE_DEFINE(uplink, raw_server);

/* As a port drives it. Returns how long the connection stayed, `ms` at most. */
static uint32_t drive(struct nrpc_conn *conn, uint32_t ms)
{
    uint32_t passed = 0;
    while (passed < ms && !nrpc_conn_closing(conn)) {
        uint32_t step = nrpc_dial_wait_ms(&uplink.dial, now), own = nrpc_conn_tick(conn, now);
        step = own < step ? own : step;
        now += step;
        passed += step;
    }
    return passed;
}

static void reverse_waits_for_its_client(void)
{
    now = START;
    CHECK_EQ(nrpc_dial_wait_ms(&uplink.dial, now), 0);
    struct nrpc_conn *conn = link_up(&uplink.dial);
    CHECK(drive(conn, 10ul * NRPC_STALL_TIMEOUT_MS) >= 10ul * NRPC_STALL_TIMEOUT_MS);
    CHECK_EQ(uplink.dial.failures, 0); /* it was no failure, whatever becomes of it */
    greet(conn);
    CHECK(drive(conn, 10ul * NRPC_STALL_TIMEOUT_MS) >= 10ul * NRPC_STALL_TIMEOUT_MS);
    nrpc_conn_lost(conn);
    CHECK_EQ(nrpc_dial_wait_ms(&uplink.dial, now), 0);
    nrpc_dial_failed(&uplink.dial);
}

/* One that has come and stops in its preface is none that is waited for. */
static void reverse_half_a_preface(void)
{
    (void)wait(&uplink.dial);
    struct nrpc_conn *conn = link_up(&uplink.dial);
    CHECK(drive(conn, 10ul * NRPC_STALL_TIMEOUT_MS) >= 10ul * NRPC_STALL_TIMEOUT_MS);
    CHECK_EQ(nrpc_conn_receive(conn, hello, 5, now), 5);
    CHECK(drive(conn, 10ul * NRPC_STALL_TIMEOUT_MS) <= 2u * NRPC_STALL_TIMEOUT_MS);
    CHECK(nrpc_conn_closing(conn));
    nrpc_conn_lost(conn);
    CHECK_EQ(nrpc_dial_wait_ms(&uplink.dial, now), 0);
    nrpc_dial_failed(&uplink.dial);
}

static void reverse_all_taken(void)
{
    struct nrpc_conn *one = nrpc_server_accept(&raw_server, now),
                     *two = nrpc_server_accept(&raw_server, now);
    now += 1000000;
    (void)wait(&uplink.dial);
    CHECK(nrpc_dial_linked(&uplink.dial, now) == NULL);
    CHECK(wait(&uplink.dial) > 1);
    nrpc_conn_lost(one);
    CHECK(nrpc_dial_linked(&uplink.dial, now) == one);
    nrpc_conn_lost(one);
    nrpc_conn_lost(two);
}

int main(void)
{
    RUN(waits_grow);
    RUN(many_failures);
    RUN(seeds_differ);
    RUN(not_wanted);
    RUN(a_month_later);
    RUN(across_the_wrap);
    RUN(lost_before_settings);
    RUN(lost_after_settings);
    RUN(no_memory);
    RUN(memory_used_again);
    RUN(reverse_waits_for_its_client);
    RUN(reverse_half_a_preface);
    RUN(reverse_all_taken);
    return test_end();
}
