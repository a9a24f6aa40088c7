/* tests/unit/test_ends.c - how calls end: status and message, refusals, clients that go.
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

/* --- Status and message ------------------------------------------------------------------- */

static void every_status(void)
{
    for (unsigned status = 1; status <= 16; status++) {
        char request[] = {(char)('A' + status), 0}, expected[64] = "1: [200 grpc status=";
        char digits[3] = {status > 9 ? '1' : (char)('0' + status),
                          status > 9 ? (char)('0' + status - 10) : 0, 0};
        one_message("/test.Raw/Fail", request);
        wire_expect(strcat(strcat(expected, digits), "] END {m1}"));
    }
}

static void status_over_16_is_unknown(void)
{
    one_message("/test.Raw/Fail", "R"); /* 17 */
    wire_expect("1: [200 grpc status=2] END {m1}");
}

/* What the device is told: nrpc_no_status, an E_AGAIN handed through above all. */
static int no_status;
static struct nrpc_call *no_status_call;

void nrpc_no_status(struct nrpc_call *call, int value)
{
    no_status_call = call;
    no_status = value;
}

static void finish_with_an_error(void)
{
    struct nrpc_call *call = raw_call(1);
    CHECK_EQ(raw_finish(1, (enum nrpc_status)NRPC_E_AGAIN, NULL), 0);
    CHECK(no_status_call == nrpc_call_out(call));
}

static void device_is_told_of_no_status(void)
{
    no_status = 0;
    one_message("/test.Raw/Fail", "Q"); /* 16 */
    wire_expect("1: [200 grpc status=16] END {m1}");
    CHECK_EQ(no_status, 0);
    one_message("/test.Raw/Fail", "R");
    wire_expect("1: [200 grpc status=2] END {m1}");
    CHECK_EQ(no_status, 17);
    one_message("/test.Raw/Later", "x");
    wire_do(finish_with_an_error);
    wire_expect("1: [200 grpc status=2] END {m1}");
    CHECK_EQ(no_status, NRPC_E_AGAIN);
}

/* A codec's `next` that says there is a message, and gives none. */
static enum nrpc_status take_it(struct nrpc_call *call, const uint8_t *data, size_t n)
{
    (void)call;
    (void)data;
    (void)n;
    return NRPC_OK;
}
static enum nrpc_status more(struct nrpc_call *call)
{
    (void)call;
    return NRPC_MORE;
}
static void cancelled(struct nrpc_call *call, enum nrpc_status why)
{
    (void)call;
    (void)why;
}
static const struct nrpc_codec more_codec = {.message = take_it, .next = more};
static const struct nrpc_method more_methods[] = {
    {.codec = &more_codec, .cancelled = cancelled, .kind = NRPC_SERVER_STREAM}};
static const struct nrpc_service More_service = {
    .path = "/test.More/", .method_names = "\200More\377", .methods = more_methods};
enum { More_service_REQUEST_BYTES = 8, More_service_REPLY_BYTES = 8 };
union More_service_request {
    uint8_t m0;
};
union More_service_reply {
    uint8_t m0;
};
NRPC_SERVER_DEFINE(more_server, 1, More_service);

static void more_without_a_message(void)
{
    wire_begin(&more_server);
    wire_request(1, "/test.More/More", 0);
    wire_message(1, "x", END);
    wire_expect("1: [200 grpc status=13] END");
}

/* The last frame of a message leaves less room than trailers may need. */
static void send_and_finish(void)
{
    static char text[NRPC_METADATA_BYTES + RAW_REPLY_BYTES + 1];
#if NRPC_METADATA_BYTES
    memset(text, 'v', NRPC_METADATA_BYTES);
    CHECK_EQ(nrpc_call_add_trailer(raw_call(1), "x-trailer", text, NRPC_METADATA_BYTES - 8 - 9), 0);
#endif
    memset(text, 'm', RAW_REPLY_BYTES);
    text[RAW_REPLY_BYTES] = '\0';
    CHECK_EQ(raw_send(1, text), 0);
    CHECK_EQ(raw_finish(1, NRPC_ABORTED, "0123456789abcdefghijklmnopqrstuvwxyz0123456789ab"), 0);
}

