/* tests/unit/test_conn.c - preface, frames, settings, pings: what is taken, what ends it all.
 * Layer: test. Source: RFC 9113 3.4, 4 to 6; each test's comment.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define ECHO "/test.Raw/Echo"
#define END NRPC_END_STREAM

static void request(uint32_t id, const char *text)
{
    wire_request(id, ECHO, 0);
    wire_message(id, text, END);
}

/* The connection works: what stands before has done no harm. */
static void expect_alive(uint32_t id, const char *before)
{
    char expected[200], digits[3] = {(char)('0' + id % 10), 0, 0};
    request(id, "alive");
    wire_expect(strcat(strcat(strcat(strcpy(expected, before), *before ? " " : ""), digits),
                       ": [200 grpc] 'alive' [status=0] END"));
}

/* One frame, alone on a connection. */
static void one_frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t n)
{
    wire_begin(&raw_server);
    wire_frame(type, flags, id, payload, n);
}

/* --- Preface, 3.4 ------------------------------------------------------------------------- */

static uint32_t our_setting(unsigned id)
{
    for (size_t at = 9; at + 6 <= wire.n_out; at += 6) {
        if (wire.out[at] == 0 && wire.out[at + 1] == id) {
            return nrpc_get32(wire.out + at + 2);
        }
    }
    return UINT32_MAX;
}

static void our_settings_come_first(void)
{
    wire_begin_bare(&raw_server);
    wire_open();
    wire_pump(); /* nothing has been received */
    CHECK(wire.n_out >= 9 && wire.out[3] == NRPC_SETTINGS && wire.n_out == 9u + wire.out[2]);
    CHECK_EQ(our_setting(NRPC_MAX_CONCURRENT_STREAMS), NRPC_MAX_STREAMS);
    CHECK_EQ(our_setting(NRPC_INITIAL_WINDOW_SIZE), 5 + RAW_REQUEST_BYTES);
    /* Or nothing: grpc-go fails calls below. */
    CHECK(our_setting(NRPC_MAX_HEADER_LIST_SIZE) >= 8192);
    CHECK_EQ(our_setting(NRPC_HEADER_TABLE_SIZE),
             NRPC_HPACK_ENTRIES == 128 ? UINT32_MAX : NRPC_HPACK_TABLE_BYTES);
    size_t sent = wire.n_out;
    wire_pump();
    CHECK_EQ(wire.n_out, sent);
    wire_close();
}

static void preface_alone(void)
{
    wire_begin_bare(&raw_server);
    wire_preface();
    wire_expect("acks=0");
}

static void wrong_prefaces(void)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n12", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r",
        "PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\0\x01\0\x01", "X"};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        wire_begin_bare(&raw_server);
        wire_bytes(texts[i], strlen(texts[i]));
        wire_expect("goaway(0,PROTOCOL_ERROR)");
    }
}

static void first_frame_must_be_settings(void)
{
    for (unsigned type = 0; type < 12; type++) {
        wire_begin_bare(&raw_server);
        wire_preface();
        wire_frame(type, type == NRPC_SETTINGS ? NRPC_ACK : 0, type < 4 || type == 9,
                   "\0\0\0\0\0\0\0\0", 8);
        wire_expect("goaway(0,PROTOCOL_ERROR)");
    }
}

static void after_an_error_everything_is_used_and_ignored(void)
{
    wire_begin(&raw_server);
    wire_frame(NRPC_DATA, 0, 0, "x", 1);
    wire_open();
    wire_feed_all();
    CHECK(nrpc_conn_closing(wire.conn));
    CHECK_EQ(wire_feed(wire.in, wire.n_in), wire.n_in);
    size_t sent = wire.n_out;
    wire_pump();
    CHECK_EQ(wire.n_out, sent);
    CHECK(nrpc_conn_closing(wire.conn));
    wire_close();
}

/* --- Frames, 4 ---------------------------------------------------------------------------- */

static void unknown_types_are_ignored(void) /* 5.5; peers' bug: they desynchronise */
{
    static const uint8_t zeros[300];
    wire_begin(&raw_server);
    for (unsigned type = 10; type < 256; type += 35) {
        wire_frame(type, 0xff, type & 1, zeros, type);
        wire_frame(type, 0, 0, NULL, 0);
    }
    expect_alive(1, "");
}

