/* tests/unit/test_produced.c - streamed fields that go out: room, window, waiting, failing.
 * Layer: test. Source: nanorpc/streamed.h; proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_PIECES
#include <string.h>

#include "blobs_service.h"

#define END NRPC_END_STREAM

/* --- Going out ------------------------------------------------------------------------------ */

static void unary_out(void)
{
    blobs_begin();
    blobs_ask(1, GET, 10, 0);
    wire_expect("1: [200 grpc] '\\0a\\03x/y\\12\\0aabcdefghij\\18\\07' [status=0] END");
    CHECK_EQ(calls[0].cancelled, 0);
}

static void unary_out_byte_by_byte(void)
{
    blobs_begin();
    how.piece = 1;
    blobs_ask(1, GET, 10, 0);
    wire_expect("1: [200 grpc] '\\0a\\03x/y\\12\\0aabcdefghij\\18\\07' [status=0] END");
}

static void unary_out_of_none(void)
{
    blobs_begin();
    blobs_ask(1, GET, 0, 0);
    blobs_ask(3, GET, 5, 1); /* no length was given */
    wire_expect("1: [200 grpc] '\\0a\\03x/y\\12\\00\\18\\07' [status=0] END 3: [200 grpc] "
                "'\\0a\\03x/y\\18\\07' [status=0] END");
}

static void nested_out(void)
{
    blobs_begin();
    blobs_ask(1, GET_ALL, 3, 2);
    wire_expect("1: [200 grpc] '\\12\\07\\12\\03abc\\18\\07\\1a\\04tail' "
                "'\\12\\07\\12\\03abc\\18\\07\\1a\\04tail' [status=0] END");
}

/* Far larger than any block and window. */
static void large_out(void)
{
    blobs_begin();
    wire_setting(NRPC_INITIAL_WINDOW_SIZE, 200000);
    wire_number(NRPC_WINDOW_UPDATE, 0, 200000);
    blobs_ask(1, GET, 100000, 0);
    /* Where size_t has 16 bits a field has 32767 bytes at most. */
    CHECK_TEXT(wire_run_once(),
               TEST_SIZE("acks=2 1: [200 grpc] <?100011> [status=0] END",
                         "acks=2 1: [200 grpc status=13 message=reply too large] END"));
    CHECK_EQ(calls[0].made, TEST_SIZE(100000, 0));
}

static void too_large_out(void)
{
    blobs_begin();
    blobs_ask(1, GET, 0x80000000u, 0);
    wire_expect("1: [200 grpc status=13 message=reply too large] END");
}

/* As much as the window allows, whatever the place where it stops. */
static void small_windows_out(void)
{
    for (uint32_t window = 1; window < 40; window++) {
        test_context("window", (long)window);
        blobs_begin();
        wire_setting(NRPC_INITIAL_WINDOW_SIZE, window);
        blobs_ask(1, GET_ALL, 13, 1);
        for (unsigned i = 0; i < 30 / window + 1; i++) {
            wire_number(NRPC_WINDOW_UPDATE, 1, window);
        }
        wire_expect("acks=2 1: [200 grpc] '\\12\\11\\12\\0dabcdefghijklm\\18\\07\\1a\\04tail' "
                    "[status=0] END");
    }
    test_context(NULL, 0);
}

static void pushed(void)
{
    blobs_begin();
    how.push = 1;
    blobs_ask(1, GET_ALL, 3, 1);
    wire_expect("1: [200 grpc] '\\12\\07\\12\\03abc\\18\\07\\1a\\04tail' [status=0] END");
    CHECK_EQ(calls[0].cancelled, 0);
}

static void wake_the_producer(void)
{
    if (calls[0].call && !calls[0].cancelled) {
        CHECK_EQ(calls[0].waits, 1);
        CHECK_EQ(nrpc_call_wake(calls[0].call), 0);
    }
}

static void forget(void)
{
    memset(calls, 0, sizeof calls);
}

