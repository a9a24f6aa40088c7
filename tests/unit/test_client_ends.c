/* tests/unit/test_client_ends.c - calls that we make: resets, GOAWAY, limits, deadlines, attacks.
 * Layer: test. Source: RFC 9113 5, 6; gRPC "Retry".
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

/* --- Resets ------------------------------------------------------------------------------- */

static void resets(void)
{
    static const char *const expected[] = {"13", "13", "13", "13", "13", "13", "13",
                                           "14", "1",  "13", "13", "8",  "7",  "13"};
    for (uint32_t code = 0; code < 14; code++) {
        for (unsigned when = 0; when < 3; when++) {
            char text[300] = ECHO;
            if (code == NRPC_H2_REFUSED_STREAM && when == 0) {
                continue; /* tried again: see below */
            }
            raw_client_begin(echo);
            if (when > 0) {
                raw_answer(1);
            }
            if (when > 1) {
                wire_message(1, "hi", 0);
            }
            wire_number(NRPC_RST_STREAM, 1, code);
            strcat(strcat(text, when ? "1h 1=" : "1="), expected[code]);
            wire_expect(strcat(text, "(stream reset)"));
        }
    }
}

static void refused_is_tried_again_once(void)
{
    raw_client_begin(echo);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_REFUSED_STREAM);
    wire_do(NULL);
    raw_answer(3);
    wire_message(3, "hi", 0);
    raw_trailers(3, "0", NULL);
    wire_expect("1: " HEAD("Echo") " 'hi' END 3: " HEAD("Echo") " 'hi' END 1h 1'hi' 1=0");
    raw_client_begin(echo);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_REFUSED_STREAM);
    wire_do(NULL);
    wire_number(NRPC_RST_STREAM, 3, NRPC_H2_REFUSED_STREAM);
    wire_expect("1: " HEAD("Echo") " 'hi' END 3: " HEAD("Echo") " 'hi' END 1=14(stream reset)");
}

static void refused_after_a_second_request(void)
{
    raw_client_begin(write_two);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_REFUSED_STREAM);
    wire_expect("1: " HEAD("Collect") " 'one' 'two' END 1w 1=14(stream reset)");
}

static void tick(void)
{
    raw_client_tick(wire.now_ms);
}

static void server_that_answers_early(void)
{
    raw_client_begin(bidi);
    raw_answer(1);
    raw_trailers(1, "7", "no");
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_NO_ERROR);
    wire_do(tick);
    wire_expect("1: " HEAD("Bidi") " 1h 1=7(no)");
    raw_client_begin(bidi);
    raw_answer(1);
    raw_trailers(1, "7", "no");
    wire.show = WIRE_NO_ERROR;
    wire_expect("1: " HEAD("Bidi") " rst(NO_ERROR) 1h 1=7(no)");
}

/* Two calls that begin at once: which gets the first stream depends on the room to send it in. */
#if NRPC_FAST
#define IN_ORDER(text) "*"
#else
#define IN_ORDER(text) text
#endif

/* Ends the first call, and others take all slots, that one's as well. */
static void take_all_slots(void)
{
    CHECK_EQ(nrpc_call_finish(raw_client.calls[1], NRPC_CANCELLED, NULL), 0);
    wire_pump();
    CHECK_EQ(raw_client.n_done, 1);
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        echo();
    }
    wire_pump();
}

/* A message in two frames, and between these its call is given up: what is left of it is nobody's.
 * The part that had come was once told to the one who gave up. */
static void message_of_a_call_that_is_gone(void)
{
    raw_client_begin(echo);
    raw_answer(1);
    wire_frame(NRPC_HEADERS, END, 1, "\0\14grpc-message\13not", 18);
    wire_do(take_all_slots);
    wire_frame(NRPC_CONTINUATION, NRPC_END_HEADERS, 1, " for you\0\13grpc-status\0017", 23);
    for (uint32_t i = 0; i < NRPC_MAX_STREAMS; i++) {
        wire_field(":status", "200");
        wire_field("content-type", "application/grpc");
        wire_field("grpc-status", "7");
        wire_headers(3 + 2 * i, END);
    }
    (void)wire_run_once();
    CHECK_EQ(raw_client.n_done, 1 + NRPC_MAX_STREAMS);
    CHECK(strstr(raw_client_log(), "=7") != NULL);
    CHECK(strchr(raw_client_log(), '(') == NULL);
}

