/* tests/unit/test_client.c - calls that we make: what a server's answers come to, good or wrong.
 * Layer: test. Source: gRPC over HTTP2; gRPC "HTTP to gRPC Status Code Mapping"; RFC 9113 8.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_CLIENT
#include <string.h>

#include "raw_client.h"
#include "wire.h"

#define END NRPC_END_STREAM
#define HEAD(method) "[POST http /test.Raw/" method " @device te=trailers grpc]"
#define ECHO "1: " HEAD("Echo") " 'hi' END "

static void echo(void)
{
    CHECK(raw_start("Echo", "hi", NULL));
}
static void list(void)
{
    CHECK(raw_start("List", "3", NULL));
}
static void bidi(void)
{
    CHECK(raw_start("Bidi", NULL, NULL));
}
static void collect(void)
{
    CHECK(raw_start("Collect", NULL, NULL));
}

#define FRAME(length, type) 0, 0, length, type, 0, 0, 0, 0, 0
#define SETTING(name, value) 0, name, 0, 0, 0, value

static void our_settings_come_first(void)
{
    static const uint8_t settings[] = {
        FRAME(18, NRPC_SETTINGS),
        SETTING(NRPC_HEADER_TABLE_SIZE, 0),
        SETTING(NRPC_ENABLE_PUSH, 0),
        SETTING(NRPC_INITIAL_WINDOW_SIZE, 5 + RAW_REPLY_BYTES),
    };
    raw_client_begin_bare(echo);
    wire_open();
    wire_pump(); /* nothing has been received, and no request leaves before */
    CHECK(wire.n_out == 24 + sizeof settings &&
          memcmp(wire.out + 24, settings, sizeof settings) == 0);
}

/* --- The four kinds ----------------------------------------------------------------------- */

static void unary(void)
{
    raw_client_begin(echo);
    raw_answer(1);
    wire_message(1, "hi", 0);
    raw_trailers(1, "0", NULL);
    wire_expect(ECHO "1h 1'hi' 1=0");
}

static void reply_of_the_largest_size(void)
{
    raw_client_begin(echo);
    raw_answer(1);
    wire_long_message(1, RAW_REPLY_BYTES, 0);
    raw_trailers(1, "0", NULL);
    wire_expect(ECHO "1h 1<100> 1=0");
}

static void server_streaming(void)
{
    raw_client_begin(list);
    raw_answer(1);
    wire_message(1, "m0", 0);
    wire_message(1, "m1", 0);
    wire_do(NULL); /* the window */
    wire_long_message(1, 90, 0);
    raw_trailers(1, "0", NULL);
    wire_expect("1: " HEAD("List") " '3' END 1h 1'm0' 1'm1' 1<90> 1=0");
}

/* One is in the block when the other has left. */
static void write_more(unsigned n)
{
    raw_client.on_writable = NULL;
    CHECK_EQ(raw_write(n, "two"), 0);
    CHECK_EQ(nrpc_call_close_writes(raw_client.calls[n]), 0);
    CHECK_EQ(raw_write(n, "three"), NRPC_E_STATE);
}

static void write_two(void)
{
    collect();
    raw_client.on_writable = write_more;
    CHECK_EQ(raw_write(1, "one"), 0);
    CHECK_EQ(raw_write(1, "two"), NRPC_E_AGAIN);
}

static void client_streaming(void)
{
    raw_client_begin(write_two);
    raw_answer(1);
    wire_message(1, "2:6", 0);
    raw_trailers(1, "0", NULL);
    wire_expect("1: " HEAD("Collect") " 'one' 'two' END 1w 1h 1'2:6' 1=0");
}

static void close_it(void)
{
    CHECK_EQ(nrpc_call_close_writes(raw_client.calls[1]), 0);
    CHECK_EQ(nrpc_call_close_writes(raw_client.calls[1]), NRPC_E_STATE);
}

static void client_streaming_of_none(void)
{
    raw_client_begin(collect);
    wire_do(close_it);
    wire_do(NULL);
    raw_answer(1);
    wire_message(1, "0:0", 0);
    raw_trailers(1, "0", NULL);
    wire_expect("1: " HEAD("Collect") " END 1h 1'0:0' 1=0");
}

static void say_ping(void)
{
    CHECK_EQ(raw_write(1, "ping"), 0);
}

