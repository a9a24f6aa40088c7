/* tests/unit/test_calls.c - the four kinds of calls, and what they answer.
 * Layer: test. Source: gRPC over HTTP2; RFC 9113 8.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "wire.h"

#define ECHO "/test.Raw/Echo"
#define END NRPC_END_STREAM

static void one_message(const char *path, const char *text)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    wire_request(1, path, 0);
    wire_message(1, text, END);
}

/* --- Unary -------------------------------------------------------------------------------- */

static void unary(void)
{
    one_message(ECHO, "hi");
    wire.show |= WIRE_NO_ERROR;
    wire_expect("1: [200 grpc] 'hi' [status=0] END {m2}");
}

static void unary_of_no_bytes(void)
{
    one_message(ECHO, "");
    wire_expect("1: [200 grpc] '' [status=0] END {m0}");
}

static void unary_of_the_largest_size(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_long_message(1, RAW_REQUEST_BYTES, END);
    wire_expect("1: [200 grpc] <64> [status=0] END");
}

/* The prefix, and the message, in any number of frames; empty ones too. */
static void unary_in_many_frames(void)
{
    static const char message[] = "\0\0\0\0\5hello";
    for (unsigned size = 1; size < 10; size++) {
        wire_begin(&raw_server);
        wire_request(1, ECHO, 0);
        for (unsigned at = 0; at < 10; at += size) {
            wire_data(1, message + at, size < 10 - at ? size : 10 - at, at + size < 10 ? 0 : END);
            if (at + size < 10 && at % 3 == 0) {
                wire_data(1, "", 0, 0);
            }
        }
        wire_expect("1: [200 grpc] 'hello' [status=0] END");
    }
}

static void unary_ended_by_an_empty_frame(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "hi", 0);
    wire_data(1, "", 0, END);
    wire_expect("1: [200 grpc] 'hi' [status=0] END");
}

static void unary_ended_by_trailers(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "hi", 0);
    wire_field("x-checksum", "17");
    wire_headers(1, END);
    wire_expect("1: [200 grpc] 'hi' [status=0] END");
}

static void unary_padded(void)
{
    static const unsigned pads[] = {0, 1, 7, 255};
    for (unsigned i = 0; i < 4; i++) {
        wire_begin(&large_server);
        wire_request(1, "/test.Large/Echo", 0);
        wire_padded_data(1, "\0\0\0\0\5he", 7, pads[i], 0);
        wire_padded_data(1, "", 0, pads[i], 0);
        wire_padded_data(1, "llo", 3, pads[3 - i], END);
        wire_expect("1: [200 grpc] 'hello' [status=0] END");
    }
}

static void unary_with_two_messages(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "one", 0);
    wire_message(1, "two", END);
    wire_expect("1: [200 grpc status=13 message=*] END");
}

static void unary_without_a_message(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    wire_request(1, ECHO, END);
    wire_request(3, ECHO, 0);
    wire_data(3, "", 0, END);
    wire_expect("1: [200 grpc status=13 message=*] END {c13} "
                "3: [200 grpc status=13 message=*] END {c13}");
}

static void requests_that_end_within_a_message(void)
{
    static const char message[] = "\0\0\0\0\5hell";
    for (unsigned n = 1; n < 10; n++) {
        static const char *const methods[] = {"Echo", "List", "Collect", "Bidi"};
        wire_begin(&raw_server);
        for (uint32_t i = 0; i < 4; i++) {
            char path[32] = "/test.Raw/";
            wire_request(1 + 2 * i, strcat(path, methods[i]), 0);
            wire_data(1 + 2 * i, message, n, END);
        }
        wire_expect("1: [200 grpc status=13 message=*] END "
                    "3: [200 grpc status=13 message=*] END "
                    "5: [200 grpc status=13 message=*] END "
                    "7: [200 grpc status=13 message=*] END");
    }
}

static void unary_whose_handler_gives_nothing(void)
{
    one_message("/test.Raw/None", "x");
    wire_expect("1: [200 grpc status=13] END {m1}");
}

/* --- Unary, finished later ---------------------------------------------------------------- */

static void reply_later(void)
{
    CHECK_EQ(raw_send(1, "done"), 0);
    CHECK_EQ(raw_finish(1, NRPC_OK, NULL), 0);
}

static void unary_finished_later(void)
{
    one_message("/test.Raw/Later", "x");
    wire_do(reply_later);
    wire_expect("1: [200 grpc] 'done' [status=0] END {m1}");
}

