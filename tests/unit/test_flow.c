/* tests/unit/test_flow.c - windows both ways, down to their last byte; a link that is full.
 * Layer: test. Source: RFC 9113 5.2, 6.9.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define ECHO "/test.Raw/Echo"
#define END NRPC_END_STREAM

static void request(uint32_t id, const char *path, const char *text)
{
    wire_request(id, path, 0);
    wire_message(id, text, END);
}

/* --- What we may send --------------------------------------------------------------------- */

static const char *const begun[] = {
    "",       " <prefix 1/5>", " <prefix 2/5>", " <prefix 3/5>", " <prefix 4/5>", " <0/6>",
    " <1/6>", " <2/6>",        " <3/6>",        " <4/6>",        " <5/6>"};

/* Peers' bugs: a response lost when 0 to 4 bytes of window are left; waiting for ever instead of
 * splitting. */
static void responses_stop_at_the_window(void)
{
    static const char *const paths[] = {ECHO, "/test.Raw/Bidi"};
    for (uint32_t window = 0; window <= 10; window++) {
        for (unsigned k = 0; k < 2; k++) {
            char expected[100] = "acks=2 1: [200 grpc]";
            wire_begin(&raw_server);
            wire_setting(NRPC_INITIAL_WINDOW_SIZE, window);
            request(1, paths[k], "abcdef");
            wire_expect(strcat(expected, begun[window]));
            wire_do(NULL);
            wire_number(NRPC_WINDOW_UPDATE, 1, 11 - window);
            wire_expect("acks=2 1: [200 grpc] 'abcdef' [status=0] END");
        }
    }
}

static void lists_stop_at_the_window(void)
{
    static const char *const expected[] = {
        "",
        " <prefix 1/5>",
        " <prefix 2/5>",
        " <prefix 3/5>",
        " <prefix 4/5>",
        " <0/2>",
        " <1/2>",
        " 'm0'",
        " 'm0' <prefix 1/5>",
        " 'm0' <prefix 2/5>",
        " 'm0' <prefix 3/5>",
    };
    for (uint32_t window = 0; window <= 10; window++) {
        char text[100] = "acks=2 1: [200 grpc]";
        wire_begin(&raw_server);
        wire_setting(NRPC_INITIAL_WINDOW_SIZE, window);
        request(1, "/test.Raw/List", "2");
        wire_expect(strcat(text, expected[window]));
        wire_setting(NRPC_INITIAL_WINDOW_SIZE, 14);
        wire_expect("acks=3 1: [200 grpc] 'm0' 'm1' [status=0] END");
    }
}

static void client_streams_stop_at_the_window(void)
{
    for (uint32_t window = 0; window < 8; window++) {
        wire_begin(&raw_server);
        wire_setting(NRPC_INITIAL_WINDOW_SIZE, window);
        wire_request(1, "/test.Raw/Collect", END);
        for (uint32_t left = 8; left > window; left--) {
            wire_number(NRPC_WINDOW_UPDATE, 1, 1); /* byte by byte */
            wire_do(NULL);
        }
        wire_expect("acks=2 1: [200 grpc] '0:0' [status=0] END");
    }
}

static void bodies_of_refusals_stop_at_the_window(void)
{
    for (uint32_t window = 0; window < 5; window++) {
        wire_begin(&raw_server);
        wire_setting(NRPC_INITIAL_WINDOW_SIZE, window);
        wire_block("\x82\x86\x04\x02/x", 6); /* GET */
        wire_headers(1, END);
        wire_do(NULL);
        for (uint32_t left = 5; left > window; left--) {
            wire_number(NRPC_WINDOW_UPDATE, 1, 1);
            wire_do(NULL);
        }
        wire_expect("acks=2 1: [405] '405*' END");
    }
}

static void trailers_need_no_window(void)
{
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 0);
    request(1, "/test.Raw/Nope", "x");
    request(3, "/test.Raw/List", "0");
    request(5, "/test.Raw/Fail", "D no");
    wire_expect("acks=2 1: [200 grpc status=12 message=*] END 3: [200 grpc status=0] END "
                "5: [200 grpc status=3 message=no] END");
}

/* The message has all left, but its window is then 0: trailers follow. */
static void window_of_exactly_the_message(void)
{
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 11);
    request(1, ECHO, "abcdef");
    wire_expect("acks=2 1: [200 grpc] 'abcdef' [status=0] END");
}

