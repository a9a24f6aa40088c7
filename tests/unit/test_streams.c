/* tests/unit/test_streams.c - a stream's states: what a client may send in each; how many.
 * Layer: test. Source: RFC 9113 5.1, 8.1; each test's comment.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define ECHO "/test.Raw/Echo"
#define LATER "/test.Raw/Later"
#define END NRPC_END_STREAM

static void request(uint32_t id, const char *path, const char *text)
{
    wire_request(id, path, 0);
    wire_message(id, text, END);
}

/* --- Half-closed by the client ------------------------------------------------------------ */

static void data_after_the_end(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    request(1, LATER, "x");
    wire_message(1, "more", 0);
    request(3, ECHO, "alive");
    wire_expect("1: rst(STREAM_CLOSED) {m1 c1} 3: [200 grpc] 'alive' [status=0] END {m5}");
}

static void headers_after_the_end(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    request(1, LATER, "x");
    wire_request(1, ECHO, END);
    request(3, ECHO, "alive");
    wire_expect("1: rst(STREAM_CLOSED) {m1 c1} 3: [200 grpc] 'alive' [status=0] END {m5}");
}

static void continuation_after_the_end(void)
{
    wire_begin(&raw_server);
    request(1, LATER, "x");
    wire_frame(NRPC_CONTINUATION, NRPC_END_HEADERS, 1, "\x82", 1);
    wire_expect("goaway(*,PROTOCOL_ERROR)");
}

/* 5.1: WINDOW_UPDATE, PRIORITY and RST_STREAM may come after END_STREAM. */
static void frames_that_may_follow_the_end(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    request(1, LATER, "x");
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 1, 5);
    wire_priority(1, 3);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    request(3, ECHO, "alive");
    wire_expect("1: {m1 c1} 3: [200 grpc] 'alive' [status=0] END {m5}");
}

/* --- Closed ------------------------------------------------------------------------------- */

static void late_frames_on_a_closed_stream(void)
{
    wire_begin(&raw_server);
    request(1, ECHO, "x");
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 1, 5);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_priority(1, 3);
    request(3, ECHO, "alive");
    wire_expect("1: [200 grpc] 'x' [status=0] END 3: [200 grpc] 'alive' [status=0] END");
}

/* 5.1: DATA after END_STREAM, when we have ended as well: STREAM_CLOSED, of the stream or the
 * connection. */
static void data_on_a_closed_stream(void)
{
    wire_begin(&raw_server);
    request(1, ECHO, "x");
    wire_do(NULL);
    wire_message(1, "more", END);
    const char *text = wire_run_once();
    CHECK(strstr(text, "STREAM_CLOSED") != NULL);
}

static void headers_on_a_closed_stream(void)
{
    wire_begin(&raw_server);
    request(1, ECHO, "x");
    wire_do(NULL);
    wire_request(1, ECHO, END);
    const char *text = wire_run_once();
    CHECK(strstr(text, "STREAM_CLOSED") != NULL || strstr(text, "PROTOCOL_ERROR") != NULL);
}

/* 5.1: after the client's own RST_STREAM it may send nothing more there. h2spec: STREAM_CLOSED. */
static void data_after_the_clients_reset(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_message(1, "x", END);
    const char *text = wire_run_once();
    CHECK(strstr(text, "STREAM_CLOSED") != NULL);
}

static void headers_after_the_clients_reset(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_request(1, ECHO, END);
    const char *text = wire_run_once();
    CHECK(strstr(text, "STREAM_CLOSED") != NULL || strstr(text, "PROTOCOL_ERROR") != NULL);
}

/* After *our* RST_STREAM what was on its way is no error, and header blocks still count for
 * HPACK. */
static void frames_after_our_reset(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_number(NRPC_WINDOW_UPDATE, 1, 0); /* reset: PROTOCOL_ERROR */
    wire_do(NULL);
    wire_message(1, "x", 0);
    wire_block("\x40\x02x1\x01y", 6); /* trailers, put into the table */
    wire_headers(1, END);
    wire_request_fields(ECHO);
    wire_block("\xbe", 1); /* from the table */
    wire_headers(3, 0);
    wire_message(3, "alive", END);
    wire_expect("1: rst(PROTOCOL_ERROR) 3: [200 grpc] 'alive' [status=0] END");
}

/* --- Trailers of a request ---------------------------------------------------------------- */

static void second_headers_without_an_end(void) /* 8.1 */
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    wire_request(1, "/test.Raw/Collect", 0);
    wire_message(1, "x", 0);
    wire_field("x-trailer", "y");
    wire_headers(1, 0);
    request(3, ECHO, "alive");
    wire_expect("1: rst(PROTOCOL_ERROR) {m1 c1} 3: [200 grpc] 'alive' [status=0] END {m5}");
}

static void trailers_with_pseudo_headers(void) /* 8.1 */
{
    static const char *const names[] = {":path", ":method", ":status", ":nope"};
    for (unsigned i = 0; i < 4; i++) {
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Collect", 0);
        wire_message(1, "x", 0);
        wire_field(names[i], "y");
        wire_headers(1, END);
        request(3, ECHO, "alive");
        wire_expect("1: rst(PROTOCOL_ERROR) 3: [200 grpc] 'alive' [status=0] END");
    }
}