/* Trailers come before the turn that tells `done`. */
static void finish_before_trailers(void)
{
    static const char trailers[] = "\0\0\40\1\5\0\0\0\1"
                                   "\0\14grpc-message\2no\0\13grpc-status\0017";
    CHECK_EQ(nrpc_call_finish(raw_client.calls[1], NRPC_ABORTED, "mine"), 0);
    CHECK_EQ(wire_feed(trailers, sizeof trailers - 1), sizeof trailers - 1);
}

static void own_message_is_kept(void)
{
    raw_client_begin(echo);
    raw_answer(1);
    wire_do(finish_before_trailers);
    (void)wire_run_once();
    CHECK(strstr(raw_client_log(), "1=10(mine)") != NULL);
}

/* --- Limits ------------------------------------------------------------------------------- */

static void two(void)
{
    echo();
    echo();
}
static void streams_are_limited(void)
{
    raw_client_begin_bare(two);
    wire_setting(NRPC_MAX_CONCURRENT_STREAMS, 1);
    wire_do(NULL);
    raw_answer(1);
    wire_message(1, "hi", 0);
    raw_trailers(1, "0", NULL);
    wire_do(NULL);
    raw_answer(3);
    wire_message(3, "ho", 0);
    raw_trailers(3, "0", NULL);
    wire_expect(ECHO "3: " HEAD("Echo") " 'hi' END " IN_ORDER("1h 1'hi' 1=0 2h 2'ho' 2=0"));
    CHECK_EQ(raw_client.n_done, 2);
}

static void send_windows(void)
{
    raw_client_begin(echo);
    wire.n_in = wire.n_marks = 0;
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 6);
    wire_do(NULL);
    wire_number(NRPC_WINDOW_UPDATE, 1, 1);
    wire_do(NULL);
    raw_answer(1);
    wire_message(1, "hi", 0);
    raw_trailers(1, "0", NULL);
    wire_expect(ECHO "1h 1'hi' 1=0");
}

static void wake(void)
{
    CHECK_EQ(nrpc_call_wake(raw_client.calls[1]), 0);
}
static void list_held(void)
{
    list();
    raw_client.hold = 1 | 2;
}

static void held_replies(void)
{
    raw_client_begin(list_held);
    raw_answer(1);
    wire_message(1, "m0", 0);
    wire_message(1, "m1", 0);
    wire_message(1, "m2", 0);
    raw_trailers(1, "0", NULL);
    wire_do(wake);
    wire_do(NULL);
    wire_do(wake);
    wire_expect("1: " HEAD("List") " '3' END 1h 1'm0' 1'm1' 1'm2' 1=0");
}

/* All had come, then the link went. */
static void lose(void)
{
    nrpc_conn_lost(wire.conn);
}
static void wake_and_tick(void)
{
    wake();
    tick();
}

static void held_replies_outlive_the_link(void)
{
    raw_client_begin(list_held);
    raw_answer(1);
    wire_message(1, "m0", 0);
    wire_message(1, "m1", 0);
    wire_message(1, "m2", 0);
    raw_trailers(1, "0", NULL);
    wire_do(lose);
    wire_do(wake_and_tick);
    wire_do(wake_and_tick);
    CHECK_TEXT(strstr(wire_run_once(), "1h"), "1h 1'm0' 1'm1' 1'm2' 1=0");
}

static void fail_replies(void)
{
    list();
    raw_client.fails = 1;
}

static void reply_refused(void)
{
    raw_client_begin(fail_replies);
    raw_answer(1);
    wire_message(1, "m0", 0);
    wire_expect("1: " HEAD("List") " '3' END rst(CANCEL) 1h 1'm0' 1=15");
}

/* --- Ends that we bring about -------------------------------------------------------------- */

static void cancel(void)
{
    CHECK_EQ(nrpc_call_finish(raw_client.calls[1], NRPC_CANCELLED, "bored"), 0);
}