/* RFC 9113 6.9.2: a smaller initial window makes windows negative. */
static void negative_windows(void)
{
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 100);
    request(1, "/test.Raw/List", "2:85"); /* 90 and 90 bytes: 10 of the second may go */
    wire_expect("acks=2 1: [200 grpc] <85> <5/85>");
    wire_do(NULL);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 0); /* -100 */
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 1, 100); /* 0 */
    wire_expect("acks=3 1: [200 grpc] <85> <5/85>");
    wire_number(NRPC_WINDOW_UPDATE, 1, 3);
    wire_expect("acks=3 1: [200 grpc] <85> <8/85>");
    wire_do(NULL);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 10);
    wire_expect("acks=4 1: [200 grpc] <85> <18/85>");
    wire_do(NULL);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 1000);
    wire_expect("acks=5 1: [200 grpc] <85> <85> [status=0] END");
}

/* The initial window of a stream that is opened later; both settings in one frame, the last
 * counts. */
static void initial_window_of_new_streams(void)
{
    static const uint8_t two[] = {0, 4, 0, 0, 0, 200, 0, 4, 0, 0, 0, 6};
    wire_begin(&raw_server);
    wire_frame(NRPC_SETTINGS, 0, 0, two, sizeof two);
    request(1, ECHO, "abcdef");
    wire_expect("acks=2 1: [200 grpc] <1/6>");
}

static void connection_window(void)
{
    wire_begin(&large_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 100000);
    request(1, "/test.Large/List", "1:39995");
    wire_do(NULL);
    request(3, "/test.Large/List", "1:39995");
    wire_expect("acks=2 1: [200 grpc] <39995> [status=0] END 3: [200 grpc] <25530/39995>");
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 3, 1000); /* of no use */
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 0, 1);
    wire_expect("acks=2 1: [200 grpc] <39995> [status=0] END 3: [200 grpc] <25531/39995>");
    wire_number(NRPC_WINDOW_UPDATE, 0, 65535);
    wire_expect("acks=2 1: [200 grpc] <39995> [status=0] END 3: [200 grpc] <39995> [status=0] END");
}

/* A stream that waits for its own window holds up no other. */
static void waiting_streams_hold_up_no_others(void)
{
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 12);
    request(1, ECHO, "longer than that");
    request(3, ECHO, "abcdef");
    request(5, "/test.Raw/List", "3");
    request(7, ECHO, "abcdef");
    wire_do(NULL);
    request(9, ECHO, "abcdef");
    wire_expect("acks=2 1: [200 grpc] <7/16> 3: [200 grpc] 'abcdef' [status=0] END 5: [200 grpc] "
                "'m0' <0/2> "
                "7: [200 grpc] 'abcdef' [status=0] END 9: [200 grpc] 'abcdef' [status=0] END");
}

static void frame_sizes(void)
{
    wire_begin(&large_server);
    request(1, "/test.Large/List", "1:39995");
    wire_expect("1: [200 grpc] <39995> [status=0] END");
    wire_begin(&large_server);
    wire_setting(NRPC_MAX_FRAME_SIZE, 16777215);
    request(1, "/test.Large/List", "1:39995");
    wire_expect("acks=2 1: [200 grpc] <39995> [status=0] END");
}

static void windows_over_their_maximum(void)
{
    wire_begin(&raw_server);
    request(1, "/test.Raw/Push", "x");
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 1, 0x7fffffff - 65535); /* to 2^31 - 1 */
    wire_expect("");
    wire_number(NRPC_WINDOW_UPDATE, 1, 1);
    wire_expect("1: rst(FLOW_CONTROL_ERROR)");
}

static void connection_window_over_its_maximum(void)
{
    wire_begin(&raw_server);
    wire_number(NRPC_WINDOW_UPDATE, 0, 0x7fffffff - 65535);
    request(1, ECHO, "x");
    wire_expect("1: [200 grpc] 'x' [status=0] END");
    wire_number(NRPC_WINDOW_UPDATE, 0, 7);
    wire_number(NRPC_WINDOW_UPDATE, 0, 0x7fffffff);
    wire_expect("goaway(1,FLOW_CONTROL_ERROR)");
}

static void initial_window_over_the_maximum(void)
{
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 0x80000000);
    wire_expect("goaway(0,FLOW_CONTROL_ERROR)");
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 0xffffffff);
    wire_expect("goaway(0,FLOW_CONTROL_ERROR)");
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 0x7fffffff);
    request(1, ECHO, "x");
    wire_expect("acks=2 1: [200 grpc] 'x' [status=0] END");
}