/* They may be on their way when we end the call, and are looked at still; h2spec
 * http2/8.1.2.1/3. */
static void trailers_after_an_early_end(void)
{
    for (int pseudo = 0; pseudo < 2; pseudo++) {
        wire_begin(&raw_server);
        wire.show = WIRE_NO_ERROR;
        wire_request_fields("/nobody/knows");
        wire_field("content-length", "12");
        wire_headers(1, 0);
        wire_do(NULL);
        wire_message(1, "dropped", 0);
        wire_field(pseudo ? ":method" : "x-trailer", "POST");
        wire_headers(1, END);
        request(3, ECHO, "alive");
        wire_expect(pseudo
                        ? "1: [200 grpc status=12 message=*] END rst(NO_ERROR) rst(PROTOCOL_ERROR) "
                          "3: [200 grpc] 'alive' [status=0] END"
                        : "1: [200 grpc status=12 message=*] END rst(NO_ERROR) "
                          "3: [200 grpc] 'alive' [status=0] END");
    }
}

static void trailers_in_pieces(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Collect", 0);
    wire_message(1, "x", 0);
    wire_field("x-trailer", "something");
    wire_headers_in_pieces(1, END, 5);
    wire_expect("1: [200 grpc] '1:1' [status=0] END");
}

/* --- How many ----------------------------------------------------------------------------- */

/* tonic and hyper do not wait for our SETTINGS and may be over the limit: REFUSED_STREAM, try
 * again. */
static void streams_over_the_limit_are_refused(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    for (uint32_t id = 1; id < 13; id += 2) {
        request(id, LATER, "x");
    }
    wire_do(NULL);
    wire_number(NRPC_RST_STREAM, 3, NRPC_H2_CANCEL);
    request(13, ECHO, "free");
    wire_expect(
        "1: {m1} 3: {m1 c1} 5: {m1} 7: {m1} 9: rst(REFUSED_STREAM) {} 11: rst(REFUSED_STREAM) {} "
        "13: [200 grpc] 'free' [status=0] END {m4}");
}

/* The header block of a refused stream is decoded all the same. */
static void refused_blocks_fill_the_table(void)
{
    wire_begin(&raw_server);
    for (uint32_t id = 1; id < 9; id += 2) {
        wire_request(id, LATER, 0);
    }
    wire_request_fields(ECHO);
    wire_block("\x40\x02x1\x01y", 6);
    wire_headers(9, 0);
    wire_message(9, "dropped", END);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_request_fields(ECHO);
    wire_block("\xbe", 1);
    wire_headers(11, 0);
    wire_message(11, "alive", END);
    wire_expect("9: rst(REFUSED_STREAM) 11: [200 grpc] 'alive' [status=0] END");
}

/* A slot is used again, and nothing of the call before is left in it. */
static void slots_are_used_again(void)
{
    static char expected[12000];
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 2000);
    strcpy(expected, "acks=2");
    for (uint32_t id = 1; id < 100; id += 2) {
        static const char *const paths[] = {ECHO, "/test.Raw/Fail", "/test.Raw/List", "/nope",
                                            "/test.Raw/Collect"};
        static const char *const texts[] = {"hello", "C oh", "2", "x", "hello"};
        static const char *const answers[] = {
            ": [200 grpc] 'hello' [status=0] END", ": [200 grpc status=2 message=oh] END",
            ": [200 grpc] 'm0' 'm1' [status=0] END", ": [200 grpc status=12 message=*] END",
            ": [200 grpc] '1:5' [status=0] END"};
        char digits[] = {' ', (char)('0' + id / 10), (char)('0' + id % 10), 0};
        request(id, paths[id % 5], texts[id % 5]);
        strcat(strcat(expected, id < 10 ? " " : ""), id < 10 ? digits + 2 : digits);
        strcat(expected, answers[id % 5]);
        if (id % 4 == 3) {
            wire_do(NULL);
        }
    }
    wire_expect(expected);
}

/* --- Shutting down ------------------------------------------------------------------------ */

static void shut_down(void)
{
    nrpc_conn_shutdown(wire.conn);
}

static void not_closing(void)
{
    CHECK(!nrpc_conn_closing(wire.conn));
}

static void closing(void)
{
    CHECK(nrpc_conn_closing(wire.conn));
}

static void finish_1(void)
{
    CHECK_EQ(raw_finish(1, NRPC_OK, NULL), 0);
}

/* The client answers the PING behind the first GOAWAY. */
static void answer_farewell(void)
{
    wire_frame(NRPC_PING, NRPC_ACK, 0, "\1\0\0\0\0\0\0\0", 8);
}