static void unknown_type_within_a_block(void) /* 4.3, 6.10 */
{
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_frame(NRPC_HEADERS, 0, 1, wire.block, 20);
    wire_frame(0xbb, 0, 1, "x", 1);
    wire_expect("goaway(*,PROTOCOL_ERROR)");
}

static void largest_frame(void) /* 4.2 */
{
    static const uint8_t zeros[16385];
    wire_begin(&raw_server);
    wire_frame(0x20, 0, 0, zeros, 16384);
    expect_alive(1, "");
}

static void frames_over_16384_bytes(void) /* 4.2 */
{
    static const uint8_t zeros[16385];
    static const struct {
        uint32_t id;
        unsigned type;
    } rows[] = {{0, NRPC_SETTINGS}, {1, NRPC_DATA}, {3, NRPC_HEADERS}, {0, 0x20}};
    for (unsigned i = 0; i < 4; i++) {
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Later", 0);
        wire_frame(rows[i].type, 0, rows[i].id, zeros, sizeof zeros);
        wire.n_in -= sizeof zeros - 10; /* it is refused by its header */
        wire_expect("goaway(1,FRAME_SIZE_ERROR)");
    }
}

/* --- Streams 0, idle, even ---------------------------------------------------------------- */

static void frames_on_the_wrong_kind_of_stream(void)
{
    static const struct {
        unsigned type;
        uint32_t id;
        size_t n;
    } rows[] = {{NRPC_DATA, 0, 1},
                {NRPC_HEADERS, 0, 1},
                {NRPC_PRIORITY, 0, 5},
                {NRPC_RST_STREAM, 0, 4},
                {NRPC_SETTINGS, 1, 0},
                {NRPC_SETTINGS, 1, 6},
                {NRPC_PING, 1, 8},
                {NRPC_GOAWAY, 1, 8},
                {NRPC_CONTINUATION, 0, 1},
                {NRPC_PUSH_PROMISE, 0, 5},
                {NRPC_PUSH_PROMISE, 1, 5},
                /* idle, 5.1 */
                {NRPC_DATA, 1, 1},
                {NRPC_DATA, 2, 1},
                {NRPC_RST_STREAM, 1, 4},
                {NRPC_RST_STREAM, 2, 4},
                {NRPC_WINDOW_UPDATE, 1, 4},
                {NRPC_WINDOW_UPDATE, 2, 4},
                {NRPC_CONTINUATION, 1, 1}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        one_frame(rows[i].type, 0, rows[i].id, "\0\0\0\1\0\0\0\0", rows[i].n);
        wire_expect("goaway(0,PROTOCOL_ERROR)");
    }
}

static void even_and_falling_ids(void) /* 5.1.1 */
{
    wire_begin(&raw_server);
    wire_request(2, ECHO, 0);
    wire_expect("goaway(0,PROTOCOL_ERROR)");
    wire_begin(&raw_server);
    request(5, "x");
    wire_do(NULL);
    wire_request(3, ECHO, 0);
    wire_expect("goaway(5,PROTOCOL_ERROR)");
}

/* 5.1: below the last one's they have been passed over, but for those that are the server's. */
static void even_ids_are_idle_for_ever(void)
{
    static const unsigned types[] = {NRPC_DATA, NRPC_RST_STREAM, NRPC_WINDOW_UPDATE};
    for (unsigned i = 0; i < 3; i++) {
        wire_begin(&raw_server);
        request(5, "x");
        wire_do(NULL);
        wire_frame(types[i], 0, 3, "\0\0\0\1", 4);
        wire_expect("5: [200 grpc] 'x' [status=0] END");
        wire_frame(types[i], 0, 4, "\0\0\0\1", 4);
        wire_expect("goaway(5,PROTOCOL_ERROR)");
    }
}

static void ids_may_have_gaps(void)
{
    wire_begin(&raw_server);
    request(1, "x");
    request(0x7fffffff - 0x7ffffc00, "y");
    wire_expect("1: [200 grpc] 'x' [status=0] END 1023: [200 grpc] 'y' [status=0] END");
}

static void largest_id(void)
{
    wire_begin(&raw_server);
    request(0x7fffffff, "x");
    wire_expect("2147483647: [200 grpc] 'x' [status=0] END");
}

/* --- Sizes of frames, 6 ------------------------------------------------------------------- */

