/* tests/unit/test_attacks.c - floods end in ENHANCE_YOUR_CALM; busy clients do not.
 * Layer: test. Source: the CVE that each test names.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define ECHO "/test.Raw/Echo"
#define LATER "/test.Raw/Later"
#define END NRPC_END_STREAM

enum { FLOOD = 1200, FEW = NRPC_GLITCHES_MAX / 2 };

static void expect_calm(void)
{
    const char *text = wire_run_once();
    CHECK(strstr(text, "ENHANCE_YOUR_CALM") != NULL);
}

static void expect_alive(uint32_t id)
{
    wire_request(id, ECHO, 0);
    wire_message(id, "alive", END);
    const char *text = wire_run_once();
    CHECK(strstr(text, "goaway") == NULL);
    CHECK(strstr(text, "[200 grpc] 'alive' [status=0] END") != NULL);
}

/* --- Resets ------------------------------------------------------------------------------- */

static void open_and_reset(unsigned n)
{
    wire_begin(&raw_server);
    for (uint32_t i = 0; i < n; i++) {
        wire_request(1 + 2 * i, LATER, 0);
        wire_message(1 + 2 * i, "x", END);
        wire_number(NRPC_RST_STREAM, 1 + 2 * i, NRPC_H2_CANCEL);
    }
}

/* CVE-2023-44487, rapid reset: each handler is told, no more run than there are slots. */
static void rapid_reset(void)
{
    open_and_reset(FLOOD);
    expect_calm();
    CHECK(raw.n_cancelled <= NRPC_GLITCHES_MAX);
    CHECK_EQ(raw.n_cancelled * 2, raw.n_events); /* each: its message, its end */
}

static void a_few_resets_are_fine(void)
{
    open_and_reset(FEW);
    expect_alive(9999);
    CHECK_EQ(raw.n_cancelled, FEW);
}

/* CVE-2025-8671, MadeYouReset: the client makes us reset. */
static void made_you_reset(void)
{
    wire_begin(&raw_server);
    for (uint32_t i = 0; i < FLOOD; i++) {
        wire_request(1 + 2 * i, LATER, 0);
        wire_number(NRPC_WINDOW_UPDATE, 1 + 2 * i, 0);
    }
    expect_calm();
    wire_begin(&raw_server);
    for (uint32_t i = 0; i < FLOOD; i++) {
        wire_request(1 + 2 * i, "", END); /* malformed */
    }
    expect_calm();
}

static void refusals_are_counted(void)
{
    wire_begin(&raw_server);
    for (uint32_t i = 0; i < FLOOD; i++) {
        wire_request(1 + 2 * i, LATER, 0);
    }
    expect_calm();
}

static void data_on_ended_streams(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "x", END);
    for (uint32_t i = 0; i < FLOOD; i++) {
        wire_data(1, "y", 1, 0);
    }
    const char *text = wire_run_once();
    CHECK(strstr(text, "ENHANCE_YOUR_CALM") != NULL ||
          strstr(text, "goaway(1,STREAM_CLOSED") != NULL);
}

/* --- Headers ------------------------------------------------------------------------------ */

/* CVE-2024-27316 and its kin. */
static void continuation_flood(void)
{
    wire_begin(&raw_server);
    wire_frame(NRPC_HEADERS, 0, 1, "\x83", 1);
    for (unsigned i = 0; i < FLOOD * 4; i++) {
        wire_frame(NRPC_CONTINUATION, 0, 1, NULL, 0);
    }
    expect_calm();
    wire_begin(&raw_server);
    wire_frame(NRPC_HEADERS, 0, 1, "\x83", 1);
    for (unsigned i = 0; i < 200; i++) {
        static uint8_t block[500];
        memset(block, 0x82, sizeof block);
        wire_frame(NRPC_CONTINUATION, 0, 1, block, sizeof block);
    }
    CHECK(strstr(wire_run_once(), "goaway(1,ENHANCE_YOUR_CALM)") != NULL);
}

