/* tests/unit/test_peers.c - what was wrong in other servers, and in this one as it was made.
 * Layer: test. Source: "Bugs found by reading peers"; a mended bug leaves its test here.
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

/* --- Other servers ------------------------------------------------------------------------ */

static void window_update_of_0_or_too_much_deadlocks(void)
{
    wire_begin(&raw_server);
    wire_number(NRPC_WINDOW_UPDATE, 0, 0);
    wire_expect("goaway(*,PROTOCOL_ERROR)");
    wire_begin(&raw_server);
    wire_number(NRPC_WINDOW_UPDATE, 0, 0x7fffffff);
    wire_expect("goaway(*,FLOW_CONTROL_ERROR)");
}

/* The check forgot the 5-byte prefix: with 0 to 4 bytes left the response was lost. */
static void response_is_lost_in_a_small_window(void)
{
    for (uint32_t left = 0; left < 5; left++) {
        wire_begin(&large_server);
        wire_setting(NRPC_INITIAL_WINDOW_SIZE, 100000);
        request(1, "/test.Large/List", "1:39995"); /* 40000 */
        request(3, "/test.Large/List",
                left == 0   ? "1:25530"
                : left == 1 ? "1:25529"
                : left == 2 ? "1:25528"
                : left == 3 ? "1:25527"
                            : "1:25526"); /* 65535 - left */
        wire_do(NULL);
        request(5, "/test.Large/Echo", "hi");
        wire_do(NULL);
        wire_number(NRPC_WINDOW_UPDATE, 0, 7 - left);
        const char *text = wire_run_once();
        CHECK(strstr(text, "5: [200 grpc] 'hi' [status=0] END") != NULL);
    }
}

static void message_over_the_window_waits_for_ever(void)
{
    wire_begin(&large_server);
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 1000);
    request(1, "/test.Large/List", "1:3000");
    for (unsigned i = 0; i < 3; i++) {
        wire_do(NULL);
        wire_number(NRPC_WINDOW_UPDATE, 1, 1000);
    }
    wire_expect("acks=2 1: [200 grpc] <3000> [status=0] END");
}

static void receive_windows_are_never_enforced(void)
{
    static const uint8_t zeros[70];
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_data(1, zeros, 70, 0); /* the window is 69 */
    request(3, ECHO, "alive");
    wire_expect("1: rst(FLOW_CONTROL_ERROR) 3: [200 grpc] 'alive' [status=0] END");
}

static void unknown_frame_type_desynchronises(void)
{
    wire_begin(&raw_server);
    wire_frame(0x99, 0x2d, 7, "PRI * HTTP/2.0", 14);
    request(1, ECHO, "alive");
    wire_expect("1: [200 grpc] 'alive' [status=0] END");
}

static void client_streaming_of_zero_messages_fails(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Collect", END);
    wire_expect("1: [200 grpc] '0:0' [status=0] END");
}

static void server_cannot_speak_first(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/First", 0);
    wire_expect("1: [200 grpc] 'welcome'");
}

static void field_over_127_bytes_kills_the_connection(void)
{
    static char value[300];
    memset(value, 'v', sizeof value - 1);
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_field("x-long", value);
    wire_headers(1, 0);
    wire_message(1, "alive", END);
    wire_expect("1: [200 grpc] 'alive' [status=0] END");
}

static void indexed_path_kills_the_connection(void)
{
    wire_begin(&raw_server);
    wire_block("\x83\x86\x44\x0e" ECHO "\x5f\x10"
               "application/grpc",
               4 + 14 + 2 + 16);
    wire_headers(1, 0);
    wire_message(1, "literal", END);
    wire_block("\x83\x86\xbf\xbe", 4);
    wire_headers(3, 0);
    wire_message(3, "indexed", END);
    wire_block("\x83\x86\x84\xbe", 4); /* "/", from the static table */
    wire_headers(5, END);
    wire_expect("1: [200 grpc] 'literal' [status=0] END 3: [200 grpc] 'indexed' [status=0] END "
                "5: [200 grpc status=12 message=*] END");
}