static void frames_of_wrong_sizes(void)
{
    static const struct {
        unsigned type, flags;
        uint32_t id;
        size_t n;
    } rows[] = {{NRPC_RST_STREAM, 0, 1, 0},
                {NRPC_RST_STREAM, 0, 1, 3},
                {NRPC_RST_STREAM, 0, 1, 5},
                {NRPC_PING, 0, 0, 0},
                {NRPC_PING, 0, 0, 7},
                {NRPC_PING, 0, 0, 9},
                {NRPC_PING, NRPC_ACK, 0, 6},
                {NRPC_WINDOW_UPDATE, 0, 0, 0},
                {NRPC_WINDOW_UPDATE, 0, 0, 3},
                {NRPC_WINDOW_UPDATE, 0, 1, 5},
                {NRPC_SETTINGS, 0, 0, 1},
                {NRPC_SETTINGS, 0, 0, 5},
                {NRPC_SETTINGS, 0, 0, 7},
                {NRPC_SETTINGS, NRPC_ACK, 0, 6},
                {NRPC_SETTINGS, NRPC_ACK, 0, 1},
                {NRPC_GOAWAY, 0, 0, 0},
                {NRPC_GOAWAY, 0, 0, 7}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Later", 0);
        wire_frame(rows[i].type, rows[i].flags, rows[i].id, "\0\0\0\0\0\0\0\0\0", rows[i].n);
        wire_expect("goaway(1,FRAME_SIZE_ERROR)");
    }
}

static void priority_of_a_wrong_size(void) /* 6.3: a stream error */
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_frame(NRPC_PRIORITY, 0, 1, "\0\0\0\0", 4);
    expect_alive(3, "1: rst(FRAME_SIZE_ERROR)");
}

static void headers_and_data_too_short_for_their_flags(void)
{
    static const struct {
        unsigned type, flags;
        size_t n;
    } rows[] = {{NRPC_HEADERS, NRPC_END_HEADERS | NRPC_HAS_PRIORITY, 4},
                {NRPC_HEADERS, NRPC_END_HEADERS | NRPC_PADDED, 0},
                {NRPC_HEADERS, NRPC_END_HEADERS | NRPC_PADDED | NRPC_HAS_PRIORITY, 5},
                {NRPC_DATA, NRPC_PADDED, 0}};
    for (unsigned i = 0; i < 4; i++) {
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Later", 0);
        wire_frame(rows[i].type, rows[i].flags, rows[i].type ? 3 : 1, "\0\0\0\0\0", rows[i].n);
        wire_expect("goaway(*,FRAME_SIZE_ERROR)");
    }
}

static void padding_longer_than_the_frame(void) /* 6.1, 6.2 */
{
    for (uint8_t pad = 2; pad < 6; pad++) {
        uint8_t payload[] = {pad, 0x83};
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Later", 0);
        wire_frame(NRPC_DATA, NRPC_PADDED, 1, payload, 2);
        wire_expect("goaway(1,PROTOCOL_ERROR)");
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Later", 0);
        wire_frame(NRPC_HEADERS, NRPC_PADDED | NRPC_END_HEADERS, 3, payload, 2);
        wire_expect("goaway(*,PROTOCOL_ERROR)");
    }
}

static void frame_of_nothing_but_padding(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_padded_data(1, "", 0, 0, 0);
    wire_padded_data(1, "", 0, 30, 0);
    wire_message(1, "alive", END);
    wire_expect("1: [200 grpc] 'alive' [status=0] END");
}

static void padded_headers_with_priority(void)
{
    static const uint8_t head[] = {3, 0x80, 0, 0, 0, 200};
    uint8_t payload[200];
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    memcpy(payload, head, 6);
    memcpy(payload + 6, wire.block, wire.n_block);
    memset(payload + 6 + wire.n_block, 0, 3);
    wire_frame(NRPC_HEADERS, NRPC_PADDED | NRPC_HAS_PRIORITY | NRPC_END_HEADERS, 1, payload,
               wire.n_block + 9);
    wire_message(1, "alive", END);
    wire_expect("1: [200 grpc] 'alive' [status=0] END");
}

/* --- SETTINGS, 6.5 ------------------------------------------------------------------------ */