static void fail_later(void)
{
    struct nrpc_call *call = raw_call(1);
    CHECK_EQ(raw_finish(1, NRPC_UNAVAILABLE, "not today"), 0);
    CHECK_EQ(nrpc_call_finish(call, NRPC_OK, NULL), NRPC_E_STATE);
    CHECK_EQ(nrpc_call_wake(call), NRPC_E_STATE);
}

static void unary_failed_later(void)
{
    one_message("/test.Raw/Later", "x");
    wire_do(fail_later);
    wire_expect("1: [200 grpc status=14 message=not today] END {m1}");
}

static void fail_after_message(void)
{
    CHECK_EQ(raw_send(1, "half"), 0);
    CHECK_EQ(raw_finish(1, NRPC_ABORTED, "stop"), 0);
}

static void message_and_then_a_failure(void)
{
    one_message("/test.Raw/Later", "x");
    wire_do(fail_after_message);
    wire_expect("1: [200 grpc] 'half' [status=10 message=stop] END {m1}");
}

static void finish_second(void)
{
    CHECK_EQ(raw_send(3, "second"), 0);
    CHECK_EQ(raw_finish(3, NRPC_OK, NULL), 0);
}

static void pending_calls_hold_up_no_others(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_message(1, "x", END);
    wire_request(3, "/test.Raw/Later", 0);
    wire_message(3, "y", END);
    wire_request(5, ECHO, 0);
    wire_message(5, "z", END);
    wire_do(finish_second);
    wire_do(reply_later);
    wire_expect("1: [200 grpc] 'done' [status=0] END 3: [200 grpc] 'second' [status=0] END "
                "5: [200 grpc] 'z' [status=0] END");
}

/* --- Server streaming --------------------------------------------------------------------- */

static void server_streaming(void)
{
    one_message("/test.Raw/List", "3");
    wire_expect("1: [200 grpc] 'm0' 'm1' 'm2' [status=0] END {m1}");
}

static void server_streaming_of_none(void)
{
    one_message("/test.Raw/List", "0");
    wire_expect("1: [200 grpc status=0] END {m1}");
}

static void server_streaming_of_long_messages(void)
{
    one_message("/test.Raw/List", "9:100");
    wire_expect(
        "1: [200 grpc] <100> <100> <100> <100> <100> <100> <100> <100> <100> [status=0] END {m5}");
}

static void push_two(void)
{
    CHECK_EQ(raw_send(1, "one"), 0);
    CHECK_EQ(raw_send(1, "early"), NRPC_E_AGAIN);
    wire_pump();
    CHECK_EQ(raw_send(1, "two"), 0);
    CHECK_EQ(raw_finish(1, NRPC_OK, NULL), 0);
}

static void server_streaming_pushed(void)
{
    one_message("/test.Raw/Push", "go");
    wire_do(push_two);
    wire_expect("1: [200 grpc] 'one' 'two' [status=0] END {m2}");
}

static void finish_push(void)
{
    CHECK_EQ(raw_finish(1, NRPC_RESOURCE_EXHAUSTED, NULL), 0);
}

static void server_streaming_pushed_nothing(void)
{
    one_message("/test.Raw/Push", "go");
    wire_do(finish_push);
    wire_expect("1: [200 grpc status=8] END {m2}");
}

static void four_lists_at_once(void)
{
    wire_begin(&raw_server);
    for (uint32_t id = 1; id < 9; id += 2) {
        wire_request(id, "/test.Raw/List", 0);
        wire_message(id, "4:90", END);
    }
    wire_expect("1: [200 grpc] <90> <90> <90> <90> [status=0] END 3: [200 grpc] <90> <90> <90> "
                "<90> [status=0] END "
                "5: [200 grpc] <90> <90> <90> <90> [status=0] END 7: [200 grpc] <90> <90> <90> "
                "<90> [status=0] END");
}

/* --- Client streaming --------------------------------------------------------------------- */

static void client_streaming(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    wire_request(1, "/test.Raw/Collect", 0);
    wire_message(1, "a", 0);
    wire_message(1, "bc", 0);
    wire_message(1, "", 0);
    wire_message(1, "def", END);
    wire_expect("1: [200 grpc] '4:6' [status=0] END {m1 m2 m0 m3 h}");
}