static void bidi_ping_pong(void)
{
    raw_client_begin(bidi);
    raw_answer(1); /* the server may speak first */
    wire_message(1, "welcome", 0);
    wire_do(say_ping);
    wire_do(NULL);
    wire_message(1, "pong", 0);
    wire_do(say_ping);
    wire_do(NULL);
    wire_do(close_it);
    wire_do(NULL);
    wire_message(1, "pong", 0);
    raw_trailers(1, "0", NULL);
    wire_expect("1: " HEAD("Bidi") " 'ping' 'ping' END 1h 1'welcome' 1w 1'pong' 1w 1'pong' 1=0");
}

/* --- Statuses ----------------------------------------------------------------------------- */

static void trailers_only(void)
{
    raw_client_begin(echo);
    wire_block("\x88\x0f\x10\x10"
               "application/grpc",
               4 + 16);
    raw_trailers(1, "5", "no such sensor");
    wire_expect(ECHO "1=5(no such sensor)");
}

static void statuses_and_messages(void)
{
    static const struct {
        const char *status, *message, *expected;
    } rows[] = {
        {"0", NULL, "1h 1=13(no reply)"},
        {"1", NULL, "1h 1=1"},
        {"16", "x", "1h 1=16(x)"},
        {"17", NULL, "1h 1=2"},
        {"012", "m", "1h 1=12(m)"},
        {"268435455", "far", "1h 1=2(far)"},
        {"65536", NULL, "1h 1=2"},
        {"7", "100%25 of %c3%a9t%C3%A9", "1h 1=7(100% of \xc3\xa9t\xc3\xa9)"},
        {"7", "%", "1h 1=7(%)"},
        {"7", "a%2", "1h 1=7(a%2)"},
        {"7", "%zz%4", "1h 1=7(%zz%4)"},
        {"7", "%%41", "1h 1=7(%A)"},
        {"7", "%41%", "1h 1=7(A%)"},
        {"8", "0123456789012345678901234567890123456789012345678901234567890123456789",
         "1h 1=8(01234567890123456789012345678901234567890123456)"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[300] = ECHO;
        raw_client_begin(echo);
        raw_answer(1);
        raw_trailers(1, rows[i].status, rows[i].message);
        wire_expect(strcat(text, rows[i].expected));
    }
}

static void statuses_that_are_no_numbers(void)
{
    static const char *const statuses[] = {"", "4x", "-1", " 0", "99999999999999999999"};
    for (unsigned i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        raw_client_begin(echo);
        raw_answer(1);
        raw_trailers(1, statuses[i], "m");
        wire_expect(ECHO "rst(PROTOCOL_ERROR) 1h 1=13(stream reset)");
    }
}

static void status_with_a_message_is_no_reply(void)
{
    raw_client_begin(echo);
    raw_answer(1);
    wire_message(1, "hi", 0);
    raw_trailers(1, "14", "gone");
    wire_expect(ECHO "1h 1=14(gone)");
}

static void stream_with_a_status(void)
{
    raw_client_begin(list);
    raw_answer(1);
    wire_message(1, "m0", 0);
    raw_trailers(1, "14", "gone");
    wire_expect("1: " HEAD("List") " '3' END 1h 1'm0' 1=14(gone)");
}

static void no_trailers(void)
{
    raw_client_begin(echo);
    raw_answer(1);
    wire_message(1, "hi", END);
    wire_expect(ECHO "1h 1=2");
}

static void http_statuses(void)
{
    static const struct {
        const char *http, *expected;
    } rows[] = {{"400", "1=13"}, {"431", "1=13"}, {"401", "1=16"}, {"403", "1=7"},  {"404", "1=12"},
                {"429", "1=14"}, {"502", "1=14"}, {"503", "1=14"}, {"504", "1=14"}, {"500", "1=2"},
                {"204", "1=2"},  {"301", "1=2"},  {"505", "1=2"}};
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            char text[300] = ECHO;
            raw_client_begin(echo);
            wire_field(":status", rows[i].http);
            wire_field("content-type", "text/html");
            wire_headers(1, k ? END : 0);
            strcat(text, k ? "" : "rst(CANCEL) ");
            wire_expect(strcat(strcat(text, rows[i].expected), "(not a gRPC response)"));
        }
    }
}