/* RFC 9113 6.9.2: a change that overflows the window of an open stream. */
static void initial_window_that_overflows_a_stream(void)
{
    for (uint32_t over = 0; over <= 1; over++) {
        wire_begin(&raw_server);
        request(1, "/test.Raw/Push", "x");
        wire_do(NULL);
        wire_number(NRPC_WINDOW_UPDATE, 1, 0x7fffffff - 65536 + over);
        wire_setting(NRPC_INITIAL_WINDOW_SIZE, 65536);
        wire_expect(over ? "goaway(1,FLOW_CONTROL_ERROR)" : "acks=2");
    }
}

/* Peers' bug: WINDOW_UPDATE of 0 on stream 0 deadlocks. */
static void increments_of_0(void)
{
    wire_begin(&raw_server);
    wire_number(NRPC_WINDOW_UPDATE, 0, 0);
    wire_expect("goaway(*,PROTOCOL_ERROR)");
    wire_begin(&raw_server);
    wire_number(NRPC_WINDOW_UPDATE, 0, 0x80000000); /* the reserved bit is no part of it */
    wire_expect("goaway(*,PROTOCOL_ERROR)");
    wire_begin(&raw_server);
    request(1, "/test.Raw/Push", "x");
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 1, 0);
    request(3, ECHO, "x");
    wire_expect("1: rst(PROTOCOL_ERROR) 3: [200 grpc] 'x' [status=0] END");
}

/* --- What we may be sent ------------------------------------------------------------------ */

/* After the client knows our SETTINGS, a stream's window is its receive block: 5 + 64. */
static void receive_windows_are_enforced(void)
{
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Hold", 0);
    wire_message(1, "x", 0);
    wire_do(NULL); /* answered and held: 69 bytes are free again */
    wire_data(1, "\0\0\0\0\x40", 5, 0);
    wire_long_message(1, 59, 0); /* 64 bytes more: full */
    wire_do(NULL);
    wire_expect("1: [200 grpc] 'x'");
    wire_data(1, "!", 1, 0);
    wire_expect("1: [200 grpc] 'x' rst(FLOW_CONTROL_ERROR)");
}

/* What comes for a call that is answered takes no memory, so its window is not looked at; h2spec
 * http2/4.2/1. */
static void window_of_a_finished_call(void)
{
    static const char body[16384];
    wire_begin_acked(&raw_server);
    wire_field(":method", "POST");
    wire_field(":scheme", "http");
    wire_field(":path", "/");
    wire_headers(1, 0);
    wire_data(1, body, sizeof body, END);
    wire_expect("1: [415] '415*' END");
}

static void padding_counts(void)
{
    wire_begin_acked(&raw_server);
    wire_request(1, ECHO, 0);
    wire_padded_data(1, "\0\0\0\0\1x", 6, 62, END); /* 69 */
    wire_request(3, ECHO, 0);
    wire_padded_data(3, "\0\0\0\0\1x", 6, 63, END); /* 70 */
    wire_expect("1: [200 grpc] 'x' [status=0] END 3: rst(FLOW_CONTROL_ERROR)");
}

/* Until then it may go by the initial 65535, but a block is a block. */
static void windows_before_our_settings_are_known(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Collect", 0);
    for (unsigned i = 0; i < 10; i++) {
        wire_long_message(1, 60, i < 9 ? 0 : END);
    }
    wire_expect("1: [200 grpc] '10:600' [status=0] END");
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Bidi", 0);
    for (unsigned i = 0; i < 10; i++) {
        wire_long_message(1, 60, i < 9 ? 0 : END);
    }
    wire_expect("1: [200 grpc] <60> <60> <60> <60> <60> <60> <60> <60> <60> <60> [status=0] END");
}

/* ---- What there is no place for waits ---- */

/* All in one DATA frame: n messages of 4 bytes, its end, and a call behind it. */
static void pipelined(const char *path, unsigned n)
{
    static uint8_t body[9 * 100];
    for (unsigned i = 0; i < n; i++) {
        static const uint8_t message[] = {0, 0, 0, 0, 4, 'a', 'b', 'c', 'd'};
        memcpy(body + 9 * i, message, 9);
    }
    wire_request(1, path, 0);
    wire_data(1, body, 9 * n, END);
    wire_request(3, ECHO, 0);
    wire_message(3, "behind", END);
}

