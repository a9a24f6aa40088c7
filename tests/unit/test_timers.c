/* tests/unit/test_timers.c - peers that keep us waiting, and those that only think.
 * Layer: test. Source: nanorpc/config.h NRPC_STALL_TIMEOUT_MS; CVE-2019-9511, 9517, slowloris.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define ECHO "/test.Raw/Echo"
#define END NRPC_END_STREAM

enum { MARGIN = 1600 };
#define LONG (4ul * NRPC_STALL_TIMEOUT_MS)

/* How long a port leaves it alone after this tick. */
static uint32_t tick(void)
{
    uint32_t step = nrpc_conn_tick(wire.conn, wire.now_ms);
    CHECK(step >= 1 && step <= 1000);
#if NRPC_MANY_CONNECTIONS
    uint32_t idle_ms = nrpc_conn_idle_ms(wire.conn);
    CHECK(idle_ms <= 3600000);
    step = idle_ms > step ? idle_ms : step;
#endif
    return step;
}

/* Time passes, a tick at a time as a port does it. Returns after how much of it the connection
 * closed, or `ms` when it did not. */
static uint32_t pass(uint32_t ms)
{
    uint32_t passed = 0;
    while (passed < ms && !nrpc_conn_closing(wire.conn)) {
        uint32_t step = tick();
        if (step > 1000 && step >= ms - passed) { /* something comes then, and before it a tick */
            wire.now_ms += ms - passed;
            (void)tick();
            return ms;
        }
        wire.now_ms += step;
        passed += step;
        wire_pump();
    }
    return passed;
}

static void expect_timeout(void)
{
    uint32_t passed = pass(LONG);
    CHECK(passed + MARGIN >= NRPC_STALL_TIMEOUT_MS);
    CHECK(passed <= NRPC_STALL_TIMEOUT_MS + 2 * MARGIN);
    CHECK(nrpc_conn_closing(wire.conn));
    wire_close();
}

static void expect_none(void)
{
    pass(LONG);
    CHECK(!nrpc_conn_closing(wire.conn));
    wire_close();
}

static void open_and_feed(size_t less)
{
    wire.n_in -= less;
    wire_open();
    wire_feed_all();
    wire_pump();
}

static void no_preface(void)
{
    wire_begin_bare(&raw_server);
    open_and_feed(0);
    expect_timeout();
}

static void half_a_preface(void)
{
    wire_begin_bare(&raw_server);
    wire_preface();
    open_and_feed(3);
    expect_timeout();
}

static void no_settings(void)
{
    wire_begin_bare(&raw_server);
    wire_preface();
    open_and_feed(0);
    expect_timeout();
}

static void idle_connection(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "x", END);
    open_and_feed(0);
    expect_none();
}

static void frames_that_are_not_finished(void)
{
    static const size_t cuts[] = {1, 4, 8, 9 + 1, 9 + 5, 9 + 6};
    for (unsigned i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Collect", 0);
        wire_message(1, "abcdef", 0);
        test_context("missing", (long)cuts[i]);
        open_and_feed(cuts[i]);
        expect_timeout();
        CHECK_EQ(raw.n_cancelled, 1);
    }
}

static void header_block_that_is_not_finished(void)
{
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_frame(NRPC_HEADERS, 0, 1, wire.block, wire.n_block);
    wire.n_block = 0;
    open_and_feed(0);
    expect_timeout();
}

/* CONTINUATION frames now and then, whole ones, are no progress: the block is not finished by them.
 */
static void header_block_that_drips(void)
{
    uint32_t began;
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_frame(NRPC_HEADERS, 0, 1, wire.block, wire.n_block);
    wire.n_block = 0;
    open_and_feed(0);
    began = wire.now_ms;
    while (wire.now_ms - began < LONG && !nrpc_conn_closing(wire.conn)) {
        wire_feed("\0\0\0\11\0\0\0\0\1", 9);
        pass(1000);
    }
    CHECK(nrpc_conn_closing(wire.conn));
    CHECK(wire.now_ms - began + MARGIN >= NRPC_STALL_TIMEOUT_MS);
    CHECK(wire.now_ms - began <= NRPC_STALL_TIMEOUT_MS + 2 * MARGIN);
    wire_close();
}

/* Slowloris: a byte now and then within one frame is no progress. */
static void byte_by_byte(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Collect", 0);
    wire_long_message(1, 60, 0);
    open_and_feed(60);
    uint32_t passed = 0;
    for (unsigned i = 0; i < 59 && !nrpc_conn_closing(wire.conn); i++) {
        passed += pass(NRPC_STALL_TIMEOUT_MS / 10);
        wire_feed(wire.in + wire.n_in + i, 1);
    }
    CHECK(nrpc_conn_closing(wire.conn));
    CHECK(passed <= 2u * NRPC_STALL_TIMEOUT_MS);
    wire_close();
}