/* Frames that go on with a block over the limit are counted one by one: so many are taken. */
static void continuations_over_the_limit(void)
{
    for (unsigned more = 0; more < 2; more++) {
        static uint8_t block[NRPC_HEADER_BLOCK_MAX];
        size_t n = NRPC_HEADER_BLOCK_MAX, glitches = 1 + n / 1024; /* one is for SETTINGS */
        wire_begin(&raw_server);
        memset(block, 0x82, sizeof block);
        wire_frame(NRPC_HEADERS, 0, 1, block, n - 9);
        for (; glitches < NRPC_GLITCHES_MAX - 1 + more; n += 9) {
            wire_frame(NRPC_CONTINUATION, 0, 1, NULL, 0);
            glitches += 1 + (n + 9) / 1024 - n / 1024;
        }
        test_context("more", (long)more);
        CHECK_EQ(strstr(wire_run_once(), "ENHANCE_YOUR_CALM") != NULL, more);
    }
}

/* One call more, whose block has n bytes, nearly all of one value. */
static void write_call(uint32_t id, size_t n)
{
    static char value[9000];
    wire.n_in = wire.n_fed = wire.n_out = 0;
    wire_request_fields(ECHO);
    memset(value, 'v', sizeof value);
    value[n - wire.n_block - 8] = 0; /* lengths of one to three bytes */
    wire_field("any", value);
    CHECK(wire.n_block >= n - 2 && wire.n_block <= n);
    wire_headers(id, 0);
    wire_message(id, "hi", END);
}

/* A connection that stays gets it. */
static void call_with_headers(uint32_t id, size_t n)
{
    write_call(id, n);
    wire_feed_all();
}

/* Decoding is work: calls that are all good, but whose headers are many, are too many in the end;
 * no others. */
static void large_headers_are_work(void)
{
    static const size_t sizes[] = {100, 1000, 1900, 8000};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t id;
        test_context("bytes", (long)sizes[i]);
        wire_begin_acked(&raw_server);
        wire_open();
        wire_feed_all();
        for (id = 1; id < 1201 && !nrpc_conn_closing(wire.conn); id += 2) {
            call_with_headers(id, sizes[i]);
        }
        if (sizes[i] < 2000) {
            CHECK_EQ(id, 1201);
        } else {
            CHECK(id > 2 * NRPC_GLITCHES_MAX / 8 && id < 2 * NRPC_GLITCHES_MAX / 5);
        }
        wire_close();
    }
}

/* So long headers that decoding them takes the time of other connections have a rate of their own:
 * the connection waits, and none of its calls is lost. Short ones, however many, do not wait. */
static void long_headers_have_a_rate(void)
{
    enum { PER_CALL = 1040 / 128, CALLS = NRPC_HEADER_BYTES_PER_SECOND / 4 / 128 / PER_CALL };
    wire_begin_acked(&raw_server);
    wire_open();
    wire_feed_all();
    for (uint32_t id = 1; id < 2001; id += 2) {
        write_call(id, 110);
        CHECK_EQ(wire_feed(wire.in, wire.n_in), wire.n_in);
        wire_pump();
    }
    for (unsigned i = 1; CALLS > 0 && i < 3 * CALLS; i++) {
        write_call(2000 + 2 * i - 1, 1040);
        size_t used = wire_feed(wire.in, wire.n_in);
        CHECK_EQ(used < wire.n_in, i % CALLS == 0);
        if (used < wire.n_in) {
            CHECK(nrpc_conn_timer_set(wire.conn));
            uint32_t next = nrpc_conn_tick(wire.conn, wire.now_ms);
            CHECK(next <= 256 && !nrpc_conn_timer_set(wire.conn));
            const uint8_t *rest = wire.in + used;
            CHECK_EQ(nrpc_conn_receive(wire.conn, rest, wire.n_in - used, wire.now_ms), 0);
            wire.now_ms += next;
            used += nrpc_conn_receive(wire.conn, rest, wire.n_in - used, wire.now_ms);
            CHECK_EQ(used, wire.n_in);
        }
        wire_pump();
        CHECK(wire.n_out > 0 && !nrpc_conn_closing(wire.conn));
    }
    CHECK(nrpc_conn_tick(wire.conn, wire.now_ms + 1000) > 256);
    wire_close();
}

