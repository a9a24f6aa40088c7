/* tests/unit/test_streamed.c - streamed fields that come in: cuts, windows, waiting, failing.
 * Layer: test. Source: nanorpc/streamed.h; proto/blobs.proto.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#if NRPC_PIECES
#include <string.h>

#include "blobs_service.h"

#define END NRPC_END_STREAM

/* --- Coming in ------------------------------------------------------------------------------ */

static const char summary_30[] =
    "1: [200 grpc] '\\08\\01\\10\\1e\\18\\09\"\\04name*\\04note2\\01t' [status=0] END";

static void nested(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_named(30);
    blobs_send(1, 4000, END);
    wire_expect(summary_30);
}

static void nested_in_small_frames(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_named(30);
    blobs_send(1, 3, 0);
    wire_data(1, "", 0, END);
    wire_expect(summary_30);
}

static void fields_in_any_order(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_n = 0;
    /* blob: crc, then data, then media_type; then the rest of it. */
    blobs_put("\x12\x0b\x18\x09", 4);
    blobs_put_data(4);
    blobs_put("\x0a\x01t\x1a\x04note\x12\x02\x18\x05\x0a\x04name", 19);
    blobs_send(1, 4000, END);
    wire_expect("1: [200 grpc] '\\08\\01\\10\\04\\18\\05\"\\04name*\\04note2\\01t' [status=0] END");
}

static void without_the_field(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_n = 0;
    blobs_put("\x12\x02\x18\x09", 4);
    blobs_send(1, 4000, END);
    wire_request(3, PUT, 0);
    blobs_n = 0;
    blobs_send(3, 4000, END);
    wire_expect("1: [200 grpc] '\\18\\09' [status=0] END 3: [200 grpc] '2\\04none' [status=0] END");
}

static void an_empty_field(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_n = 0;
    blobs_put("\x12\x02\x12\x00", 4);
    blobs_send(1, 4000, END);
    wire_expect("1: [200 grpc] '\\08\\01' [status=0] END");
}

/* Last one wins: its first piece has offset 0. */
static void the_field_twice(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_n = 0;
    blobs_put("\x12\x0a", 2);
    blobs_put_data(3);
    blobs_put_data(3);
    blobs_put("\x12\x06", 2);
    blobs_put_data(4);
    blobs_send(1, 4000, END);
    wire_expect("1: [200 grpc] '\\08\\03\\10\\0a' [status=0] END");
}

/* Far more than the block, and than the window. */
static void larger_than_its_block(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_named(30000);
    blobs_send(1, 1000, END);
    test_context("once", 0);
    CHECK_TEXT(
        wire_run_once(),
        "1: [200 grpc] '\\08\\01\\10\\b0\\ea\\01\\18\\09\"\\04name*\\04note2\\01t' [status=0] END");
    test_context(NULL, 0);
}

static void client_streaming(void)
{
    blobs_begin();
    wire_request(1, PUT_ALL, 0);
    for (unsigned i = 0; i < 3; i++) {
        blobs_named(10 + i);
        blobs_send(1, 4000, 0);
    }
    blobs_n = 0;
    blobs_send(1, 1, END);
    wire_request(3, PUT_ALL, END);
    wire_expect("1: [200 grpc] '\\08\\04\\10!' [status=0] END 3: [200 grpc] '' [status=0] END");
}

/* Backpressure in mid-message: what was received ahead waits in the block, and is handed out when
 * woken. */
static void wake(void)
{
    how.hold = 0;
    if (calls[0].call) {
        CHECK_EQ(calls[0].chunks, 1);
        CHECK(calls[0].cancelled || nrpc_call_wake(calls[0].call) == 0);
    }
}

static void hold(void)
{
    memset(calls, 0, sizeof calls);
    how.hold = 1;
}

static void held_in_mid_message(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_named(30);
    wire_do(hold);
    blobs_send(1, 4000, END);
    wire_do(wake);
    wire_expect(summary_30);
}

/* The last piece of a message is answered by PENDING: its end waits, and the messages behind it. */
static void held_at_the_end(void)
{
    blobs_begin();
    wire_request(1, PUT_ALL, 0);
    wire_do(hold);
    blobs_n = 0;
    blobs_put("\x12\x03\x12\x01"
              "a",
              5);
    blobs_send(1, 4000, 0);
    blobs_named(30);
    blobs_send(1, 4000, END);
    wire_do(wake);
    wire_expect("1: [200 grpc] '\\08\\02\\10\\1f' [status=0] END");
}