/* As the static table has them. */
static void http_statuses_by_index(void)
{
    static const char *const expected[] = {"2", "2", "2", "13", "12", "2"};
    for (unsigned i = 0; i < 6; i++) {
        char text[300] = ECHO "1=";
        uint8_t index = (uint8_t)(0x80 | (9 + i));
        raw_client_begin(echo);
        wire_block(&index, 1);
        wire_headers(1, END);
        wire_expect(strcat(strcat(text, expected[i]), "(not a gRPC response)"));
    }
}

static void grpc_status_is_preferred(void)
{
    raw_client_begin(echo);
    wire_field(":status", "503");
    raw_trailers(1, "8", "busy");
    wire_expect(ECHO "1=8(busy)");
}

static void content_types(void)
{
    static const char *const good[] = {"application/grpc", "application/grpc+proto",
                                       "application/grpc;x"};
    static const char *const bad[] = {"application/json", "", "text/html"};
    for (unsigned i = 0; i < 3; i++) {
        raw_client_begin(echo);
        wire_field(":status", "200");
        wire_field("content-type", good[i]);
        wire_headers(1, 0);
        wire_message(1, "hi", 0);
        raw_trailers(1, "0", NULL);
        wire_expect(ECHO "1h 1'hi' 1=0");
        raw_client_begin(echo);
        wire_field(":status", "200");
        wire_field("content-type", bad[i]);
        wire_headers(1, 0);
        wire_data(1, "<html>", 6, 0);
        wire_expect("1: " HEAD("Echo") " 'hi' END rst(CANCEL) 1=2(not a gRPC response)");
    }
}

static void interim_headers(void)
{
    raw_client_begin(echo);
    wire_field(":status", "100");
    wire_headers(1, 0);
    wire_field(":status", "103");
    wire_field("link", "x");
    wire_headers(1, 0);
    raw_answer(1);
    wire_message(1, "hi", 0);
    raw_trailers(1, "0", NULL);
    wire_expect(ECHO "1h 1'hi' 1=0");
}

/* --- What is wrong with a response -------------------------------------------------------- */

static void malformed_headers(void)
{
    static const char *const lists[][4] = {
        {"content-type", "application/grpc"},
        {":status", "200", ":status", "200"},
        {":status", "200", ":path", "/"},
        {"x", "y", ":status", "200"},
        {":status", "200", "connection", "close"},
        {":status", "200", "X-Upper", "y"},
        {":status", "abc"},
        {":status", "", "x", "y"},
        {":method", "POST", ":status", "200"},
        {":status", "200", "a", "x\ny"},
    };
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        raw_client_begin(echo);
        wire_field(lists[i][0], lists[i][1]);
        if (lists[i][2]) {
            wire_field(lists[i][2], lists[i][3]);
        }
        wire_headers(1, 0);
        wire_expect("1: " HEAD("Echo") " 'hi' END rst(PROTOCOL_ERROR) 1=13(stream reset)");
    }
}

static void malformed_ends(void)
{
    for (unsigned i = 0; i < 4; i++) {
        raw_client_begin(echo);
        if (i == 0) { /* an interim response cannot be the last */
            wire_field(":status", "100");
            wire_headers(1, END);
        } else {
            raw_answer(1);
            wire_field(i == 1 ? "grpc-status" : ":status",
                       i == 1 ? "0" : "200"); /* trailers without END_STREAM; with :status */
            wire_headers(1, i == 2 ? END : 0);
        }
        wire_expect("1: " HEAD("Echo") " 'hi' END rst(PROTOCOL_ERROR) *=13(stream reset)");
    }
}

static void data_before_headers(void)
{
    raw_client_begin(echo);
    wire_message(1, "hi", 0);
    wire_expect("1: " HEAD("Echo") " 'hi' END rst(PROTOCOL_ERROR) 1=13(stream reset)");
}

static void content_length(void)
{
    static const char *const lengths[] = {"7", "6", "8"};
    for (unsigned i = 0; i < 3; i++) {
        raw_client_begin(echo);
        wire_block("\x88\x0f\x10\x10"
                   "application/grpc",
                   4 + 16);
        wire_field("content-length", lengths[i]);
        wire_headers(1, 0);
        wire_message(1, "hi", 0);
        if (i != 1) {
            raw_trailers(1, "0", NULL);
        }
        wire_expect(i == 0 ? ECHO "1h 1'hi' 1=0"
                    : i == 1
                        ? "1: " HEAD("Echo") " 'hi' END rst(PROTOCOL_ERROR) 1h 1=13(stream reset)"
                        : ECHO "1h 1=13(not a gRPC response)");
    }
}

