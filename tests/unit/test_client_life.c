/* tests/unit/test_client_life.c - keepalive, maximum age and idleness of a channel's link.
 * Layer: test. Source: nanorpc/config.h; gRPC A8, A9.
 * SPDX-License-Identifier: Apache-2.0 */
#define NRPC_SAME_UNASKED
#define NRPC_KEEPALIVE_MS 10000
#define NRPC_MAX_IDLE_MS 60000
#define NRPC_MAX_AGE_MS 100000
#include "../../nanorpc/client/nrpc_client.c" /* again, instead of the library's */
#include "../../nanorpc/server/nrpc_server.c"

#include <string.h>

#include "raw_client.h"
#include "wire.h"

#if NRPC_CLIENT

static void echo(void)
{
    CHECK(raw_start("Echo", "hi", NULL));
}

static void open_and_feed(void)
{
    wire_open();
    wire_feed_all();
    wire_pump();
}

/* Ticks for so long, as a port does. alive: the server says something now and then. */
static void pass(uint32_t ms, int alive)
{
    static const uint8_t window_update[] = {0, 0, 4, NRPC_WINDOW_UPDATE, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    for (uint32_t passed = 0; passed < ms; passed += 500) {
        if (alive && passed % 5000 == 0) {
            wire_feed(window_update, sizeof window_update);
        }
        wire.now_ms += 500;
        (void)nrpc_conn_tick(wire.conn, wire.now_ms);
        (void)raw_client_tick(wire.now_ms);
        wire_pump();
    }
}

static void feed_answer(void)
{
    wire.n_in = wire.n_fed = 0;
    raw_answer(1);
    wire_message(1, "hi", 0);
    raw_trailers(1, "0", NULL);
    wire_feed_all();
    wire_pump();
}

static void link_again(void)
{
    nrpc_conn_lost(wire.conn);
    wire.n_out = 0;
    CHECK(raw_client_link(wire.now_ms) == wire.conn);
    wire.n_in = wire.n_fed = 0;
    wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
    wire_feed_all();
    wire_pump();
    feed_answer();
}

/* The server's machine has gone, and a call without a deadline waits for it. */
static void server_that_has_vanished(void)
{
    raw_client_begin(echo);
    open_and_feed();
    pass(9000, 0);
    CHECK(strstr(wire_text(), "PING") == NULL);
    pass(2000, 0);
    CHECK(strstr(wire_text(), "PING(0000000000000000)") != NULL);
    CHECK(!nrpc_conn_closing(wire.conn));
    pass(NRPC_STALL_TIMEOUT_MS, 0);
    CHECK(nrpc_conn_closing(wire.conn));
    CHECK_TEXT(raw_client_log(), "");
    nrpc_conn_lost(wire.conn);
    (void)raw_client_tick(wire.now_ms);
    CHECK_TEXT(raw_client_log(), "1=14(connection lost)");
}

/* gRPC's servers end links that ping more often, or without a call. Returns after how many
 * milliseconds with an open call the next PING goes out. */
static uint32_t ms_to_ping(void)
{
    uint32_t ms = 0;
    wire.n_out = 0;
    while (wire.n_out == 0 && CHECK(ms < 60000)) {
        pass(500, 0);
        ms += 500;
    }
    return ms;
}

static void no_ping_without_a_call(void)
{
    raw_client_begin(echo);
    open_and_feed();
    feed_answer();
    wire.n_out = 0;
    pass(50000, 0);
    CHECK_EQ(wire.n_out, 0);
    echo(); /* nothing has been heard for long: it may have gone */
    wire_pump();
    CHECK_EQ(ms_to_ping(), 500);
    CHECK(!nrpc_conn_closing(wire.conn));
}

/* gRPC A8. */
static void goaway_and_next_link(uint32_t code, const char *why)
{
    char payload[8 + 20] = {0};
    payload[3] = 1; /* the call is lost, not refused */
    payload[7] = (char)code;
    strcpy(payload + 8, why);
    wire.n_in = wire.n_fed = 0;
    wire_frame(NRPC_GOAWAY, 0, 0, payload, 8 + strlen(why));
    wire_feed_all();
    (void)raw_client_tick(wire.now_ms);
    nrpc_conn_lost(wire.conn);
    for (unsigned i = 0; i < 3; i++) { /* it finds that out; the time to wait passes */
        (void)raw_client_tick(wire.now_ms);
        wire.now_ms += 2 * NRPC_BACKOFF_MAX_MS;
    }
    raw_client.n_started = 0;
    echo();
    CHECK(raw_client_link(wire.now_ms) == wire.conn);
    wire.n_in = wire.n_fed = 0;
    wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
    wire_feed_all();
    wire_pump();
}

static void too_many_pings(void)
{
    raw_client_begin(echo);
    open_and_feed();
    CHECK_EQ(ms_to_ping(), 10500);
    goaway_and_next_link(NRPC_H2_ENHANCE_YOUR_CALM, "too_many_pings");
    CHECK_EQ(ms_to_ping(), 20500);
    goaway_and_next_link(NRPC_H2_ENHANCE_YOUR_CALM, "too_many_things_");
    CHECK_EQ(ms_to_ping(), 20500);
    goaway_and_next_link(NRPC_H2_INTERNAL_ERROR, "too_many_pings");
    CHECK_EQ(ms_to_ping(), 20500);
    goaway_and_next_link(NRPC_H2_ENHANCE_YOUR_CALM, "too_many_pings");
    CHECK_EQ(ms_to_ping(), 40500);
    for (unsigned i = 0; i < 40; i++) { /* within what a link can measure */
        goaway_and_next_link(NRPC_H2_ENHANCE_YOUR_CALM, "too_many_pings");
    }
    CHECK((uint32_t)NRPC_KEEPALIVE_MS << wire.conn->calmed <= 14400000);
    CHECK((uint32_t)NRPC_KEEPALIVE_MS << wire.conn->calmed >= 7200000);
}

/* It closes; the next call opens another one. */
static void idle_link(void)
{
    raw_client_begin(echo);
    open_and_feed();
    feed_answer();
    pass(59000, 1);
    CHECK(!nrpc_conn_closing(wire.conn));
    pass(3000, 1);
    CHECK(nrpc_conn_closing(wire.conn));
    echo();
    link_again();
    CHECK_TEXT(raw_client_log(), "1h 1'hi' 1=0 2h 2'hi' 2=0");
}

/* Its call may finish, the next one waits for another link. */
static void old_link(void)
{
    raw_client_begin(echo);
    open_and_feed();
    pass(102000, 1);
    CHECK(!nrpc_conn_closing(wire.conn));
    echo();
    pass(1000, 1);
    CHECK(!nrpc_conn_closing(wire.conn));
    feed_answer();
    CHECK_TEXT(raw_client_log(), "1h 1'hi' 1=0");
    pass(1000, 0);
    CHECK(nrpc_conn_closing(wire.conn));
    link_again();
    CHECK_TEXT(raw_client_log(), "1h 1'hi' 1=0 2h 2'hi' 2=0");
}

int main(void)
{
    RUN(server_that_has_vanished);
    RUN(no_ping_without_a_call);
    RUN_LARGE(too_many_pings);
    RUN(idle_link);
    RUN(old_link);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