static void shutdown_lets_open_calls_finish(void)
{
    wire_begin(&raw_server);
    request(1, LATER, "x");
    wire_do(not_closing);
    wire_do(shut_down);
    wire_do(not_closing);
    request(3, ECHO, "on its way");
    answer_farewell();
    wire_do(not_closing);
    request(5, ECHO, "too late");
    wire_do(not_closing);
    wire_do(finish_1);
    wire_do(NULL);
    wire_do(closing);
    wire_expect("*goaway(2147483647,NO_ERROR) PING(0100000000000000) goaway(3,NO_ERROR) "
                "1: [200 grpc status=0] END 3: [200 grpc] 'on its way' [status=0] END 5: "
                "rst(REFUSED_STREAM)");
}

static void shutdown_of_an_idle_connection(void)
{
    wire_begin(&raw_server);
    wire_do(shut_down);
    wire_do(not_closing);
    answer_farewell();
    wire_do(NULL);
    wire_do(closing);
    wire_expect("*goaway(2147483647,NO_ERROR) PING(0100000000000000) goaway(0,NO_ERROR)");
}

/* Answers to PINGs that we have not sent, or not yet. */
static void shutdown_answered_before_it_began(void)
{
    wire_begin(&raw_server);
    answer_farewell();
    wire_do(shut_down);
    wire_frame(NRPC_PING, NRPC_ACK, 0, "\0\0\0\0\0\0\0\0", 8);
    wire_do(not_closing);
    wire_do(not_closing);
    wire_expect("*goaway(2147483647,NO_ERROR) PING(0100000000000000)");
}

/* RFC 9113 6.8: the last stream of a GOAWAY is never higher than that of the one before. */
static void error_after_a_shutdown(void)
{
    wire_begin(&raw_server);
    request(1, LATER, "x");
    wire_do(shut_down);
    wire_do(NULL);
    answer_farewell();
    wire_do(NULL);
    request(3, ECHO, "too late");
    wire_frame(NRPC_PING, 0, 0, "short", 5);
    wire_do(NULL);
    wire_do(closing);
    wire_expect("*goaway(2147483647,NO_ERROR) PING(0100000000000000) goaway(1,NO_ERROR) 3: "
                "rst(REFUSED_STREAM)");
}

static void shutdown_after_an_error(void)
{
    wire_begin(&raw_server);
    wire_frame(NRPC_PING, 0, 0, "short", 5);
    wire_do(shut_down);
    wire_do(NULL);
    wire_do(closing);
    wire_expect("*goaway(0,FRAME_SIZE_ERROR)");
    wire_begin(&raw_server);
    wire_do(shut_down);
    wire_do(NULL);
    wire_frame(NRPC_PING, 0, 0, "short", 5);
    wire_do(NULL);
    wire_do(closing);
    wire_expect("*goaway(2147483647,NO_ERROR) PING(0100000000000000) goaway(0,FRAME_SIZE_ERROR)");
}

/* --- Connections -------------------------------------------------------------------------- */

static void connections_are_limited_and_freed(void)
{
    struct nrpc_conn *one = nrpc_server_accept(&raw_server, 0),
                     *two = nrpc_server_accept(&raw_server, 0);
    CHECK(one && two && one != two);
    CHECK(nrpc_server_accept(&raw_server, 0) == NULL);
    nrpc_conn_lost(one);
    struct nrpc_conn *three = nrpc_server_accept(&raw_server, 0);
    CHECK(three == one);
    nrpc_conn_lost(two);
    nrpc_conn_lost(three);
}

/* The promise of config.h's formula; the figures are checked by `make size`. */
static void size_of_a_connection(void)
{
#ifdef __arm__
    CHECK(sizeof(struct nrpc_call) <= 60);
    size_t client = NRPC_CLIENT * (16 + (NRPC_METADATA_BYTES ? 4 : 8) * NRPC_MAX_STREAMS);
    CHECK(sizeof(struct nrpc_conn) <= 564 - 16 * 8 + NRPC_HPACK_ENTRIES * 8 + client);
    CHECK(sizeof(struct nrpc_conn) <= 1536);
#else
    CHECK(sizeof(struct nrpc_call) <= 80);
#endif
}

int main(void)
{
    RUN(data_after_the_end);
    RUN(headers_after_the_end);
    RUN(continuation_after_the_end);
    RUN(frames_that_may_follow_the_end);
    RUN(late_frames_on_a_closed_stream);
    RUN(data_on_a_closed_stream);
    RUN(headers_on_a_closed_stream);
    RUN(data_after_the_clients_reset);
    RUN(headers_after_the_clients_reset);
    RUN(frames_after_our_reset);
    RUN(second_headers_without_an_end);
    RUN(trailers_with_pseudo_headers);
    RUN(trailers_after_an_early_end);
    RUN(trailers_in_pieces);
    RUN(streams_over_the_limit_are_refused);
    RUN(refused_blocks_fill_the_table);
    RUN_LARGE(slots_are_used_again);
    RUN(shutdown_lets_open_calls_finish);
    RUN(shutdown_of_an_idle_connection);
    RUN(shutdown_answered_before_it_began);
    RUN(error_after_a_shutdown);
    RUN(shutdown_after_an_error);
    RUN(connections_are_limited_and_freed);
    RUN(size_of_a_connection);
    return test_end();
}