static void cancelled(void)
{
    raw_client_begin(echo);
    wire_do(cancel);
    wire_do(NULL);
    raw_answer(1); /* was on its way */
    wire_message(1, "hi", 0);
    raw_trailers(1, "0", NULL);
    wire_expect("1: " HEAD("Echo") " 'hi' END rst(CANCEL) 1=1(bored)");
}

static void echo_and_cancel(void)
{
    echo();
    cancel();
}

static void cancelled_before_it_left(void)
{
    raw_client_reset();
    echo_and_cancel();
    CHECK_TEXT(raw_client_log(), "");
    CHECK_EQ(raw_client_tick(0), 1000);
    CHECK_TEXT(raw_client_log(), "1=1(bored)");
}

/* Its `done` is owed, and its stream is gone. */
static void cancelled_and_reset_at_once(void)
{
    raw_client_begin(echo);
    wire_do(cancel);
    wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
    wire_do(tick);
    CHECK(strstr(wire_run_once(), "1=1(bored)") != NULL);
}

static void with_deadline(void)
{
    static const struct nrpc_call_options options = {.timeout_ms = 1500};
    CHECK(raw_start("Echo", "hi", &options));
}
static void expire(void)
{
    CHECK_EQ(raw_client_tick(wire.now_ms), 1000);
    wire.now_ms += 900;
    CHECK_EQ(raw_client_tick(wire.now_ms), 600);
    wire.now_ms += 600;
    raw_client_tick(wire.now_ms);
}

static void deadline(void)
{
    raw_client_begin(with_deadline);
    wire_do(expire);
    wire_do(NULL);
    wire_expect("1: [POST http /test.Raw/Echo @device te=trailers grpc grpc-timeout=1500m] 'hi' "
                "END rst(CANCEL) 1=4");
}

/* --- Attacks ------------------------------------------------------------------------------ */

static void wrong_first_frames(void)
{
    static const char *const texts[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0\4\1\0\0\0\0",
                                        "\0\0\10\6\0\0\0\0\0........"};
    for (unsigned i = 0; i < 3; i++) {
        raw_client_begin_bare(echo);
        wire_bytes(texts[i], i == 0 ? strlen(texts[0]) : i == 1 ? 9 : 17);
        wire_expect(i == 0 ? "goaway(0,FRAME_SIZE_ERROR)" : "goaway(0,PROTOCOL_ERROR)");
    }
}

/* RFC 9113 5.1: whether its call has had its last turn, or a reply is held, makes no difference. */
static void frames_after_the_end(void)
{
    for (unsigned i = 0; i < 4; i++) {
        raw_client_begin(i & 1 ? list_held : echo);
        raw_answer(1);
        wire_message(1, "hi", 0);
        if (i == 3) {
            wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL);
        } else {
            raw_trailers(1, "0", NULL);
        }
        if (i & 2) {
            wire_message(1, "more", 0);
        } else {
            raw_trailers(1, "0", NULL);
        }
        wire_expect("goaway(0,STREAM_CLOSED)");
    }
}

static void frames_that_no_server_sends(void)
{
    for (unsigned i = 0; i < 9; i++) {
        raw_client_begin(echo);
        switch (i) {
        case 0: wire_frame(NRPC_PUSH_PROMISE, NRPC_END_HEADERS, 1, "\0\0\0\2\x88", 5); break;
        case 1: raw_answer(3); break; /* idle */
        case 2: raw_answer(2); break; /* a server's */
        case 3: wire_message(3, "hi", 0); break;
        case 4: wire_setting(NRPC_ENABLE_PUSH, 1); break;
        case 5: wire_number(NRPC_RST_STREAM, 5, 0); break;
        case 6: wire_number(NRPC_WINDOW_UPDATE, 5, 1); break;
        case 7: wire_message(2, "hi", 0); break;
        default: wire_setting(NRPC_ENABLE_PUSH, 2); break;
        }
        wire_expect("goaway(0,PROTOCOL_ERROR)");
    }
    raw_client_begin(echo);
    wire_frame(NRPC_GOAWAY, 0, 0, "\0\0\0\1", 4);
    wire_expect("goaway(0,FRAME_SIZE_ERROR)");
    raw_client_begin(echo);
    wire_block("\xbe", 1); /* a table that we do not have */
    wire_headers(1, 0);
    wire_expect("goaway(0,COMPRESSION_ERROR)");
}