/* connect-go, tonic, nginx: more tiny messages than a block holds before our SETTINGS are known. */
static void tiny_messages_at_once(void)
{
    static char text[2000];
    for (unsigned n = 8; n <= 100; n += 23) {
        strcpy(text, "1: [200 grpc]");
        for (unsigned i = 0; i < n; i++) {
            strcat(text, " 'abcd'");
        }
        strcat(text, " [status=0] END 3: [200 grpc] 'behind' [status=0] END");
        wire_begin(&raw_server);
        pipelined("/test.Raw/Bidi", n);
        wire_expect(text);
    }
}

/* The port gives what is left again with each turn, as time passes. */
static void pass(uint32_t ms)
{
    for (uint32_t passed = 0; passed < ms; passed += 500) {
        wire.now_ms += 500;
        (void)nrpc_conn_tick(wire.conn, wire.now_ms);
        wire_feed_all();
        wire_pump();
    }
}

/* A handler that takes its time, more in all than what any timer allows. */
static void slow_handler(void)
{
    wire_begin(&raw_server);
    pipelined("/test.Raw/Hold", 30);
    wire_open();
    wire_feed_all();
    for (unsigned i = 0; i < 30; i++) {
        CHECK(wire.n_fed < wire.n_in || i > 20);
        pass(3000);
        CHECK_EQ(raw_wake(1), 0);
    }
    pass(1000);
    CHECK_EQ(wire.n_fed, wire.n_in);
    CHECK(!nrpc_conn_closing(wire.conn));
    CHECK(strstr(wire_text(), " 'abcd' 'abcd' [status=0] END 3: [200 grpc] 'behind'") != NULL);
    wire_close();
}

/* What would end the wait stands behind the bytes that wait. */
static void window_behind_what_waits(void)
{
    wire_begin(&raw_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 0);
    pipelined("/test.Raw/Bidi", 30);
    wire_number(NRPC_WINDOW_UPDATE, 1, 65535);
    wire_number(NRPC_WINDOW_UPDATE, 3, 65535);
    wire_open();
    CHECK(!wire_feed_all());
    pass(NRPC_HOLD_TIMEOUT_MS - 1000);
    CHECK_TEXT(wire_text(), "acks=2 1: [200 grpc]");
    pass(2000);
    CHECK_EQ(wire.n_fed, wire.n_in);
    CHECK_TEXT(wire_text(),
               "acks=2 1: [200 grpc] [status=8] END 3: [200 grpc] 'behind' [status=0] END");
    CHECK_EQ(raw.n_cancelled, 1);
    pass(2 * NRPC_STALL_TIMEOUT_MS);
    CHECK(!nrpc_conn_closing(wire.conn));
    wire_close();
}

/* A message more than a single one's is not waited for: nothing takes it ever. */
static void too_much_for_a_single_message(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_long_message(1, 64, 0);
    wire_long_message(1, 64, 0);
    wire_expect("1: [200 grpc status=8 message=*] END");
}

/* What is unused is given back: all that was sent, and no more. */
static void windows_are_given_back(void)
{
    wire_begin_acked(&raw_server);
    wire.show = WIRE_WINDOWS;
    wire_request(1, "/test.Raw/Collect", 0);
    for (unsigned i = 0; i < 20; i++) {
        wire_long_message(1, 64, 0);
        wire_do(NULL);
    }
    wire_data(1, "", 0, END);
    wire_expect("1: [200 grpc] '20:1280' [status=0] END window+1380");
}

static void windows_are_not_given_for_what_is_held(void)
{
    wire_begin_acked(&raw_server);
    wire.show = WIRE_WINDOWS;
    wire_request(1, "/test.Raw/Hold", 0);
    wire_message(1, "x", 0);
    wire_do(NULL);
    wire_long_message(1, 30, 0);
    wire_do(NULL);
    wire_expect("1: [200 grpc] 'x' window+6");
}

/* The length of no padding is a byte, which nobody holds. */
static void window_of_a_byte_is_given_back(void)
{
    wire_begin_acked(&raw_server);
    wire.show = WIRE_WINDOWS;
    wire_request(1, "/test.Raw/Collect", 0);
    wire_padded_data(1, "", 0, 0, 0);
    wire_expect("1: window+1");
}