/* 2^32 + 2, which modulo 2^32 is ":method GET", and lengths alike. */
static void hpack_integer_wraps(void)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {{"\xff\x83\xff\xff\xff\x0f", 6},
                {"\x04\xff\x82\xff\xff\xff\x0f/", 8},
                {"\x3f\xe1\xff\xff\xff\x0f", 6}};
    for (unsigned i = 0; i < 3; i++) {
        wire_begin(&raw_server);
        wire_block(rows[i].bytes, rows[i].n);
        wire_headers(1, END);
        wire_expect("goaway(*,COMPRESSION_ERROR)");
    }
}

static void message_length_goes_unchecked(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_data(1, "\0\xff\xff\xff\xff", 5, END);
    request(3, ECHO, "alive");
    wire_expect("1: [200 grpc status=8 message=*] END 3: [200 grpc] 'alive' [status=0] END");
}

static void dynamic_index_is_ignored(void)
{
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_block("\xbe", 1);
    wire_headers(1, 0);
    wire_expect("goaway(*,COMPRESSION_ERROR)");
}

static void continuation_closes_the_connection(void)
{
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_headers_in_pieces(1, 0, 20);
    wire_message(1, "alive", END);
    wire_expect("1: [200 grpc] 'alive' [status=0] END");
}

/* --- This one ----------------------------------------------------------------------------- */

/* A stream's slot kept the status message of the call before. */
static void status_message_of_the_call_before(void)
{
    wire_begin(&raw_server);
    for (uint32_t id = 1; id < 2 * NRPC_MAX_STREAMS; id += 2) {
        request(id, "/test.Raw/Fail", "D old");
    }
    wire_do(NULL);
    request(31, ECHO, "new");
    request(33, "/test.Raw/Fail", "D");
    wire_expect("1: [200 grpc status=3 message=old] END 3: [200 grpc status=3 message=old] END "
                "5: [200 grpc status=3 message=old] END 7: [200 grpc status=3 message=old] END "
                "31: [200 grpc] 'new' [status=0] END 33: [200 grpc status=3] END");
}

/* An empty frame that had to wait for a reset to leave was not looked at before more bytes came. */
static void empty_frame_behind_an_answer(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_message(1, "x", 0);
    wire_request(3, "", END);
    wire_request(5, "", END);
    wire_data(1, "", 0, END);
    wire_expect("1: [200 grpc] 'x' [status=0] END 3: rst(PROTOCOL_ERROR) 5: rst(PROTOCOL_ERROR)");
}

/* Window was granted for the bytes of a frame that had been announced and had not come yet. */
static void window_within_a_frame(void)
{
    wire_begin_acked(&raw_server);
    wire.show = WIRE_WINDOWS;
    wire_request(1, "/test.Raw/Hold", 0);
    wire_message(1, "x", 0);
    wire_do(NULL);
    wire_long_message(1, 60, 0);
    wire_expect("1: [200 grpc] 'x' window+6");
}

/* The next list of names began to match after a method that had failed. */
static void method_that_failed_before_its_end(void)
{
    wire_begin(&raw_server);
    request(1, "/test.Raw/Nope", "x");
    request(3, "/test.Raw/XEcho", "x");
    wire_expect("1: [200 grpc status=12 message=*] END 3: [200 grpc status=12 message=*] END");
}

int main(void)
{
    RUN(window_update_of_0_or_too_much_deadlocks);
    RUN(response_is_lost_in_a_small_window);
    RUN(message_over_the_window_waits_for_ever);
    RUN(receive_windows_are_never_enforced);
    RUN(unknown_frame_type_desynchronises);
    RUN(client_streaming_of_zero_messages_fails);
    RUN(server_cannot_speak_first);
    RUN(field_over_127_bytes_kills_the_connection);
    RUN(indexed_path_kills_the_connection);
    RUN(hpack_integer_wraps);
    RUN(message_length_goes_unchecked);
    RUN(dynamic_index_is_ignored);
    RUN(continuation_closes_the_connection);
    RUN(status_message_of_the_call_before);
    RUN(empty_frame_behind_an_answer);
    RUN(window_within_a_frame);
    RUN(method_that_failed_before_its_end);
    return test_end();
}
