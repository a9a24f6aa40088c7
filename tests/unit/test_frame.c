/* tests/unit/test_frame.c - frame headers and big-endian numbers.
 * Layer: test. Source: RFC 9113 4.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/http2/nrpc_frame.h"
#include "test.h"

static void header_is_read(void)
{
    static const uint8_t bytes[9] = {0x12, 0x34, 0x56, 0x01, 0x2d, 0x01, 0x02, 0x03, 0x04};
    struct nrpc_frame frame;
    nrpc_frame_read(&frame, test_guarded(bytes, sizeof bytes));
    CHECK_EQ(frame.length, 0x123456);
    CHECK_EQ(frame.type, 1);
    CHECK_EQ(frame.flags, 0x2d);
    CHECK_EQ(frame.id, 0x01020304);
}

static void reserved_bit_is_ignored(void)
{
    static const uint8_t bytes[9] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct nrpc_frame frame;
    nrpc_frame_read(&frame, bytes);
    CHECK_EQ(frame.length, 0xffffff);
    CHECK_EQ(frame.type, 0xff);
    CHECK_EQ(frame.flags, 0xff);
    CHECK_EQ(frame.id, 0x7fffffff);
}

static void header_is_written(void)
{
    static const uint8_t expected[9] = {0x00, 0x40, 0x00, 0x00, 0x01, 0x7f, 0xff, 0xff, 0xfd};
    uint8_t *bytes = test_guarded_room(9);
    CHECK(nrpc_frame_write(bytes, 16384, NRPC_TYPE_FLAGS(NRPC_DATA, NRPC_END_STREAM), 0x7ffffffd) ==
          bytes + 9);
    CHECK(memcmp(bytes, expected, 9) == 0);
}

static void written_is_read(void)
{
    static const uint32_t values[] = {0, 1, 0xff, 0x100, 0x3fff, 0x4000, 0xffff, 0x10000, 0xffffff};
    uint8_t *bytes = test_guarded_room(9);
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct nrpc_frame frame;
        nrpc_frame_write(bytes, values[i], NRPC_TYPE_FLAGS(i, 0xff - i), values[i] * 0x7f);
        nrpc_frame_read(&frame, bytes);
        CHECK_EQ(frame.length, values[i]);
        CHECK_EQ(frame.type, i);
        CHECK_EQ(frame.flags, 0xff - i);
        CHECK_EQ(frame.id, values[i] * 0x7f);
    }
}

static void numbers(void)
{
    uint8_t *bytes = test_guarded_room(4);
    CHECK(nrpc_put32(bytes, 0x80a0b0c1) == bytes + 4);
    CHECK_EQ(bytes[0], 0x80);
    CHECK_EQ(bytes[3], 0xc1);
    CHECK_EQ(nrpc_get32(bytes), 0x80a0b0c1);
    nrpc_put32(bytes, UINT32_MAX);
    CHECK_EQ(nrpc_get32(bytes), UINT32_MAX);
}

int main(void)
{
    RUN(header_is_read);
    RUN(reserved_bit_is_ignored);
    RUN(header_is_written);
    RUN(written_is_read);
    RUN(numbers);
    return test_end();
}