/* A frame whose payload is still on its way: its bytes are spoken for. */
static void no_window_within_a_frame(void)
{
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Hold", 0);
    wire_message(1, "x", 0);
    wire_open();
    wire_feed_all();
    size_t before = wire.n_in;
    wire_long_message(1, 60, 0);
    for (size_t n = before; n < wire.n_in; n++) {
        wire_feed(wire.in + n, 1);
        wire_pump();
    }
    wire.show = WIRE_WINDOWS;
    CHECK_TEXT(wire_text(), "1: [200 grpc] 'x' window+6");
    wire_close();
    wire_begin_acked(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "hi", END);
    wire.show = WIRE_WINDOWS;
    wire_expect("1: [200 grpc] 'hi' [status=0] END");
}

/* The connection's window: what ended streams are sent is given back as well. */
/* All of it, once more than half of its 65535 bytes are used. */
static void connection_window_has_its_moment(void)
{
    static const uint8_t zeros[16384];
    for (unsigned over = 0; over <= 1; over++) {
        wire_begin(&raw_server);
        wire.show = WIRE_WINDOWS;
        wire_request(1, "/nobody/knows", 0);
        wire_data(1, zeros, sizeof zeros, 0);
        wire_data(1, zeros, sizeof zeros, 0);
        wire_do(NULL);
        wire_data(1, zeros, over, 0);
        wire_expect(over ? "window+32769 1: [200 grpc status=12 message=*] END"
                         : "1: [200 grpc status=12 message=*] END");
    }
}

static void connection_window_is_given_back(void)
{
    static const uint8_t zeros[16384];
    wire_begin(&raw_server);
    wire_request(1, "/nobody/knows", 0);
    wire_do(NULL);
    for (unsigned i = 0; i < 3; i++) {
        wire_data(1, zeros, sizeof zeros, 0);
        wire_do(NULL);
    }
    wire.show = WIRE_WINDOWS;
    const char *text = wire_run_once();
    CHECK(strncmp(text, "window+", 7) == 0);
    for (unsigned i = 0; i < 3; i++) {
        wire_data(1, zeros, sizeof zeros, 0);
        wire_do(NULL);
    }
    wire_request(3, ECHO, 0);
    wire_message(3, "alive", END);
    wire.show = 0;
    wire_expect("1: [200 grpc status=12 message=*] END 3: [200 grpc] 'alive' [status=0] END");
}

static void connection_window_is_enforced(void)
{
    static const uint8_t zeros[16384];
    wire_begin(&raw_server);
    wire_request(1, "/nobody/knows", 0);
    wire_open();
    wire_feed_all();
    wire_begin_bare(&raw_server);
    for (unsigned i = 0; i < 4; i++) {
        wire_data(1, zeros, sizeof zeros - (i == 3), 0); /* 65535 */
    }
    wire_data(1, zeros, 1, 0);
    CHECK_EQ(wire_feed(wire.in, wire.n_in - 10), wire.n_in - 10); /* with no turn to transmit */
    CHECK(!(wire.conn->flags & NRPC_CONN_DEAD));
    CHECK_EQ(wire_feed(wire.in + wire.n_in - 10, 10), 10);
    CHECK(wire.conn->flags & NRPC_CONN_DEAD);
    wire_pump();
    CHECK(nrpc_conn_closing(wire.conn));
    wire_close();
}

int main(void)
{
    RUN(responses_stop_at_the_window);
    RUN(lists_stop_at_the_window);
    RUN(client_streams_stop_at_the_window);
    RUN(bodies_of_refusals_stop_at_the_window);
    RUN(trailers_need_no_window);
    RUN(window_of_exactly_the_message);
    RUN(negative_windows);
    RUN(initial_window_of_new_streams);
    RUN(connection_window);
    RUN(waiting_streams_hold_up_no_others);
    RUN(frame_sizes);
    RUN(windows_over_their_maximum);
    RUN(connection_window_over_its_maximum);
    RUN(initial_window_over_the_maximum);
    RUN(initial_window_that_overflows_a_stream);
    RUN(increments_of_0);
    RUN(receive_windows_are_enforced);
    RUN(window_of_a_finished_call);
    RUN(padding_counts);
    RUN(windows_before_our_settings_are_known);
    RUN(tiny_messages_at_once);
    RUN(slow_handler);
    RUN(window_behind_what_waits);
    RUN(too_much_for_a_single_message);
    RUN(windows_are_given_back);
    RUN(windows_are_not_given_for_what_is_held);
    RUN(window_of_a_byte_is_given_back);
    RUN(no_window_within_a_frame);
    RUN(connection_window_has_its_moment);
    RUN(connection_window_is_given_back);
    RUN(connection_window_is_enforced);
    return test_end();
}