static void producers_that_wait(void)
{
    static const char *const paths[] = {GET, GET_ALL};
    for (unsigned i = 0; i < 2; i++) {
        for (uint32_t at = 0; at < 4; at++) {
            test_context(paths[i], (long)at);
            blobs_begin();
            how.wait_at = at;
            how.piece = 1;
            how.push = 1;
            wire_do(forget);
            blobs_ask(1, paths[i], 4, 0);
            wire_do(wake_the_producer);
            wire_expect(
                i ? "1: [200 grpc] '\\12\\08\\12\\04abcd\\18\\07\\1a\\04tail' [status=0] END"
                  : "1: [200 grpc] '\\0a\\03x/y\\12\\04abcd\\18\\07' [status=0] END");
        }
    }
    test_context(NULL, 0);
}

/* One that waits keeps the connection from nothing, and is not taken for one that stalls. */
static void a_waiting_producer_does_not_stall(void)
{
    blobs_begin();
    how.wait_at = 2;
    blobs_ask(1, GET, 4, 0);
    how.piece = 1;
    wire_open();
    CHECK(wire_feed_all());
    for (unsigned i = 0; i < 100; i++) {
        wire.now_ms += 1000;
        (void)nrpc_conn_tick(wire.conn, wire.now_ms);
        wire_pump();
    }
    CHECK(!nrpc_conn_closing(wire.conn));
    CHECK_EQ(nrpc_call_wake(calls[0].call), 0);
    wire_pump();
    CHECK_TEXT(wire_text(), "1: [200 grpc] '\\0a\\03x/y\\12\\04abcd\\18\\07' [status=0] END");
    wire_close();
}

/* A message cannot be taken back: it ends where its producer failed, and the status says why. */
static void producers_that_fail(void)
{
    blobs_begin();
    how.fail_at = 2;
    how.piece = 1;
    blobs_ask(1, GET, 4, 0);
    wire_expect("1: [200 grpc] <9/13> [status=15 message=no more of it] END");
    CHECK_EQ(calls[0].cancelled, 0);
}

static void producers_that_end_well(void)
{
    blobs_begin();
    how.end_at = 3;
    how.piece = 1;
    blobs_ask(1, GET_ALL, 4, 5);
    wire_expect("1: [200 grpc] '\\12\\08\\12\\04abcd\\18\\07\\1a\\04tail' [status=0] END");
}

/* Lost, reset while they wait or wait for a window: told once. */
static void producers_that_are_cancelled(void)
{
    static const char *const paths[] = {GET, GET_ALL};
    for (unsigned i = 0; i < 4; i++) {
        test_context("run", (long)i);
        blobs_begin();
        how.push = 1;
        how.wait_at = i & 1 ? 2 : UINT32_MAX;
        how.piece = 1;
        if (!(i & 1)) {
            wire_setting(NRPC_INITIAL_WINDOW_SIZE, 14);
        }
        blobs_ask(1, paths[i / 2], 20, 0);
        wire_do(NULL);
        wire_number(NRPC_RST_STREAM, 1, 8);
        (void)wire_run_once();
        CHECK_EQ(calls[0].cancelled, 101);
        CHECK(calls[0].made < 20);
    }
    test_context(NULL, 0);
}

/* --- Both ways ------------------------------------------------------------------------------ */

static void exchange(void)
{
    blobs_begin();
    wire_request(1, EXCHANGE, 0);
    for (uint32_t i = 1; i < 4; i++) {
        blobs_n = 0;
        blobs_put("\x18\x05", 2);
        blobs_put_data(i);
        blobs_send(1, 4000, i == 3 ? END : 0);
    }
    wire_expect("1: [200 grpc] '\\12\\01a\\18\\05' '\\12\\02ab\\18\\05' '\\12\\03abc\\18\\05' "
                "[status=0] END");
}

