/* tests/unit/test_admission.c - who gives way to a client that waits, and what it hears of it.
 * Layer: test. Source: ports/nrpc_admission.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/nrpc_admission.h"

#include <string.h>

#include "wire.h"

enum { MOST = 8, NOW_MS = 100000, FRESH = NRPC_YIELD_MS / 2, LONG = 20000 };

static struct nrpc_conn conns[MOST];
static struct nrpc_server table = {.conns = conns};

static void begin(void)
{
    memset(conns, 0, sizeof conns);
    table.n_conns = 0;
}

/* A connection of `peer`, which came, and had its last call, so long ago. flags: of a call. */
static struct nrpc_conn *add(uint32_t peer, uint32_t ago_ms, unsigned flags)
{
    struct nrpc_conn *conn = &conns[table.n_conns++];
    conn->flags = NRPC_CONN_OPEN;
    conn->peer = peer;
    conn->idle = conn->born = (uint16_t)((NOW_MS - ago_ms) >> NRPC_TICK_SHIFT);
    conn->calls[NRPC_MAX_STREAMS - 1].flags = (uint16_t)flags;
    if (flags & NRPC_CALL_ENGAGED) {
        conn->idle = (uint16_t)(NOW_MS >> NRPC_TICK_SHIFT);
    }
    return conn;
}

/* Its place, or -1. */
static int chosen(uint32_t peer)
{
    const struct nrpc_conn *conn = nrpc_admission_choose(&table, peer, NOW_MS);
    return conn ? (int)(conn - conns) : -1;
}

enum {
    A = 0x0a000202,
    B = 0x0a000203,
    C = 0x0a000204,
    CALL = NRPC_CALL_OPEN | NRPC_CALL_REQUESTED,
    ANSWER = NRPC_CALL_OPEN | NRPC_CALL_FINISHED,
    COMES = NRPC_CALL_OPEN /* a request of which not all has come */
};

static void longest_idle_gives_way(void)
{
    begin();
    add(A, LONG, 0);
    add(A, 2 * LONG, 0);
    add(A, 3 * LONG, CALL);
    CHECK_EQ(chosen(A), 1);
    add(A, 3 * LONG, COMES); /* a request that does not come is no call */
    CHECK_EQ(chosen(A), 3);
    add(A, 4 * LONG, ANSWER);
    CHECK_EQ(chosen(A), 3);
    conns[3].calls[0].flags = CALL;
    CHECK_EQ(chosen(A), 1);
}

static void fresh_ones_do_not(void)
{
    begin();
    add(A, FRESH, 0);
    add(A, FRESH, COMES);
    CHECK_EQ(chosen(A), -1);
    add(B, NRPC_YIELD_MS + 600, 0);
    add(B, FRESH, 0);
    CHECK_EQ(chosen(A), -1); /* B's is safe from A, who has half */
    CHECK_EQ(chosen(B), 2);
    CHECK_EQ(chosen(C), 2);
}

static void calls_do_not(void)
{
    begin();
    add(A, LONG, CALL);
    add(A, LONG, ANSWER);
    CHECK_EQ(chosen(A), -1);
    begin();
    add(A, LONG, CALL); /* all that there is: nothing would be fairer */
    CHECK_EQ(chosen(B), -1);
    begin();
    add(A, LONG, CALL);
    add(B, LONG, CALL);
    CHECK_EQ(chosen(C), -1);
    CHECK_EQ(chosen(A), -1);
}

/* One address with more than half. */
static void half_is_for_others(void)
{
    begin();
    add(A, LONG, CALL);
    add(A, FRESH, CALL);
    CHECK_EQ(chosen(B), 1); /* its newest */
    conns[0].calls[NRPC_MAX_STREAMS - 1].flags = COMES;
    conns[0].idle = conns[1].idle;
    CHECK_EQ(chosen(B), 0); /* which has no call, at once */
    begin();
    add(B, 2 * LONG, CALL);
    add(A, LONG, CALL);
    add(A, LONG, CALL);
    add(A, LONG / 2, CALL);
    CHECK_EQ(chosen(B), 3);
    CHECK_EQ(chosen(C), 3);
    CHECK_EQ(chosen(A), -1);
    conns[3].peer = B; /* half each */
    CHECK_EQ(chosen(A), -1);
    CHECK_EQ(chosen(B), -1);
    CHECK_EQ(chosen(C), -1);
}

