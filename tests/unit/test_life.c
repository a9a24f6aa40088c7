/* tests/unit/test_life.c - keepalive, maximum age and idleness of a connection.
 * Layer: test. Source: nanorpc/config.h; gRPC A8, A9.
 * SPDX-License-Identifier: Apache-2.0 */
#define NRPC_SAME_UNASKED
#define NRPC_KEEPALIVE_MS 10000
#define NRPC_MAX_IDLE_MS 60000
#define NRPC_MAX_AGE_MS 100000
#include "../../nanorpc/server/nrpc_server.c" /* again, instead of the library's */

#include <string.h>

#include "wire.h"

static void open_and_feed(void)
{
    wire_open();
    wire_feed_all();
    wire_pump();
}

/* Ticks for so long. alive: the client says something now and then. */
static void pass(uint32_t ms, int alive)
{
    static const uint8_t window_update[] = {0, 0, 4, NRPC_WINDOW_UPDATE, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    for (uint32_t passed = 0; passed < ms; passed += 500) {
        if (alive && passed % 5000 == 0) {
            wire_feed(window_update, sizeof window_update);
        }
        wire.now_ms += 500;
        (void)nrpc_conn_tick(wire.conn, wire.now_ms);
        wire_pump();
    }
}

static void silent_peer_is_pinged_then_closed(void)
{
    wire_begin(&raw_server);
    open_and_feed();
    pass(9500, 0);
    CHECK_TEXT(wire_text(), "");
    pass(1500, 0);
    CHECK_TEXT(wire_text(), "PING(0000000000000000)");
    CHECK(!nrpc_conn_closing(wire.conn));
    pass(NRPC_STALL_TIMEOUT_MS - 2000, 0);
    CHECK(!nrpc_conn_closing(wire.conn));
    pass(3000, 0);
    CHECK(nrpc_conn_closing(wire.conn));
    CHECK_TEXT(wire_text(), "PING(0000000000000000)");
    wire_close();
}

/* One that has stopped within a frame keeps us waiting as it is; its answer, or an error, needs the
 * place that a PING would take. Here it is the PING that is one too many: 17 + 31 bytes. */
static void silent_within_a_frame(void)
{
    wire_begin(&raw_server);
    for (unsigned i = 0; i <= NRPC_PINGS_MAX; i++) {
        wire_ping("abcdefgh");
    }
    for (size_t cut = 1; cut < 17; cut++) {
        size_t n = wire.n_in;
        wire.n_in -= cut;
        open_and_feed();
        wire.is_blocked = 1; /* nor does it read */
        pass(11000, 0);
        CHECK(!nrpc_conn_closing(wire.conn));
        wire.is_blocked = 0;
        wire.conn->pings = NRPC_PINGS_MAX; /* some have been forgiven meanwhile */
        wire.n_in = n;
        wire_feed_all();
        CHECK(strstr(wire_text(), "goaway(0,ENHANCE_YOUR_CALM,too_many_pings)") != NULL);
        wire_close();
    }
}

static void answer_keeps_it_alive(void)
{
    static const uint8_t answer[] = {0, 0, 8, NRPC_PING, NRPC_ACK, 0, 0, 0, 0,
                                     0, 0, 0, 0,         0,        0, 0, 0};
    wire_begin(&raw_server);
    open_and_feed();
    pass(11000, 0);
    wire_feed(answer, sizeof answer);
    pass(9500, 0);
    CHECK(!nrpc_conn_closing(wire.conn));
    CHECK_TEXT(wire_text(), "PING(0000000000000000)");
    pass(1500, 0);
    CHECK_TEXT(wire_text(), "PING(0000000000000000) PING(0000000000000000)");
    wire_close();
}

static void idle_connection_is_shut_down(void)
{
    wire_begin(&raw_server);
    open_and_feed();
    pass(59500, 1);
    CHECK_TEXT(wire_text(), "");
    pass(1500, 1);
    CHECK_TEXT(wire_text(), "goaway(2147483647,NO_ERROR) PING(0100000000000000)");
    wire_close();
}

static void old_connection_is_shut_down(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_message(1, "x", NRPC_END_STREAM);
    open_and_feed();
    pass(99500, 1); /* with a call it is not idle */
    CHECK_TEXT(wire_text(), "");
    pass(1500, 1);
    CHECK_TEXT(wire_text(), "goaway(2147483647,NO_ERROR) PING(0100000000000000)");
    CHECK_EQ(raw.n_cancelled, 0);
    wire_close();
}

#if NRPC_MANY_CONNECTIONS
/* Left alone for as long as it says, with an answer to each PING: what comes when is the same. */
static void idle_until_something_is_due(void)
{
    static const uint8_t answer[] = {0, 0, 8, NRPC_PING, NRPC_ACK, 0, 0, 0, 0,
                                     0, 0, 0, 0,         0,        0, 0, 0};
    uint32_t begun, ticks = 0;
    size_t told;
    wire_begin(&raw_server);
    open_and_feed();
    begun = wire.now_ms;
    while (!strstr(wire_text(), "goaway") && CHECK(ticks < 40)) {
        uint32_t ms = nrpc_conn_tick(wire.conn, wire.now_ms), idle_ms;
        told = wire.n_out;
        idle_ms = nrpc_conn_idle_ms(wire.conn);
        wire_pump();
        if (wire.n_out != told) {
            wire_feed(answer, sizeof answer);
        }
        wire.now_ms += idle_ms > ms ? idle_ms : ms;
        ticks++;
    }
    CHECK(wire.now_ms - begun >= NRPC_MAX_IDLE_MS);
    CHECK(wire.now_ms - begun <= NRPC_MAX_IDLE_MS + 3000);
    CHECK_TEXT(wire_text(), "PING(0000000000000000) PING(0000000000000000) PING(0000000000000000) "
                            "PING(0000000000000000) PING(0000000000000000) "
                            "goaway(2147483647,NO_ERROR) PING(0100000000000000)");
    wire_close();
}
#endif

int main(void)
{
    RUN(silent_peer_is_pinged_then_closed);
    RUN_LARGE(silent_within_a_frame);
    RUN(answer_keeps_it_alive);
    RUN(idle_connection_is_shut_down);
    RUN(old_connection_is_shut_down);
#if NRPC_MANY_CONNECTIONS
    RUN(idle_until_something_is_due);
#endif
    return test_end();
}
