/* tests/unit/test_deadlines.c - calls whose time is up, and connections that are shut down.
 * Layer: test. Source: gRPC over HTTP2 "Timeout"; RFC 9113 6.8.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define ECHO "/test.Raw/Echo"
#define LATER "/test.Raw/Later"
#define PUSH "/test.Raw/Push"
#define END NRPC_END_STREAM

static void request(uint32_t id, const char *path, const char *timeout)
{
    wire_request_fields(path);
    if (timeout) {
        wire_field("grpc-timeout", timeout);
    }
    wire_headers(id, 0);
    wire_message(id, "x", END);
}

static void open_and_feed(void)
{
    wire_open();
    wire_feed_all();
    wire_pump();
}

/* One tick after `ms`. Returns what it returns. */
static uint32_t tick_after(uint32_t ms)
{
    wire.now_ms += ms;
    uint32_t next = nrpc_conn_tick(wire.conn, wire.now_ms);
    CHECK(next >= 1 && next <= 1000);
    wire_pump();
    return next;
}

static void malformed_timeouts(void)
{
    static const char *const texts[] = {"", "1", "m", "1x", "123456789m", "-1S", "1S1"};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        test_context(texts[i], (long)i);
        wire_begin(&raw_server);
        request(1, ECHO, texts[i]);
        wire_expect("1: [200 grpc status=13 message=bad metadata] END");
    }
}

/* It means nothing in a request. With NRPC_CLIENT it was once taken for the deadline. */
static void status_in_a_request(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    wire_request_fields(LATER);
    wire_field("grpc-status", "5");
    wire_headers(1, 0);
    wire_message(1, "x", END);
    open_and_feed();
    CHECK(!nrpc_conn_timer_set(wire.conn));
    CHECK_EQ(tick_after(100), 1000);
    wire_close();
}

static void deadline_passes(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    request(1, LATER, "100m");
    request(3, LATER, "99999999H");
    request(5, LATER, NULL);
    open_and_feed();
    CHECK(nrpc_conn_timer_set(wire.conn));
    CHECK_EQ(tick_after(0), 100);
    CHECK(!nrpc_conn_timer_set(wire.conn));
    CHECK_EQ(tick_after(60), 40);
    CHECK_EQ(nrpc_call_time_left_ms(raw_call(1)), 40);
    CHECK_EQ(nrpc_call_age_ms(raw_call(1)), 60);
    CHECK_EQ(nrpc_call_time_left_ms(raw_call(3)), NRPC_TIMEOUT_MAX - 60);
    CHECK_EQ(nrpc_call_time_left_ms(raw_call(5)), NRPC_NO_DEADLINE);
    CHECK_EQ(tick_after(39), 1);
    CHECK_EQ(raw.n_cancelled, 0);
    CHECK_EQ(tick_after(1), 1000);
    CHECK_EQ(raw.n_cancelled, 1);
    CHECK_TEXT(wire_text(), "1: [200 grpc status=4] END {m1 c4} 3: {m1} 5: {m1}");
    wire_close();
}

/* Before its request is whole, or a message of it has come. */
static void deadline_of_a_slow_client(void)
{
    wire_begin(&raw_server);
    wire_request_fields("/test.Raw/Collect");
    wire_field("grpc-timeout", "1S");
    wire_headers(1, 0);
    wire_message(1, "x", 0);
    open_and_feed();
    tick_after(1000);
    CHECK_TEXT(wire_text(), "1: [200 grpc status=4] END");
    wire_close();
}

static void finished_before_its_deadline(void)
{
    wire_begin(&raw_server);
    request(1, LATER, "1S");
    open_and_feed();
    CHECK_EQ(raw_finish(1, NRPC_ABORTED, NULL), 0);
    tick_after(2000);
    CHECK_EQ(raw.n_cancelled, 0);
    CHECK_TEXT(wire_text(), "1: [200 grpc status=10] END");
    wire_close();
}

/* A message that the client's window keeps here is not sent any more; one that has begun to leave
 * is. */
static void deadline_behind_a_closed_window(void)
{
    for (unsigned window = 0; window <= 4; window += 4) {
        wire_begin(&raw_server);
        wire_setting(NRPC_INITIAL_WINDOW_SIZE, window);
        request(1, PUSH, "1S");
        open_and_feed();
        CHECK_EQ(raw_send(1, "abc"), 0);
        wire_pump();
        tick_after(1000);
        CHECK_EQ(raw.n_cancelled, 1);
        if (!window) {
            CHECK_TEXT(wire_text(), "acks=2 1: [200 grpc] [status=4] END");
        }
        size_t at = wire.n_in;
        wire_number(NRPC_WINDOW_UPDATE, 1, 100);
        wire_feed(wire.in + at, wire.n_in - at);
        wire_pump();
        if (window) {
            CHECK_TEXT(wire_text(), "acks=2 1: [200 grpc] 'abc' [status=4] END");
        }
        wire_close();
    }
}

/* --- Shutdown ------------------------------------------------------------------------------ */

static void shutdown_that_is_not_answered(void)
{
    wire_begin(&raw_server);
    open_and_feed();
    nrpc_conn_shutdown(wire.conn);
    for (uint32_t passed = 0; passed < NRPC_WARN_MS - 500; passed += 500) {
        tick_after(500);
        CHECK(!nrpc_conn_closing(wire.conn));
    }
    tick_after(1000);
    CHECK(nrpc_conn_closing(wire.conn));
    CHECK_TEXT(wire_text(),
               "goaway(2147483647,NO_ERROR) PING(0100000000000000) goaway(0,NO_ERROR)");
    wire_close();
}

static void shutdown_has_a_limit(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    request(1, LATER, NULL);
    open_and_feed();
    nrpc_conn_shutdown(wire.conn);
    for (uint32_t passed = 0; passed < NRPC_DRAIN_MS; passed += 500) {
        tick_after(500);
        nrpc_conn_shutdown(wire.conn); /* once more changes nothing */
    }
    CHECK_EQ(raw.n_cancelled, 0);
    tick_after(1000);
    CHECK_EQ(raw.n_cancelled, 1);
    CHECK_TEXT(wire_text(), "goaway(2147483647,NO_ERROR) PING(0100000000000000) goaway(1,NO_ERROR) "
                            "1: [200 grpc status=14] END {m1 c14}");
    CHECK(nrpc_conn_closing(wire.conn));
    wire_close();
}

int main(void)
{
    RUN(malformed_timeouts);
    RUN(status_in_a_request);
    RUN(deadline_passes);
    RUN(deadline_of_a_slow_client);
    RUN(finished_before_its_deadline);
    RUN(deadline_behind_a_closed_window);
    RUN(shutdown_that_is_not_answered);
    RUN(shutdown_has_a_limit);
    return test_end();
}