/* CVE-2016-6581: 4000 bytes from the table, again and again; CVE-2026-49975: many of no bytes. */
static void header_bombs(void)
{
    for (unsigned empty = 0; empty < 2; empty++) {
        static char value[4000];
        wire_begin(&raw_server);
        memset(value, 'v', sizeof value);
        for (uint32_t id = 1; id < 9; id += 2) {
            wire_request_fields(ECHO);
            if (id == 1) {
                wire_block(empty ? "\x40\x01x\x00" : "\x40\x01x\x7f\x81\x1e", empty ? 4 : 6);
                wire_block(value, empty ? 0 : 127 + 1 + 0x1e * 128);
            }
            for (unsigned i = 0; i < 11000; i++) {
                wire_block("\xbe", 1);
            }
            wire_headers(id, 0);
            wire_message(id, "hi", END);
        }
        wire_request(9, ECHO, 0);
        wire_message(9, "hi", END);
        const char *text = wire_run_once();
        CHECK(strstr(text, "1: [431]") != NULL && strstr(text, "7: [431]") != NULL);
        CHECK(strstr(text, "9: [200 grpc] 'hi' [status=0] END") != NULL ||
              strstr(text, "rst(REFUSED_STREAM)") != NULL);
    }
}

/* --- Frames that cost nothing to send ----------------------------------------------------- */

static void ping_flood(void) /* CVE-2019-9512 */
{
    wire_begin(&raw_server);
    for (unsigned i = 0; i < NRPC_PINGS_MAX; i++) {
        wire_ping("abcdefgh");
    }
    expect_alive(1);
    wire_begin(&raw_server);
    for (unsigned i = 0; i <= NRPC_PINGS_MAX; i++) {
        wire_ping("abcdefgh");
    }
    CHECK(strstr(wire_run_once(), "goaway(0,ENHANCE_YOUR_CALM,too_many_pings)") != NULL);
}

/* grpc-go and C-core ping about once a reply: the count is forgotten whenever we send HEADERS or
 * DATA. */
static void a_ping_a_reply_is_fine(void)
{
    wire_begin(&raw_server);
    for (uint32_t i = 0; i < 500; i++) {
        wire_request(1 + 2 * i, ECHO, 0);
        wire_message(1 + 2 * i, "x", END);
        wire_ping("abcdefgh");
        wire_number(NRPC_WINDOW_UPDATE, 0, 100);
    }
    expect_alive(9999);
}

static void settings_flood(void) /* CVE-2019-9515 */
{
    wire_begin(&raw_server);
    for (unsigned i = 0; i < FLOOD; i++) {
        wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
    }
    expect_calm();
}

static void priority_flood(void) /* CVE-2019-9513 */
{
    wire_begin(&raw_server);
    for (unsigned i = 0; i < FLOOD; i++) {
        wire_priority(1, 3);
    }
    expect_calm();
}

static void empty_data_flood(void) /* CVE-2019-9518 */
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Collect", 0);
    for (unsigned i = 0; i < FLOOD; i++) {
        wire_data(1, "", 0, 0);
    }
    expect_calm();
}

/* As many glitches as the bucket holds, less one, and that one; parts of them likewise. */
static void bucket_of_glitches(void)
{
    static const uint32_t parts[] = {1, 7, NRPC_GLITCH, 100};
    for (unsigned k = 0; k < 4; k++) {
        uint32_t most = NRPC_GLITCHES_MAX * NRPC_GLITCH, had = 0;
        wire_begin_bare(&raw_server);
        wire_open();
        while (had + parts[k] < most) {
            had += parts[k];
            nrpc_conn_charge(wire.conn, parts[k]);
            CHECK(!(wire.conn->flags & NRPC_CONN_DEAD));
        }
        nrpc_conn_charge(wire.conn, parts[k]);
        CHECK(wire.conn->flags & NRPC_CONN_DEAD);
        wire_close();
    }
    for (unsigned one_more = 0; one_more < 2; one_more++) {
        wire_begin(&raw_server); /* SETTINGS are the first */
        for (unsigned i = 0; i < NRPC_GLITCHES_MAX - 2 + one_more; i++) {
            wire_priority(1, 3);
        }
        CHECK_EQ(strstr(wire_run_once(), "goaway") != NULL, one_more);
    }
}