/* Who has half already gets no more from others. */
static void half_is_enough(void)
{
    begin();
    add(A, LONG, 0);
    add(B, 2 * LONG, 0);
    CHECK_EQ(chosen(A), 0);
    CHECK_EQ(chosen(B), 1);
    CHECK_EQ(chosen(C), 1);
    begin();
    add(A, LONG, 0);
    add(B, 2 * LONG, 0);
    add(B, 2 * LONG, 0);
    CHECK_EQ(chosen(A), 1); /* B has more than half of three */
    begin();
    add(A, LONG, 0);
    add(B, 2 * LONG, 0);
    add(C, 3 * LONG, 0);
    CHECK_EQ(chosen(A), 0); /* and A would have it */
    begin();
    add(A, LONG, 0);
    CHECK_EQ(chosen(B), 0);
    CHECK_EQ(chosen(A), 0);
}

/* Attackers at one address who come again at once, with as many as they like, do not get at the one
 * connection of another; and he who has none gets in at once. */
static void reconnecting_attackers_lose(void)
{
    begin();
    for (unsigned i = 0; i < 4; i++) {
        add(A, 0, 0);
    }
    int place = chosen(B);
    CHECK(place >= 0);
    conns[place].peer = B;
    for (unsigned again = 0; again < 100; again++) {
        conns[place].idle = (uint16_t)(conns[place].idle - 100); /* ever longer idle */
        int attacked = chosen(A);
        CHECK(attacked != place);
        if (attacked >= 0) {
            conns[attacked].idle = (uint16_t)(NOW_MS >> NRPC_TICK_SHIFT);
        }
    }
}

static void links_of_ours_do_not(void)
{
    begin();
    add(0, LONG, 0)->dial = (struct nrpc_dial *)&table; /* not looked into */
    CHECK_EQ(chosen(A), -1);
    add(A, FRESH, 0)->flags = 0; /* nor what is free */
    CHECK_EQ(chosen(B), -1);
}

static void addresses_are_mixed(void)
{
    static const uint8_t v4[] = {192, 168, 0, 1, 192, 168, 0, 2};
    static const uint8_t v6[] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 2};
    CHECK_EQ(nrpc_admission_peer(v4, 4), 0xc0a80001);
    CHECK(nrpc_admission_peer(v4, 4) != nrpc_admission_peer(v4 + 4, 4));
    CHECK(nrpc_admission_peer(v6, 8) != nrpc_admission_peer(v6 + 8, 8));
    CHECK(nrpc_admission_peer(v6, 8) != 0);
}

/* --- What it hears ------------------------------------------------------------------------ */

static void give_way(void)
{
    nrpc_conn_yield(wire.conn, wire.now_ms);
    CHECK(!nrpc_conn_closing(wire.conn));
}

static void over(void)
{
    CHECK(nrpc_conn_closing(wire.conn));
}

static void idle_one_hears_of_it(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Echo", 0);
    wire_message(1, "hi", NRPC_END_STREAM);
    wire_do(give_way);
    wire_do(over);
    wire_expect("goaway(1,NO_ERROR)");
    wire_begin(&raw_server);
    wire_do(give_way);
    wire_do(over);
    wire_expect("goaway(0,NO_ERROR)");
}

/* What has come meanwhile was not begun, and the client knows. */
static void calls_end_and_no_more_are_begun(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_message(1, "x", NRPC_END_STREAM);
    wire_request(3, "/test.Raw/Echo", 0);
    wire_do(give_way);
    wire_do(over);
    wire_request(5, "/test.Raw/Echo", 0);
    wire_expect("goaway(3,NO_ERROR) 1: [200 grpc status=14] END 3: [200 grpc status=14] END 5: "
                "rst(REFUSED_STREAM)");
    CHECK_EQ(raw.n_cancelled, 2);
}

/* Between two ticks there may be many calls. */
static void calls_between_ticks_are_seen(void)
{
    wire_begin(&raw_server);
    wire_open();
    wire_feed_all();
    wire_pump();
    CHECK_EQ(nrpc_admission_held(&raw_server, 0), 1);
    wire.conn->peer = A;
    wire.now_ms += NRPC_YIELD_MS + 600;
    wire_begin_bare(&raw_server);
    wire_request(1, "/test.Raw/Echo", 0);
    wire_message(1, "hi", NRPC_END_STREAM);
    CHECK(nrpc_admission_choose(&raw_server, A, wire.now_ms) == wire.conn);
    wire_feed(wire.in, wire.n_in);
    wire_pump();
    CHECK(nrpc_admission_choose(&raw_server, A, wire.now_ms) == NULL);
    wire_close();
}

int main(void)
{
    RUN(longest_idle_gives_way);
    RUN(fresh_ones_do_not);
    RUN(calls_do_not);
    RUN(half_is_for_others);
    RUN(half_is_enough);
    RUN(reconnecting_attackers_lose);
    RUN(links_of_ours_do_not);
    RUN(addresses_are_mixed);
    RUN(idle_one_hears_of_it);
    RUN(calls_end_and_no_more_are_begun);
    RUN(calls_between_ticks_are_seen);
    return test_end();
}