/* A handler that takes its time, a client that is silent in a stream: nobody waits for anybody. */
static void open_calls(void)
{
    static const char *const paths[] = {"/test.Raw/Later", "/test.Raw/Push", "/test.Raw/Bidi",
                                        "/test.Raw/Hold"};
    for (unsigned i = 0; i < 4; i++) {
        wire_begin(&raw_server);
        wire_request(1, paths[i], 0);
        wire_message(1, "x", i < 2 ? END : 0);
        test_context(paths[i], 0);
        open_and_feed(0);
        expect_none();
    }
}

/* A request that does not come, or not whole, has a time of its own; its link goes on. */
static void requests_that_are_not_finished(void)
{
    static const char *const paths[] = {ECHO, "/test.Raw/List", ECHO};
    for (unsigned i = 0; i < 3; i++) {
        wire_begin(&raw_server);
        wire_request(1, paths[i], 0);
        if (i == 2) {
            wire_data(1, "\0\0\0\0\2", 5, 0); /* a message of two bytes */
            wire_data(1, "a", 1, 0);
        }
        test_context(paths[i], (long)i);
        open_and_feed(0);
        pass(NRPC_REQUEST_TIMEOUT_MS - MARGIN);
        CHECK_TEXT(wire_text(), "");
        pass(2 * MARGIN);
        CHECK_TEXT(wire_text(), "1: [200 grpc status=14 message=request incomplete] END");
        CHECK_EQ(raw.n_cancelled, 1);
        wire_begin_bare(&raw_server);
        wire_request(3, ECHO, 0);
        wire_message(3, "on", END);
        wire_feed(wire.in, wire.n_in);
        wire_pump();
        CHECK_TEXT(wire_text(), "1: [200 grpc status=14 message=request incomplete] END 3: [200 "
                                "grpc] 'on' [status=0] END");
        wire_close();
    }
}

/* CVE-2019-9517: no window for what is to be sent. */
static void window_that_stays_closed(void)
{
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 3);
    wire_request(1, ECHO, 0);
    wire_message(1, "x", END);
    wire_request(3, "/test.Raw/List", 0);
    wire_message(3, "9", END);
    open_and_feed(0);
    expect_timeout();
    CHECK_EQ(raw.n_cancelled, 1); /* the list; the other has finished */
}

static void window_that_opens_a_little(void)
{
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 0);
    wire_request(1, ECHO, 0);
    wire_message(1, "abcdefghijklmnopqrstuvwxyz", END);
    open_and_feed(0);
    wire_begin_bare(&raw_server);
    wire_number(NRPC_WINDOW_UPDATE, 1, 1);
    for (unsigned i = 0; i < 31; i++) {
        pass(NRPC_STALL_TIMEOUT_MS / 2);
        CHECK(!nrpc_conn_closing(wire.conn));
        wire_feed(wire.in, wire.n_in);
        wire_pump();
    }
    CHECK_TEXT(wire_text(), "acks=2 1: [200 grpc] 'abcdefghijklmnopqrstuvwxyz' [status=0] END");
    wire_close();
}

/* CVE-2019-9511: nothing is read by the client. */
static void link_that_is_full(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "x", END);
    wire_open();
    wire.is_blocked = 1;
    wire_feed(wire.in, wire.n_in);
    uint32_t passed = pass(LONG);
    CHECK(passed < LONG);
    CHECK(nrpc_conn_closing(wire.conn));
    wire_close();
}

/* What the bucket of glitches holds comes back with time. */
static void glitches_are_forgiven(void)
{
    wire_begin(&raw_server);
    open_and_feed(0);
    wire_begin_bare(&raw_server);
    for (unsigned i = 0; i < NRPC_GLITCHES_PER_SECOND / 2; i++) {
        wire_priority(1, 3);
    }
    for (unsigned i = 0; i < 100; i++) {
        pass(1000);
        wire.n_fed = 0;
        CHECK(wire_feed_all());
        CHECK(!nrpc_conn_closing(wire.conn));
    }
    wire_close();
}