static void wrong_settings(void)
{
    static const struct {
        unsigned id;
        uint32_t value;
        const char *expected;
    } rows[] = {{NRPC_ENABLE_PUSH, 2, "goaway(0,PROTOCOL_ERROR)"},
                {NRPC_ENABLE_PUSH, UINT32_MAX, "goaway(0,PROTOCOL_ERROR)"},
                {NRPC_MAX_FRAME_SIZE, 16383, "goaway(0,PROTOCOL_ERROR)"},
                {NRPC_MAX_FRAME_SIZE, 0, "goaway(0,PROTOCOL_ERROR)"},
                {NRPC_MAX_FRAME_SIZE, 16777216, "goaway(0,PROTOCOL_ERROR)"}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wire_begin(&raw_server);
        wire_setting(rows[i].id, rows[i].value);
        wire_expect(rows[i].expected);
    }
}

static void settings_that_are_allowed(void)
{
    static const uint8_t all[] = {
        0, 1, 0, 0,    0x10, 0,    0,    2,    0,    0, 0,    1,    0,    3, 0,    0, 0,
        0, 0, 4, 0x7f, 0xff, 0xff, 0xff, 0,    5,    0, 0xff, 0xff, 0xff, 0, 6,    0, 0,
        0, 0, 0, 6,    0xff, 0xff, 0xff, 0xff, 0,    9, 0,    0,    0,    7, 0xfe, 3, 0,
        0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,    0,    0,    0, 0};
    wire_begin(&raw_server);
    wire_frame(NRPC_SETTINGS, 0, 0, all, sizeof all);
    wire_frame(NRPC_SETTINGS, 0xfe, 0, all, 12); /* flags that have no meaning */
    wire.frame_max = 0xffffff;
    expect_alive(1, "acks=3");
}

static void every_settings_frame_is_acknowledged(void)
{
    wire_begin(&raw_server);
    for (unsigned i = 0; i < 6; i++) {
        wire_setting(NRPC_MAX_HEADER_LIST_SIZE, i);
    }
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    wire_frame(NRPC_SETTINGS, NRPC_ACK, 0, NULL, 0);
    expect_alive(1, "acks=7");
}

/* --- PING, GOAWAY, RST_STREAM, PRIORITY --------------------------------------------------- */

static void pings_are_answered(void)
{
    wire_begin(&raw_server);
    wire_ping("\1\2\3\4\5\6\7\10");
    wire_ping("abcdefgh");
    wire_frame(NRPC_PING, 0xfe, 0, "\0\0\0\0\0\0\0\0", 8);
    expect_alive(1, "ping(0102030405060708) ping(6162636465666768) ping(0000000000000000)");
}

static void answers_to_pings_are_not(void)
{
    wire_begin(&raw_server);
    wire_frame(NRPC_PING, NRPC_ACK, 0, "abcdefgh", 8);
    expect_alive(1, "");
}

static void goaway_of_the_client(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_goaway(0, 0);
    wire_frame(NRPC_GOAWAY, 0, 0,
               "\x7f\xff\xff\xff\0\0\0\xff"
               "some debug data",
               23); /* an unknown code, 7 */
    wire_message(1, "alive", END);
    wire_expect("1: [200 grpc] 'alive' [status=0] END");
}

static void reset_with_an_unknown_code(void) /* 7 */
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_number(NRPC_RST_STREAM, 1, 0xff);
    expect_alive(3, "");
}

static void priorities(void) /* 5.3: on idle, open, half-closed and closed streams */
{
    wire_begin(&raw_server);
    for (uint32_t id = 3; id < 13; id += 2) {
        wire_priority(id, 0);
    }
    wire_priority(13, 11);
    wire_priority(2, 1);
    request(15, "x");
    wire_priority(15, 0x80000000);
    wire_do(NULL);
    wire_priority(15, 3);
    wire_expect("15: [200 grpc] 'x' [status=0] END");
}

static void depending_on_itself(void) /* RFC 7540 5.3.1 */
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_priority(1, 1);
    wire_do(NULL);
    wire_request_fields(ECHO);
    uint8_t payload[200] = {0, 0, 0, 3, 9};
    memcpy(payload + 5, wire.block, wire.n_block);
    wire_frame(NRPC_HEADERS, NRPC_HAS_PRIORITY | NRPC_END_HEADERS | END, 3, payload,
               wire.n_block + 5);
    wire.n_block = 0;
    expect_alive(5, "1: rst(PROTOCOL_ERROR) 3: rst(PROTOCOL_ERROR)");
}