static void room_for_trailers(void)
{
    for (size_t room = NRPC_TRANSMIT_MIN; room < NRPC_TRANSMIT_MIN + 120; room++) {
        wire_begin(&raw_server);
        wire_request(1, "/test.Raw/Push", 0);
        wire_message(1, "x", END);
        wire.room = room;
        test_context("room", (long)room);
        wire_open();
        wire_feed_all();
        send_and_finish();
        wire_pump();
        const char *text = wire_text();
        CHECK(strncmp(text, "1: [200 grpc] <?100> [status=10 message=0123", 44) == 0);
        CHECK(strcmp(text + strlen(text) - 4, " END") == 0);
        wire_close();
    }
    wire.room = 1024;
}

static void message_is_percent_encoded(void)
{
    one_message("/test.Raw/Fail", "D 100% \303\244\n~!\177");
    wire_expect("1: [200 grpc status=3 message=100%25 %C3%A4%0A~!%7F] END {m13}");
}

static void message_over_its_limit_is_cut(void)
{
    one_message("/test.Raw/Fail", "D 0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmn");
    wire_expect("1: [200 grpc status=3 message=0123456789abcdefghijklmnopqrstuvwxyz0123456789ab] "
                "END {m62}");
}

/* 45 bytes, then one that takes three on the wire and one that would not fit. */
static void message_is_not_cut_within_an_escape(void)
{
    one_message("/test.Raw/Fail", "D 0123456789abcdefghijklmnopqrstuvwxyz0123456789%!");
    wire_expect(
        "1: [200 grpc status=3 message=0123456789abcdefghijklmnopqrstuvwxyz0123456789] END {m50}");
    one_message("/test.Raw/Fail", "D 0123456789abcdefghijklmnopqrstuvwxyz012345678%!");
    wire_expect("1: [200 grpc status=3 message=0123456789abcdefghijklmnopqrstuvwxyz012345678%25] "
                "END {m49}");
}

/* Nor between the bytes of one character: 41 bytes, then two of the three of a euro sign
 * would fit. */
static void message_is_not_cut_within_a_character(void)
{
    one_message("/test.Raw/Fail", "D 0123456789abcdefghijklmnopqrstuvwxyz01234\342\202\254");
    wire_expect(
        "1: [200 grpc status=3 message=0123456789abcdefghijklmnopqrstuvwxyz01234] END {m46}");
}

/* --- Not a call --------------------------------------------------------------------------- */

static void unknown_methods(void)
{
    static const char *const paths[] = {
        "/test.Raw/Nope",
        "/test.Raw/",
        "/test.Raw",
        "/test.Raw/Ech",
        "/test.Raw/Echo2",
        "/test.Large/Echo",
        "/nobody.Here/Knows",
        "/",
        "/*",
        "/test.Raw/NEcho",
        "/test.Raw//Echo",
        "/TEST.Raw/Echo",
    };
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        one_message(paths[i], "hi");
        wire_expect("1: [200 grpc status=12 message=unknown method] END {}");
    }
}

static void compressed_flag_without_encoding(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_data(1, "\1\0\0\0\1x", 6, END);
    wire_expect("1: [200 grpc status=13 message=*] END");
}

/* A method that was left out says so to a client that has sent nothing yet. */
static void absent_method_of_a_silent_client(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Gone", 0);
    wire.show = WIRE_NO_ERROR;
    wire_expect("1: [200 grpc status=12] END rst(NO_ERROR)");
}

static void unknown_encoding(void)
{
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_field("grpc-encoding", "gzip");
    wire_headers(1, 0);
    wire_data(1, "\1\0\0\0\1x", 6, END);
    wire_expect("1: [200 grpc grpc-accept-encoding=identity status=12 message=*] END");
}

static void identity_is_an_encoding(void)
{
    wire_begin(&raw_server);
    wire_request_fields(ECHO);
    wire_field("grpc-encoding", "identity");
    wire_field("grpc-accept-encoding", "gzip, identity");
    wire_headers(1, 0);
    wire_message(1, "hi", END);
    wire_expect("1: [200 grpc] 'hi' [status=0] END");
}