/* What no real client sends so much of, each of it without end: unknown frames, answers to PINGs
 * and SETTINGS that nobody has sent, GOAWAY, windows a byte at a time, windows and DATA for calls
 * that are over. */
static void frames_that_were_free(void)
{
    static const uint8_t zeros[2000];
    for (unsigned k = 0; k < 9; k++) {
        unsigned n = 0;
        wire_begin(&raw_server);
        wire_request(1, k >= 7 ? "/test.Raw/Nope" : "/test.Raw/Collect", 0);
        wire_do(NULL);
        wire_open();
        wire_feed_all();
        for (; n < NRPC_GLITCHES_MAX * NRPC_GLITCH && !(wire.conn->flags & NRPC_CONN_DEAD); n++) {
            wire_begin_bare(&raw_server);
            switch (k) {
            case 0: wire_frame(0x77, 0, 0, NULL, 0); break;
            case 1: wire_frame(0x77, 0, 1, zeros, sizeof zeros); break;
            case 2: wire_frame(NRPC_PING, NRPC_ACK, 0, zeros, 8); break;
            case 3: wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0); break;
            case 4: wire_goaway(0, 0); break;
            case 5: wire_number(NRPC_WINDOW_UPDATE, n & 1, 1); break;
            case 6: wire_frame(NRPC_GOAWAY, 0, 0, zeros, sizeof zeros); break;
            case 7: wire_number(NRPC_WINDOW_UPDATE, 1, 1000); break;
            default: wire_data(1, zeros, 256, 0); break;
            }
            wire_feed_all();
        }
        test_context("kind", (long)k);
        CHECK(strstr(wire_text(), "ENHANCE_YOUR_CALM") != NULL);
        CHECK(n > (k == 1 || k == 6 ? 100u : 700u)); /* none that a real client would notice */
        wire_close();
    }
    test_context(NULL, 0);
}

/* What real ones do send: two windows a message, however many. */
static void windows_for_messages_are_free(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Bidi", 0);
    for (unsigned i = 0; i < 1500; i++) {
        wire_message(1, "x", 0);
        wire_number(NRPC_WINDOW_UPDATE, 1, 6);
        wire_number(NRPC_WINDOW_UPDATE, 0, 6);
    }
    wire_data(1, "", 0, END);
    expect_alive(3);
}

/* END_STREAM alone is no empty frame. */
static void ends_of_streams_are_free(void)
{
    wire_begin(&raw_server);
    for (uint32_t i = 0; i < 4; i++) {
        wire_request(1 + 2 * i, "/test.Raw/Collect", 0);
    }
    wire_open();
    wire_feed_all();
    uint16_t before = wire.conn->glitches;
    wire_data(1, "", 0, END);
    wire_feed(wire.in + wire.n_fed, wire.n_in - wire.n_fed);
    CHECK_EQ(wire.conn->glitches, before);
    wire.n_fed = wire.n_in;
    wire_data(3, "", 0, 0);
    wire_feed(wire.in + wire.n_fed, wire.n_in - wire.n_fed);
    CHECK_EQ(wire.conn->glitches, before + NRPC_GLITCH);
    wire_close();
}

/* Calls that no handler has seen give nothing back, nor do answers that are not taken. */
static void cheap_calls_refund_nothing(void)
{
    static const char *const paths[] = {"/nope", "/test.Raw/None"};
    for (unsigned k = 0; k < 2; k++) {
        wire_begin(&raw_server);
        for (uint32_t i = 0; i < 400; i++) {
            wire_request(1 + 4 * i, paths[k], END);
            wire_request(3 + 4 * i, LATER, 0);
            wire_number(NRPC_RST_STREAM, 3 + 4 * i, NRPC_H2_CANCEL);
        }
        expect_calm();
    }
}