static void calls_side_by_side(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_ask(3, GET, 5, 0);
    blobs_ask(5, GET_ALL, 2, 1);
    blobs_named(30);
    blobs_send(1, 7, END);
    wire_expect("1: [200 grpc] '\\08\\01\\10\\1e\\18\\09\"\\04name*\\04note2\\01t' [status=0] END "
                "3: [200 grpc] '\\0a\\03x/y\\12\\05abcde\\18\\07' [status=0] END "
                "5: [200 grpc] '\\12\\06\\12\\02ab\\18\\07\\1a\\04tail' [status=0] END");
}

/* --- Compressed ------------------------------------------------------------------------------ */

#if NRPC_COMPRESSION
static void ask_compressed(const char *path, uint32_t bytes, uint32_t count)
{
    blobs_begin();
    how.compress = 1;
    blobs_ask(1, path, bytes, count);
}

/* However much is made at once, what stands around the field is right. */
static void what_fits_its_block(void)
{
    for (uint32_t piece = 1; piece <= 200; piece = piece * 7 + 1) {
        test_context("piece", (long)piece);
        ask_compressed(GET, 200, 0);
        how.piece = piece;
        wire_expect("1: [200 grpc grpc-encoding=gzip] gzip <?210> [status=0] END");
        ask_compressed(GET_ALL, 100, 2);
        how.piece = piece;
        wire_expect("1: [200 grpc grpc-encoding=gzip] gzip <?112> gzip <?112> [status=0] END");
    }
    test_context(NULL, 0);
}

static void what_does_not(void)
{
    ask_compressed(GET, 3, 0); /* would not become smaller */
    wire_expect("1: [200 grpc grpc-encoding=gzip] '\\0a\\03x/y\\12\\03abc\\18\\07' [status=0] END");
    ask_compressed(GET, 1000, 0); /* is larger than the block */
    wire_expect("1: [200 grpc grpc-encoding=gzip] <?1010> [status=0] END");
}

/* Goes on as it is, from what has been made already. */
static void what_has_to_wait(void)
{
    for (uint32_t at = 0; at < 4; at++) {
        test_context("at", (long)at);
        ask_compressed(GET_ALL, 4, 1);
        how.wait_at = at;
        how.piece = 1;
        CHECK_TEXT(wire_run_once(), "1: [200 grpc grpc-encoding=gzip] "
                                    "'\\12\\08\\12\\04abcd\\18\\07\\1a\\04tail' [status=0] END");
        CHECK_EQ(calls[0].waits, 1);
    }
    test_context(NULL, 0);
}

/* Nothing of the message has left. */
static void what_fails(void)
{
    ask_compressed(GET, 100, 0);
    how.fail_at = 50;
    how.piece = 10;
    wire_expect("1: [200 grpc grpc-encoding=gzip status=15 message=no more of it] END");
    CHECK_EQ(calls[0].cancelled, 0);
    ask_compressed(GET_ALL, 100, 2);
    how.fail_at = 50;
    how.piece = 10;
    wire_expect("1: [200 grpc grpc-encoding=gzip status=15 message=no more of it] END");
    CHECK_EQ(calls[0].cancelled, 0);
}

static void what_ends_well_meanwhile(void)
{
    ask_compressed(GET_ALL, 100, 5);
    how.end_at = 50;
    how.piece = 10;
    wire_expect("1: [200 grpc grpc-encoding=gzip] gzip <?112> [status=0] END");
}
#endif

int main(void)
{
#if NRPC_COMPRESSION
    RUN(what_fits_its_block);
    RUN(what_does_not);
    RUN(what_has_to_wait);
    RUN(what_fails);
    RUN(what_ends_well_meanwhile);
#endif
    RUN(unary_out);
    RUN(unary_out_byte_by_byte);
    RUN(unary_out_of_none);
    RUN(nested_out);
    RUN(large_out);
    RUN(too_large_out);
    RUN(small_windows_out);
    RUN(pushed);
    RUN(producers_that_wait);
    RUN(a_waiting_producer_does_not_stall);
    RUN(producers_that_fail);
    RUN(producers_that_end_well);
    RUN(producers_that_are_cancelled);
    RUN(exchange);
    RUN(calls_side_by_side);
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