static void held_and_reset(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_named(30);
    wire_do(hold);
    blobs_send(1, 4000, 0);
    wire_number(NRPC_RST_STREAM, 1, 8);
    wire_expect("");
    CHECK_EQ(calls[0].cancelled, 101);
}

static void refused_in_mid_message(void)
{
    blobs_begin();
    how.refuse = NRPC_OUT_OF_RANGE;
    how.refuse_at = 20;
    wire_request(1, PUT, 0);
    blobs_named(30);
    blobs_send(1, 4000, END);
    wire_expect("1: [200 grpc status=11] END");
    CHECK_EQ(calls[0].cancelled, 0);
}

/* The window is the block's, and is opened as pieces are taken: held, it stays shut. */
static void windows(void)
{
    blobs_begin();
    wire.show = WIRE_WINDOWS;
    wire_request(1, PUT_ALL, 0);
    blobs_named(900);
    blobs_send(1, 4000, 0);
    wire_do(NULL);
    CHECK_TEXT(wire_run_once(), "1: window+928");
    blobs_begin();
    wire.show = WIRE_WINDOWS;
    wire_request(1, PUT_ALL, 0);
    how.hold = 1;
    blobs_send(1, 4000, 0);
    wire_do(NULL);
    /* The 8 bytes behind the piece wait in the block. */
    CHECK_TEXT(wire_run_once(), "1: window+920");
}

/* --- What is wrong with what comes in -------------------------------------------------------- */

static void malformed(void)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {"\x12\x06\x12\x05"
         "abcd",
         8}, /* field over its message's end */
        {"\x12\x05\x12\x02"
         "ab",
         6},                             /* message over its parent's end */
        {"\x12\x80\x80\x80\x80\x10", 6}, /* a length over 32 bits */
        {"\x08", 1},
        {"\x12", 1},
        {"\x88", 1},
        {"\x0b\x0c", 2},
        {"\x10\x05", 2},
        {"\x12\x02\x10\x05", 4},
        {"\x02\x01z", 3},
        {"\x12\x02\x0a\x01", 4},
        {"\x0a\x02"
         "a",
         3},             /* nothing of what is streamed */
        {"\x08\x05", 2}, /* for nanopb to find: a string as a number */
        {"\x12\x02\x08\x05", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_context("row", (long)i);
        blobs_begin();
        for (uint32_t id = 1; id <= 3; id += 2) {
            wire_request(id, id == 1 ? PUT : PUT_ALL, 0);
            blobs_n = 0;
            blobs_put(rows[i].bytes, rows[i].n);
            blobs_send(id, 4000, END);
        }
        wire_expect("1: [200 grpc status=13 message=* malformed] END "
                    "3: [200 grpc status=13 message=* malformed] END");
        CHECK_EQ(calls[0].cancelled, 1301);
        CHECK_EQ(calls[1].cancelled, 1301);
    }
    test_context(NULL, 0);
}

static void other_fields_too_large(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_n = 0;
    blobs_put("\x1a\xac\x02", 3); /* a note of 300 bytes */
    memset(blobs_text + blobs_n, 'u', 300);
    blobs_n += 300;
    blobs_send(1, 4000, END);
    wire_request(3, PUT, 0);
    blobs_n = 0;
    blobs_put("\x0a\x21"
              "012345678901234567890123456789012",
              35);
    blobs_send(3, 4000, END);
    wire_expect("1: [200 grpc status=8 message=* too large] END "
                "3: [200 grpc status=8 message=field 1: more than 32 bytes] END");
    CHECK_EQ(calls[0].cancelled, 801);
}

/* 300 bytes each: before the message with the field, in it, and behind that. */
static void fields_that_there_are_not(void)
{
    static const char *const before[] = {"", "\x12\xe9\x04", "\x0a\x04name"};
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_n = 0;
    for (unsigned i = 0; i < 3; i++) {
        blobs_put(before[i], strlen(before[i]));
        for (unsigned j = 0; j < (i == 1 ? 2 : 1); j++) {
            blobs_put("\x5a\xac\x02", 3);
            memset(blobs_text + blobs_n, 'u', 300);
            blobs_n += 300;
            if (i == 1 && !j) {
                blobs_put_data(4);
                blobs_put("\x18\x05\x90\x01\x01", 5);
            }
        }
    }
    blobs_send(1, 4000, END);
    wire_expect("1: [200 grpc] '\\08\\01\\10\\04\\18\\05\"\\04name' [status=0] END");
}