/* Watches that have been answered, given up one after the other or all at once; and others that
 * have waited for an event in vain. */
static void watches_are_given_up(void)
{
    wire_begin(&raw_server);
    for (uint32_t i = 0; i < 3 * NRPC_GLITCHES_MAX; i++) {
        wire_request(1 + 2 * i, "/test.Raw/First", 0);
        if (i % 4 == 3) {
            wire_do(NULL);
            for (uint32_t k = i - 3; k <= i; k++) {
                wire_number(NRPC_RST_STREAM, 1 + 2 * k, NRPC_H2_CANCEL);
            }
        }
        if (wire.n_marks > WIRE_MARKS - 2) {
            break;
        }
    }
    expect_alive(9999);
}

static void old_calls_are_given_up(void)
{
    wire_begin(&raw_server);
    wire_open();
    wire_feed_all();
    for (uint32_t i = 0; i < 2 * NRPC_GLITCHES_MAX; i++) {
        wire_begin_bare(&raw_server);
        wire_request(1 + 2 * i, LATER, 0);
        wire_message(1 + 2 * i, "x", END);
        wire_feed_all();
        wire.now_ms += 1000; /* as no tick comes, nothing is forgiven */
        wire_number(NRPC_RST_STREAM, 1 + 2 * i, NRPC_H2_CANCEL);
        wire_feed_all();
    }
    CHECK(!(wire.conn->flags & NRPC_CONN_DEAD));
    CHECK_EQ(raw.n_cancelled, 2 * NRPC_GLITCHES_MAX);
    wire_close();
}

static void a_few_of_each_are_fine(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Collect", 0);
    for (unsigned i = 0; i < FEW / 4; i++) {
        wire_data(1, "", 0, 0);
        wire_priority(3, 1);
        wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
        wire_ping("abcdefgh");
    }
    wire_data(1, "", 0, END);
    expect_alive(3);
}

/* --- A busy client ------------------------------------------------------------------------ */

static void many_calls(void)
{
    for (unsigned part = 0; part < 2; part++) {
        wire_begin(&raw_server);
        for (uint32_t i = 0; i < 900; i++) {
            wire_request(1 + 2 * i, i % 7 ? ECHO : "/nope", 0);
            wire_message(1 + 2 * i, "x", part && i % 3 == 0 ? 0 : END);
            if (part && i % 3 == 0) {
                wire_data(1 + 2 * i, "", 0, END);
            }
        }
        expect_alive(9999);
    }
}

/* One reset for every finished call is a client with short deadlines. */
static void many_calls_some_of_them_cancelled(void)
{
    wire_begin(&raw_server);
    for (uint32_t i = 0; i < 600; i++) {
        wire_request(1 + 4 * i, ECHO, 0);
        wire_message(1 + 4 * i, "x", END);
        if (i % 2) {
            wire_request(3 + 4 * i, LATER, 0);
            wire_number(NRPC_RST_STREAM, 3 + 4 * i, NRPC_H2_CANCEL);
        }
    }
    expect_alive(9999);
}

int main(void)
{
    RUN(rapid_reset);
    RUN(a_few_resets_are_fine);
    RUN(made_you_reset);
    RUN(refusals_are_counted);
    RUN(data_on_ended_streams);
    RUN(continuation_flood);
    RUN_LARGE(continuations_over_the_limit);
    RUN_LARGE(large_headers_are_work);
    RUN_LARGE(long_headers_have_a_rate);
    RUN_LARGE(header_bombs);
    RUN(ping_flood);
    RUN(a_ping_a_reply_is_fine);
    RUN(settings_flood);
    RUN(priority_flood);
    RUN(empty_data_flood);
    RUN(bucket_of_glitches);
    RUN(frames_that_were_free);
    RUN(windows_for_messages_are_free);
    RUN(ends_of_streams_are_free);
    RUN(cheap_calls_refund_nothing);
    RUN(watches_are_given_up);
    RUN(old_calls_are_given_up);
    RUN(a_few_of_each_are_fine);
    RUN(many_calls);
    RUN(many_calls_some_of_them_cancelled);
    return test_end();
}