/* A keepalive of 10 s on a stream that is silent for two hours; then a burst. */
static void slow_pings_are_answered(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Push", 0);
    wire_message(1, "x", END);
    open_and_feed(0);
    wire_begin_bare(&raw_server);
    wire_ping("abcdefgh");
    for (unsigned i = 0; i < 720; i++) {
        size_t before = wire.n_out;
        pass(10000);
        wire.n_fed = 0;
        CHECK(wire_feed_all());
        CHECK_EQ(wire.n_out - before, wire.n_in);
        CHECK(!nrpc_conn_closing(wire.conn));
    }
    for (unsigned i = 0; i <= NRPC_PINGS_MAX; i++) {
        wire.n_fed = 0;
        CHECK(wire_feed_all());
    }
    CHECK(nrpc_conn_closing(wire.conn));
    CHECK(memcmp(wire.out + wire.n_out - 14, "too_many_pings", 14) == 0);
    wire_close();
}

/* The clock is 32 bits of milliseconds: wire_open begins shortly before it wraps round. */
static void clock_wraps_round(void)
{
    static const uint32_t starts[] = {
        0, 1, 0x7fffff00, 0x80000000, 0xffffffff, 0xffffff00, 0xffff0000, 65535, 65536 * 256u - 3};
    for (unsigned i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Collect", 0);
        wire_open();
        nrpc_conn_lost(wire.conn);
        wire.now_ms = starts[i];
        wire.conn = nrpc_server_accept(wire.server, wire.now_ms);
        test_context("start", (long)i);
        wire_feed(wire.in, 30);
        wire_pump();
        expect_timeout();
    }
}

/* An hour's pause between two ticks (a device that slept) is no reason to close an idle
 * connection. */
static void long_pauses(void)
{
    static const uint32_t pauses[] = {3600000, 16777216, 16777216 + 21000, 0x7fffffff, 0xfffffff0};
    for (unsigned i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Later", 0);
        wire_message(1, "x", END);
        open_and_feed(0);
        nrpc_conn_tick(wire.conn, wire.now_ms);
        wire.now_ms += pauses[i];
        nrpc_conn_tick(wire.conn, wire.now_ms);
        CHECK(!nrpc_conn_closing(wire.conn));
        wire_close();
    }
}

#if NRPC_MANY_CONNECTIONS
/* A connection with which nothing is going on may be left alone for an hour; then it is as new. */
static void idle_for_an_hour(void)
{
    static const uint8_t half[] = {0, 0, 8, NRPC_PING, 0, 0};
    wire_begin(&raw_server);
    open_and_feed(0);
    pass(2000); /* what it has cost is forgiven */
    CHECK_EQ(tick(), 3600000);
    wire.now_ms += 3600000;
    CHECK_EQ(tick(), 3600000);
    wire_feed(half, sizeof half); /* no stall before its time, and no rest */
    expect_timeout();
}

static void expect_not_idle(void)
{
    wire_open();
    wire_feed(wire.in, wire.n_in);
    wire_pump();
    for (int i = 0; i < 5; i++) {
        CHECK(tick() <= 1000);
        wire.now_ms += 1000;
    }
    wire_close();
}

static void not_idle(void)
{
    wire_begin(&raw_server);
    wire.n_in = 0; /* no preface */
    expect_not_idle();
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_message(1, "x", END);
    expect_not_idle();
    wire_begin(&raw_server);
    wire_ping("abcdefgh");
    wire.n_in--; /* within a frame */
    expect_not_idle();
    wire_begin(&raw_server);
    for (unsigned i = 0; i < NRPC_PINGS_MAX; i++) { /* and it is forgiven one a second */
        wire_ping("abcdefgh");
    }
    wire_open();
    wire_feed_all();
    CHECK(tick() <= 1000);
    wire_close();
    wire_begin(&raw_server);
    wire_open();
    wire_feed_all();
    wire_pump();
    pass(2000);
    nrpc_conn_shutdown(wire.conn);
    CHECK(tick() <= 1000);
    wire_close();
}
#endif

int main(void)
{
    RUN(no_preface);
    RUN(half_a_preface);
    RUN(no_settings);
    RUN(idle_connection);
    RUN(frames_that_are_not_finished);
    RUN(header_block_that_is_not_finished);
    RUN(header_block_that_drips);
    RUN(byte_by_byte);
    RUN(open_calls);
    RUN(requests_that_are_not_finished);
    RUN(window_that_stays_closed);
    RUN(window_that_opens_a_little);
    RUN(link_that_is_full);
    RUN(glitches_are_forgiven);
    RUN_LARGE(slow_pings_are_answered);
    RUN(clock_wraps_round);
    RUN(long_pauses);
#if NRPC_MANY_CONNECTIONS
    RUN(idle_for_an_hour);
    RUN(not_idle);
#endif
    return test_end();
}