static void bad_messages(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *expected;
    } rows[] = {{"\1\0\0\0\2hi", 7, "1h 1=13(no grpc-encoding)"},
                {"\0\0\0\0\xff", 5, "1h 1=8(message too large)"},
                {"\0\xff\xff\xff\xff", 5, "1h 1=8(message too large)"}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[300] = "1: " HEAD("Echo") " 'hi' END rst(CANCEL) ";
        raw_client_begin(echo);
        raw_answer(1);
        wire_data(1, rows[i].bytes, rows[i].n, 0);
        wire_expect(strcat(text, rows[i].expected));
    }
}

static void replies_that_are_not_one(void)
{
    raw_client_begin(echo);
    raw_answer(1);
    wire_message(1, "one", 0);
    wire_message(1, "two", 0);
    raw_trailers(1, "0", NULL);
    wire_expect(ECHO "1h 1=13(not one message)");
    raw_client_begin(echo);
    raw_answer(1);
    wire_data(1, "\0\0\0\0\5hel", 8, 0);
    raw_trailers(1, "0", NULL);
    wire_expect(ECHO "1h 1=13(message cut short)");
}

static void header_list_too_large(void)
{
    static char value[3000];
    memset(value, 'v', sizeof value - 1);
    raw_client_begin(echo);
    wire_block("\x88", 1);
    for (unsigned i = 0; i < 3; i++) {
        wire_field("x", value);
    }
    wire_headers(1, 0);
    wire_expect("1: " HEAD("Echo") " 'hi' END rst(CANCEL) 1=8(not a gRPC response)");
}

/* --- Headers that are too large, or come again ------------------------------------------------ */

static void two(void)
{
    echo();
    echo();
}

/* What is too large ends its own call: a response's headers, or its trailers, in one value or in
 * frames that are over the limit together. The other call goes on. */
static void header_blocks_over_their_limit(void)
{
    static char value[TEST_SIZE(40001, 4001)];
    static const size_t sizes[] = {NRPC_HEADER_LIST_MAX, 12000, 40000};
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned late = 0; late < 2; late++) {
            memset(value, 'v', sizes[i]);
            value[sizes[i]] = 0;
            raw_client_begin(two);
            test_context("bytes", (long)sizes[i]);
            if (late) {
                raw_answer(1);
                wire_field("grpc-status", "0");
            } else {
                wire_field(":status", "200");
            }
            wire_field("x-large", value);
            wire_headers_in_pieces(1, late ? END : 0, 16384);
            wire_do(NULL);
            raw_answer(3);
            wire_message(3, "hi", 0);
            raw_trailers(3, "0", NULL);
            (void)wire_run_once();
            CHECK(strstr(raw_client_log(), "1=8(not a gRPC response)") != NULL);
            CHECK(strstr(raw_client_log(), "2'hi' 2=0") != NULL);
            CHECK(strstr(wire_text(), "goaway") == NULL);
        }
    }
}

/* The same few bytes again: each call has its own message. */
static void repeated_trailers_with_a_message(void)
{
    raw_client_begin(two);
    raw_answer(1);
    raw_answer(3);
    raw_trailers(1, "5", "none");
    raw_trailers(3, "5", "none");
    (void)wire_run_once();
    CHECK(strstr(raw_client_log(), "1=5(none)") != NULL);
    CHECK(strstr(raw_client_log(), "2=5(none)") != NULL);
}

int main(void)
{
    RUN(our_settings_come_first);
    RUN(unary);
    RUN(reply_of_the_largest_size);
    RUN(server_streaming);
    RUN(client_streaming);
    RUN(client_streaming_of_none);
    RUN(bidi_ping_pong);
    RUN(trailers_only);
    RUN(statuses_and_messages);
    RUN(statuses_that_are_no_numbers);
    RUN(status_with_a_message_is_no_reply);
    RUN(stream_with_a_status);
    RUN(no_trailers);
    RUN(http_statuses);
    RUN(http_statuses_by_index);
    RUN(grpc_status_is_preferred);
    RUN(content_types);
    RUN(interim_headers);
    RUN(malformed_headers);
    RUN(malformed_ends);
    RUN(data_before_headers);
    RUN(content_length);
    RUN(bad_messages);
    RUN(replies_that_are_not_one);
    RUN_LARGE(header_list_too_large);
    RUN_LARGE(header_blocks_over_their_limit);
    RUN(repeated_trailers_with_a_message);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