static void floods(void)
{
    for (unsigned k = 0; k < 5; k++) {
        raw_client_begin(echo);
        for (unsigned i = 0; i < NRPC_GLITCHES_MAX + 60; i++) {
            switch (k) {
            case 0: wire_ping("12345678"); break;
            case 1: wire_frame(NRPC_SETTINGS, 0, 0, NULL, 0); break;
            case 2: wire_goaway(0x7fffffff, 0); break;
            case 3:
                wire_field(":status", "100");
                wire_headers(1, 0);
                break;
            default: wire_number(NRPC_RST_STREAM, 1, NRPC_H2_CANCEL); break;
            }
        }
        CHECK(strstr(wire_run_once(), k ? "goaway(0,ENHANCE_YOUR_CALM)"
                                        : "goaway(0,ENHANCE_YOUR_CALM,too_many_pings)") != NULL);
    }
}

static void dead_link_ends_calls(void)
{
    raw_client_begin(two);
    wire_do(lose);
    CHECK(strstr(wire_run_once(), "1=14(connection lost) 2=14(connection lost)") != NULL);
}

/* It takes the link and says nothing. */
static void silent_server(void)
{
    raw_client_reset();
    echo();
    struct nrpc_conn *conn = raw_client_link(0);
    uint32_t now_ms = 0;
    while (!nrpc_conn_closing(conn) && now_ms < 2u * NRPC_STALL_TIMEOUT_MS) {
        uint8_t buf[256];
        (void)nrpc_conn_transmit(conn, buf, sizeof buf);
        now_ms += 500;
        nrpc_conn_tick(conn, now_ms);
        raw_client_tick(now_ms);
    }
    CHECK(now_ms >= NRPC_STALL_TIMEOUT_MS && now_ms <= NRPC_STALL_TIMEOUT_MS + 2000);
    CHECK_TEXT(raw_client_log(), "");
    nrpc_conn_lost(conn);
    raw_client_tick(now_ms);
    CHECK_TEXT(raw_client_log(), "1=14(no connection)");
}

/* --- More than one request on a connection ------------------------------------------------ */

static void again(void)
{
    echo();
}
static void other(void)
{
    list();
}

static void requests_become_short(void)
{
    static const uint8_t second[] = {0, 0, 6, 1, 4, 0, 0, 0, 3, 0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe};
    raw_client_begin(echo);
    raw_trailers(1, "1", NULL); /* malformed: no :status */
    wire_do(again);
    wire_do(other);
    wire_do(NULL);
    wire_expect("1: " HEAD("Echo") " 'hi' END rst(PROTOCOL_ERROR) 3: " HEAD(
        "Echo") " 'hi' END "
                "5: " HEAD("List") " '3' END 1=13(stream reset)*");
    wire_run_once();
    unsigned found = 0;
    for (size_t i = 0; i + sizeof second <= wire.n_out; i++) {
        found += memcmp(wire.out + i, second, sizeof second) == 0;
    }
    CHECK_EQ(found, 1);
}

static void server_without_a_table(void)
{
    raw_client_begin(two);
    wire.n_in = wire.n_marks = 0;
    wire_setting(NRPC_HEADER_TABLE_SIZE, 0);
    wire_do(NULL);
    wire_expect(ECHO "3: " HEAD("Echo") " 'hi' END ");
}

int main(void)
{
    RUN(resets);
    RUN(refused_is_tried_again_once);
    RUN(refused_after_a_second_request);
    RUN(server_that_answers_early);
    RUN(message_of_a_call_that_is_gone);
    RUN(own_message_is_kept);
    RUN(streams_are_limited);
    RUN(send_windows);
    RUN(held_replies);
    RUN(held_replies_outlive_the_link);
    RUN(reply_refused);
    RUN(cancelled);
    RUN(cancelled_before_it_left);
    RUN(cancelled_and_reset_at_once);
    RUN(deadline);
    RUN(wrong_first_frames);
    RUN(frames_after_the_end);
    RUN(frames_that_no_server_sends);
    RUN_LARGE(floods);
    RUN(dead_link_ends_calls);
    RUN(silent_server);
    RUN(requests_become_short);
    RUN(server_without_a_table);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