static void cut_short(void)
{
    blobs_named(30);
    size_t whole = blobs_n;
    for (size_t n = 0; n < whole + 5; n += n == 5 || n == whole + 3 ? 1 : 5) {
        test_context("bytes", (long)n);
        blobs_begin();
        for (uint32_t id = 1; id <= 3; id += 2) {
            uint8_t bytes[128] = {0, 0, 0, 0, (uint8_t)whole};
            memcpy(bytes + 5, blobs_text, whole);
            wire_request(id, id == 1 ? PUT : PUT_ALL, 0);
            wire_data(id, bytes, n ? n : 1, END);
        }
        wire_expect("1: [200 grpc status=13 message=* cut short] END 3: [200 grpc status=13 "
                    "message=* cut short] END");
    }
    test_context(NULL, 0);
}

static void not_one_request(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    blobs_named(3);
    blobs_send(1, 4000, 0);
    blobs_send(1, 4000, END);
    wire_request(3, PUT, END);
    wire_expect("1: [200 grpc status=13 message=not one *] END 3: [200 grpc status=13 message=not "
                "one *] END");
}

static void compressed_without_an_encoding(void)
{
    blobs_begin();
    wire_request(1, PUT, 0);
    wire_data(1, "\x01\0\0\0\x01z", 6, END);
    wire_expect("1: [200 grpc status=13 message=no grpc-encoding] END");
}

#if NRPC_COMPRESSION
/* blobs_named(30), by zlib */
static const uint8_t zipped[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xe3, 0x62, 0xc9, 0x4b,
    0xcc, 0x4d, 0x15, 0x52, 0xe5, 0x62, 0x2c, 0x11, 0x92, 0x4b, 0x4c, 0x4a, 0x4e, 0x49,
    0x4d, 0x4b, 0xcf, 0xc8, 0xcc, 0xca, 0xce, 0xc9, 0xcd, 0xcb, 0x2f, 0x28, 0x2c, 0x2a,
    0x2e, 0x29, 0x2d, 0x2b, 0x87, 0x0a, 0x4b, 0x70, 0x4a, 0xb1, 0xe4, 0xe5, 0x97, 0xa4,
    0x02, 0x00, 0x9d, 0x05, 0x8a, 0xd7, 0x33, 0x00, 0x00, 0x00,
};

static void compressed_send(uint32_t id)
{
    uint8_t prefix[5] = {1, 0, 0, 0, sizeof zipped};
    wire_request_fields(PUT);
    wire_field("grpc-encoding", "gzip");
    wire_headers(id, 0);
    wire_data(id, prefix, 5, 0);
    wire_data(id, zipped, sizeof zipped, END);
}

static void compressed(void)
{
    blobs_begin();
    compressed_send(1);
    wire_expect(summary_30);
}

static void compressed_and_held(void)
{
    blobs_begin();
    wire_do(hold);
    compressed_send(1);
    wire_do(wake);
    wire_expect(summary_30);
}
#endif

int main(void)
{
    RUN(nested);
    RUN(nested_in_small_frames);
    RUN(fields_in_any_order);
    RUN(without_the_field);
    RUN(an_empty_field);
    RUN(the_field_twice);
    RUN_LARGE(larger_than_its_block);
    RUN(client_streaming);
    RUN(held_in_mid_message);
    RUN(held_at_the_end);
    RUN(held_and_reset);
    RUN(refused_in_mid_message);
    RUN(windows);
    RUN(malformed);
    RUN(other_fields_too_large);
    RUN(fields_that_there_are_not);
    RUN(cut_short);
    RUN(not_one_request);
    RUN(compressed_without_an_encoding);
#if NRPC_COMPRESSION
    RUN(compressed);
    RUN(compressed_and_held);
#endif
    return test_end();
}
#else
int main(void)
{
    return test_end();
}
#endif