/* Peers' bug: the message length goes unchecked to an allocator. */
static void message_over_the_limit(void)
{
    static const char *const heads[] = {"\0\0\0\0\x41", "\0\0\0\1\0", "\0\xff\xff\xff\xff",
                                        "\0\x80\0\0\0", "\0\xff\xff\xff\xfb"};
    static const char *const methods[] = {ECHO, "/test.Raw/List", "/test.Raw/Collect",
                                          "/test.Raw/Bidi"};
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned k = 0; k < 4; k++) {
            wire_begin(&raw_server);
            wire.show = WIRE_EVENTS;
            wire_request(1, methods[k], 0);
            wire_data(1, heads[i], 5, 0);
            wire_data(1, "0123456789", 10, 0);
            wire_expect("1: [200 grpc status=8 message=*] END {c8}");
        }
    }
}

/* The engine ends a call that its handler has begun: the handler keeps `call`, so it must
 * be told. */
static void handler_is_told_of_every_end(void)
{
    static const char *const endings[] = {"\1\0\0\0\1x", "\0\xff\xff\xff\xff!", "\0\0\0\0\2x"};
    for (unsigned i = 0; i < 3; i++) {
        wire_begin(&raw_server);
        wire.show = WIRE_EVENTS;
        wire_request(1, "/test.Raw/Collect", 0);
        wire_message(1, "a", 0);
        wire_data(1, endings[i], 6, END);
        wire_run_once();
        CHECK_EQ(raw.n_events, 2);
        CHECK_EQ(raw.events[1].what, 'c');
    }
}

/* --- The client goes ---------------------------------------------------------------------- */

static void cancelled_calls(void)
{
    static const char *const methods[] = {"/test.Raw/Later", "/test.Raw/Push", "/test.Raw/Hold",
                                          "/test.Raw/Hold"};
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    for (uint32_t i = 0; i < 4; i++) {
        wire_request(1 + 2 * i, methods[i], 0);
        wire_message(1 + 2 * i, "x", i == 3 ? 0 : END);
    }
    wire_do(NULL);
    for (uint32_t i = 0; i < 4; i++) {
        wire_number(NRPC_RST_STREAM, 1 + 2 * i, NRPC_H2_CANCEL);
    }
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL); /* once more */
    wire_request(9, ECHO, 0);
    wire_message(9, "still here", END);
    wire_expect("1: {m1 c1} 3: {m1 c1} 5: [200 grpc] 'x' {m1 c1} 7: [200 grpc] 'x' {m1 c1} "
                "9: [200 grpc] 'still here' [status=0] END {m10}");
}

static void cancelled_before_anything_was_delivered(void)
{
    wire_begin(&raw_server);
    wire_request(1, ECHO, 0);
    wire_data(1, "\0\0\0", 3, 0);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_do(NULL);
    wire_expect("");
    CHECK_EQ(raw.n_events, 1);
    CHECK_EQ(raw.n_cancelled, 1);
}

/* The connection is lost: each open call is told once, finished ones are not. */
static void lost_connection(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Later", 0);
    wire_message(1, "x", END);
    wire_request(3, ECHO, 0);
    wire_message(3, "x", END);
    wire_request(5, "/test.Raw/Push", 0);
    wire_message(5, "x", END);
    wire_run_once();
    CHECK_EQ(raw.n_cancelled, 2);
    CHECK_EQ(raw.events[raw.n_events - 1].number, NRPC_UNAVAILABLE);
    CHECK_EQ(raw.events[raw.n_events - 2].number, NRPC_UNAVAILABLE);
}

/* Finished, but its answer has not left when the client cancels: nobody is told, nothing leaks. */
static void block(void)
{
    wire.is_blocked = 1;
}

static void unblock(void)
{
    wire.is_blocked = 0;
}

static void cancelled_after_its_end(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_EVENTS;
    wire_do(block);
    wire_request(1, ECHO, 0);
    wire_message(1, "x", END);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_do(unblock);
    wire_expect("1: {m1}");
}

/* A slot is taken again while it still stands in the queue of those that may send. */
static void slot_freed_while_it_waits_for_its_turn(void)
{
    wire_begin(&raw_server);
    wire_do(block);
    for (uint32_t id = 1; id < 9; id += 2) {
        wire_request(id, ECHO, 0);
        wire_message(id, "old", END);
    }
    wire_number(NRPC_RST_STREAM, 3, NRPC_H2_CANCEL);
    wire_request(9, ECHO, 0);
    wire_message(9, "new", END);
    wire_do(unblock);
    wire_expect("1: [200 grpc] 'old' [status=0] END 5: [200 grpc] 'old' [status=0] END "
                "7: [200 grpc] 'old' [status=0] END 9: [200 grpc] 'new' [status=0] END");
}

