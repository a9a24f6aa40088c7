/* tests/unit/test_blocks.c - receive blocks in a row: the window, the limit of a message, the
 * order. Layer: test; for any NRPC_RX_BLOCKS. Source: nanorpc/config.h; RFC 9113 5.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "wire.h"

enum {
    END = NRPC_END_STREAM,
    BLOCK = 5 + RAW_REQUEST_BYTES + NRPC_COMPRESSION_ROOM(RAW_REQUEST_BYTES),
    ALL = NRPC_RX_BLOCKS * BLOCK,
    MESSAGE = 5 + 20
};

/* The client is told of all of them, and held to it. */
static void window_is_all_blocks(void)
{
    for (unsigned over = 0; over <= 1; over++) {
        wire_begin_acked(&raw_server);
        wire_request(1, "/test.Raw/Hold", 0);
        wire_message(1, "x", 0);
        wire_do(NULL); /* answered and held, all blocks are free again */
        for (unsigned i = 0; i < ALL / MESSAGE; i++) {
            wire_long_message(1, MESSAGE - 5, 0);
        }
        wire_data(1, "\0\0\0\0\100abcdefghijklmnopqrs", ALL % MESSAGE, 0);
        if (over) {
            wire_data(1, "!", 1, 0);
        }
        wire_expect(over ? "1: [200 grpc] 'x' rst(FLOW_CONTROL_ERROR)" : "1: [200 grpc] 'x'");
    }
    CHECK_EQ(raw_server.rx_bytes, ALL);
}

/* A message has one block's bytes at most, whatever room there is. */
static void limit_is_of_one_block(void)
{
    wire_begin(&raw_server);
    wire_request(1, "/test.Raw/Bidi", 0);
    wire_long_message(1, 64, 0);
    wire_long_message(1, 65, END);
    wire_expect("1: [200 grpc] <64> [status=8 message=*] END");
}

/* What waits is taken in its order, a message at each wake. */
static void what_waits_keeps_its_order(void)
{
    static char text[40 + 30 * (NRPC_RX_BLOCKS + 1) * 3], message[21];
    wire_begin_acked(&raw_server);
    wire_request(1, "/test.Raw/Hold", 0);
    wire_message(1, "x", 0);
    wire_open();
    wire_feed_all();
    wire_pump();
    char *end = text + sprintf(text, "1: [200 grpc] 'x'");
    size_t n = 0;
    while (n + MESSAGE <= ALL) { /* as many as have room */
        sprintf(message, "%020u", (unsigned)n);
        wire_message(1, message, 0);
        end += sprintf(end, " '%s'", message);
        n += MESSAGE;
    }
    wire_feed_all();
    for (size_t i = 0; i < n; i += MESSAGE) {
        CHECK_EQ(raw_wake(1), 0);
        wire_pump();
    }
    CHECK_EQ(raw_wake(1), 0);
    wire_data(1, "", 0, END);
    wire_feed_all();
    wire_pump();
    sprintf(end, " [status=0] END");
    CHECK_TEXT(wire_text(), text);
    wire_close();
}

int main(void)
{
    RUN(window_is_all_blocks);
    RUN(limit_is_of_one_block);
    RUN(what_waits_keeps_its_order);
    return test_end();
}