/* Peers' bug: a client-streaming call with zero messages fails. */
static void client_streaming_of_none(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    wire_request(1, "/test.Raw/Collect", END);
    wire_request(3, "/test.Raw/Collect", 0);
    wire_data(3, "", 0, END);
    wire_expect("1: [200 grpc] '0:0' [status=0] END {h} 3: [200 grpc] '0:0' [status=0] END {h}");
}

static void several_messages_in_one_frame(void)
{
    wire_begin(&large_server);
    wire.show = WIRE_EVENTS;
    wire_request(1, "/test.Large/Collect", 0);
    wire_data(1, "\0\0\0\0\1a\0\0\0\0\0\0\0\0\0\3bcd\0\0", 21, 0);
    wire_data(1, "\0\0\2ef\0\0\0\0\1g\0\0\0\0\1", 16, 0);
    wire_data(1, "h", 1, END);
    wire_expect("1: [200 grpc] '6:8' [status=0] END {m1 m0 m3 m2 m1 m1 h}");
}

/* --- Both --------------------------------------------------------------------------------- */

static void bidi(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    wire_request(1, "/test.Raw/Bidi", 0);
    wire_message(1, "a", 0);
    wire_message(1, "bc", 0);
    wire_message(1, "", END);
    wire_expect("1: [200 grpc] 'a' 'bc' '' [status=0] END {m1 m2 m0 h}");
}

static void bidi_of_none(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Bidi", END);
    wire_expect("1: [200 grpc status=0] END");
}

/* Peers' bug: server-speaks-first bidi is impossible. Nothing but HEADERS has come. */
static void server_speaks_first(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/First", 0);
    wire_expect("1: [200 grpc] 'welcome'");
    wire_do(NULL);
    wire_message(1, "hi", 0);
    wire_do(NULL);
    wire_data(1, "", 0, END);
    wire_expect("1: [200 grpc] 'welcome' 'hi' [status=0] END");
}

static void server_speaks_first_and_the_client_not_at_all(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/First", END);
    wire_do(NULL);
    wire_expect("1: [200 grpc] 'welcome' [status=0] END");
}

static void many_messages_in_one_frame_are_all_answered(void)
{
    static const char three[] = "\0\0\0\0\1a\0\0\0\0\1b\0\0\0\0\1c";
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Bidi", 0);
    for (unsigned i = 0; i < 3; i++) {
        wire_data(1, three, 18, i < 2 ? 0 : END);
    }
    wire_expect("1: [200 grpc] 'a' 'b' 'c' 'a' 'b' 'c' 'a' 'b' 'c' [status=0] END");
}

static void wake_1(void)
{
    CHECK_EQ(raw_wake(1), 0);
}

static void held_messages(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    wire_request(1, "/test.Raw/Hold", 0);
    wire_message(1, "a", 0);
    wire_message(1, "bc", 0);
    wire_message(1, "def", END);
    wire_expect("1: [200 grpc] 'a' {m1}");
    wire_do(wake_1);
    wire_expect("1: [200 grpc] 'a' 'bc' {m1 m2}");
    wire_do(wake_1);
    wire_expect("1: [200 grpc] 'a' 'bc' 'def' {m1 m2 m3}");
    wire_do(wake_1);
    wire_expect("1: [200 grpc] 'a' 'bc' 'def' [status=0] END {m1 m2 m3 h}");
}

int main(void)
{
    RUN(unary);
    RUN(unary_of_no_bytes);
    RUN(unary_of_the_largest_size);
    RUN(unary_in_many_frames);
    RUN(unary_ended_by_an_empty_frame);
    RUN(unary_ended_by_trailers);
    RUN(unary_padded);
    RUN(unary_with_two_messages);
    RUN(unary_without_a_message);
    RUN(requests_that_end_within_a_message);
    RUN(unary_whose_handler_gives_nothing);
    RUN(unary_finished_later);
    RUN(unary_failed_later);
    RUN(message_and_then_a_failure);
    RUN(pending_calls_hold_up_no_others);
    RUN(server_streaming);
    RUN(server_streaming_of_none);
    RUN(server_streaming_of_long_messages);
    RUN(server_streaming_pushed);
    RUN(server_streaming_pushed_nothing);
    RUN(four_lists_at_once);
    RUN(client_streaming);
    RUN(client_streaming_of_none);
    RUN(several_messages_in_one_frame);
    RUN(bidi);
    RUN(bidi_of_none);
    RUN(server_speaks_first);
    RUN(server_speaks_first_and_the_client_not_at_all);
    RUN(many_messages_in_one_frame_are_all_answered);
    RUN(held_messages);
    return test_end();
}