/* Finished before the client's END_STREAM: trailers, then RST_STREAM(NO_ERROR); what is still on
 * its way is dropped, and a new call takes the slot. */
static void early_end(void)
{
    wire_begin(&raw_server);
    wire.show = WIRE_NO_ERROR;
    wire_request(1, "/nobody/knows", 0);
    wire_do(NULL);
    wire_message(1, "dropped", 0);
    for (uint32_t id = 3; id < 13; id += 2) {
        wire_request(id, ECHO, 0);
        wire_message(id, "x", END);
        wire_do(NULL);
    }
    wire_message(1, "dropped too", END);
    wire_expect(
        "1: [200 grpc status=12 message=*] END rst(NO_ERROR) 3: [200 grpc] 'x' [status=0] END "
        "5: [200 grpc] 'x' [status=0] END 7: [200 grpc] 'x' [status=0] END "
        "9: [200 grpc] 'x' [status=0] END 11: [200 grpc] 'x' [status=0] END");
}

/* What comes for it is still looked at, as h2spec wants: it must not matter whether our answer was
 * faster. */
static void answered_request(const char *content_length)
{
    wire_begin_acked(&raw_server);
    wire.show = WIRE_NO_ERROR;
    wire_field(":method", "GET");
    wire_field(":scheme", "http");
    wire_field(":path", "/");
    if (content_length) {
        wire_field("content-length", content_length);
    }
    wire_headers(1, 0);
    wire_do(NULL);
}

static void rest_of_a_request_that_is_answered(void)
{
    static const char body[16384];
    answered_request("16384");
    wire.show |= WIRE_WINDOWS;
    wire_data(1, body, sizeof body, END);
    wire_request(3, ECHO, 0);
    wire_message(3, "x", END);
    wire_expect("1: [405] '405*' END window+1073741824 3: [200 grpc] 'x' [status=0] END");
}

static void wrong_rest_of_a_request(void)
{
    answered_request("4"); /* http2/8.1.2.6 */
    wire_data(1, "test", 4, 0);
    wire_data(1, "test", 4, 0);
    wire_data(1, "test", 4, END);
    wire_expect("1: [405] '405*' END rst(PROTOCOL_ERROR)");
    answered_request(NULL); /* http2/6.1/3 */
    wire_frame(NRPC_DATA, NRPC_PADDED, 1, "\4pad", 4);
    wire_expect("goaway(1,PROTOCOL_ERROR)");
    answered_request(NULL); /* http2/5.1/8 */
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_data(1, "test", 4, 0);
    wire_expect("1: [405] '405*' END rst(STREAM_CLOSED)");
    answered_request(NULL); /* http2/6.9/2 */
    wire_number(NRPC_WINDOW_UPDATE, 1, 0);
    wire_expect("1: [405] '405*' END rst(PROTOCOL_ERROR)");
    answered_request(NULL); /* http2/6.9.1/3 */
    wire_number(NRPC_WINDOW_UPDATE, 1, 0x7fffffff);
    wire_expect("1: [405] '405*' END rst(FLOW_CONTROL_ERROR)");
}

int main(void)
{
    RUN(every_status);
    RUN(status_over_16_is_unknown);
    RUN(device_is_told_of_no_status);
    RUN(more_without_a_message);
    RUN(room_for_trailers);
    RUN(message_is_percent_encoded);
    RUN(message_over_its_limit_is_cut);
    RUN(message_is_not_cut_within_an_escape);
    RUN(message_is_not_cut_within_a_character);
    RUN(unknown_methods);
    RUN(compressed_flag_without_encoding);
    RUN(absent_method_of_a_silent_client);
    RUN(unknown_encoding);
    RUN(identity_is_an_encoding);
    RUN(message_over_the_limit);
    RUN(handler_is_told_of_every_end);
    RUN(cancelled_calls);
    RUN(cancelled_before_anything_was_delivered);
    RUN(lost_connection);
    RUN(cancelled_after_its_end);
    RUN(slot_freed_while_it_waits_for_its_turn);
    RUN(early_end);
    RUN_LARGE(rest_of_a_request_that_is_answered);
    RUN(wrong_rest_of_a_request);
    return test_end();
}