/* --- A link that is full ------------------------------------------------------------------ */

/* What cannot be answered now waits, unread, until there is room for its answer. */
static void expect_to_wait(const char *expected)
{
    wire_open();
    wire_feed_all();
    wire.is_blocked = 1;
    wire_begin_bare(wire.server);
    wire_ping("abcdefgh");
    wire_ping("ABCDEFGH");
    wire_ping("01234567");
    for (uint32_t id = 1; id < 17; id += 2) {
        wire_request(id, "", END); /* malformed: a reset each */
    }
    request(17, "behind it");
    CHECK(!wire_feed_all());
    CHECK(!wire_feed_all());
    CHECK(!(wire.conn->flags & NRPC_CONN_DEAD));
    wire.is_blocked = 0;
    wire_pump();
    CHECK(wire_feed_all());
    CHECK_TEXT(wire_text(), expected);
    wire_close();
}

static void what_cannot_be_answered_waits(void)
{
    wire_begin(&raw_server);
    expect_to_wait("ping(6162636465666768) ping(4142434445464748) ping(3031323334353637) 1: "
                   "rst(PROTOCOL_ERROR) "
                   "3: rst(PROTOCOL_ERROR) 5: rst(PROTOCOL_ERROR) 7: rst(PROTOCOL_ERROR) 9: "
                   "rst(PROTOCOL_ERROR) "
                   "11: rst(PROTOCOL_ERROR) 13: rst(PROTOCOL_ERROR) 15: rst(PROTOCOL_ERROR) "
                   "17: [200 grpc] 'behind it' [status=0] END");
}

/* A frame without payload, the last in its segment, that has to wait: no further byte will remind
 * of it. */
static void empty_frames_that_must_wait_are_not_forgotten(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "x", 0);
    for (uint32_t id = 3; id < 17; id += 2) {
        wire_request(id, "", END); /* malformed: a reset each */
    }
    wire_data(1, "", 0, END);
    CHECK(strncmp(wire_run_once(), "1: [200 grpc] 'x' [status=0] END", 32) == 0);
    wire_begin(&raw_server);
    wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0);
    wire_expect("acks=2");
}

static void too_little_room_is_no_harm(void)
{
    wire_begin(&raw_server);
    request(1, "x");
    wire_ping("abcdefgh");
    for (size_t room = 0; room < NRPC_TRANSMIT_MIN; room++) {
        test_context("room", (long)room);
        wire_open();
        wire.room = room;
        wire_feed_all();
        wire_pump();
        wire.room = NRPC_TRANSMIT_MIN;
        wire_pump();
        CHECK(wire_feed_all());
        wire_pump();
        CHECK_TEXT(wire_text(), "ping(6162636465666768) 1: [200 grpc] 'x' [status=0] END");
        wire_close();
    }
}

static void all_tests_of_frames(void)
{
    RUN(our_settings_come_first);
    RUN(preface_alone);
    RUN(wrong_prefaces);
    RUN(first_frame_must_be_settings);
    RUN(after_an_error_everything_is_used_and_ignored);
    RUN(unknown_types_are_ignored);
    RUN(unknown_type_within_a_block);
    RUN_LARGE(largest_frame);
    RUN_LARGE(frames_over_16384_bytes);
    RUN(frames_on_the_wrong_kind_of_stream);
    RUN(even_and_falling_ids);
    RUN(even_ids_are_idle_for_ever);
    RUN(ids_may_have_gaps);
    RUN(largest_id);
    RUN(frames_of_wrong_sizes);
    RUN(priority_of_a_wrong_size);
    RUN(headers_and_data_too_short_for_their_flags);
    RUN(padding_longer_than_the_frame);
    RUN(frame_of_nothing_but_padding);
    RUN(padded_headers_with_priority);
}

int main(void)
{
    all_tests_of_frames();
    RUN(wrong_settings);
    RUN(settings_that_are_allowed);
    RUN(every_settings_frame_is_acknowledged);
    RUN(pings_are_answered);
    RUN(answers_to_pings_are_not);
    RUN(goaway_of_the_client);
    RUN(reset_with_an_unknown_code);
    RUN(priorities);
    RUN(depending_on_itself);
    RUN(what_cannot_be_answered_waits);
    RUN(empty_frames_that_must_wait_are_not_forgotten);
    RUN(too_little_room_is_no_harm);
    return test_end();
}
