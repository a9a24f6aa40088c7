/* tests/fuzz/fuzz_message.c - a call's compressed body, compressed data alone; then back again.
 * Layer: test. Source: gRPC over HTTP2; RFC 1950, 1951, 1952.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/grpc/nrpc_compress.h"
#include "fuzz.h"

/* Of the third byte: NRPC_ENCODING_DEFLATE, NRPC_ENCODING_GZIP; and */
enum { COLLECT = 4, BODY = 8 };

static uint8_t first[1 << 13], second[1 << 13];

static void act(void)
{
}

static void receive(const uint8_t *body, size_t n, unsigned settings)
{
    wire_begin_acked(&raw_server);
    wire_request_fields(settings & COLLECT ? "/test.Raw/Collect" : "/test.Raw/Bidi");
    wire_field("grpc-encoding", settings & NRPC_ENCODING_GZIP ? "gzip" : "deflate");
    wire_field("grpc-accept-encoding", "gzip, deflate");
    wire_headers(1, 0);
    for (size_t at = 0; at < n;) {
        size_t piece = 1 + fuzz_next(fuzz_next(2) ? 8 : 300);
        piece = piece < n - at ? piece : n - at;
        wire_data(1, body + at, piece, at + piece == n ? NRPC_END_STREAM : 0);
        at += piece;
    }
    fuzz_run(act);
}

/* The same again, wherever the output's room ends. */
static void inflate(enum nrpc_encoding encoding, const uint8_t *data, size_t n)
{
    size_t room = fuzz_next(2) ? sizeof first : fuzz_next(300);
    int32_t got = nrpc_inflate(encoding, test_guarded(data, n), n, test_guarded_room(room), room);
    CHECK(got >= NRPC_INFLATE_LARGE && got <= (int32_t)room);
    if (got > 0) {
        memcpy(first, test_guarded_room(room), (size_t)got);
        CHECK_EQ(nrpc_inflate(encoding, data, n, test_guarded_room((size_t)got), (size_t)got), got);
        CHECK(memcmp(first, test_guarded_room((size_t)got), (size_t)got) == 0);
        CHECK_EQ(
            nrpc_inflate(encoding, data, n, test_guarded_room((size_t)got - 1), (size_t)got - 1),
            NRPC_INFLATE_LARGE);
    }
}

static void deflate(enum nrpc_encoding encoding, const uint8_t *data, size_t n)
{
    size_t room = n + fuzz_next(100);
    uint8_t *block = memcpy(test_guarded_room(room), data, n);
    size_t m = nrpc_deflate(encoding, block, n, room);
    if (!m) {
        CHECK(memcmp(block, data, n) == 0);
        return;
    }
    CHECK(m < n);
    CHECK_EQ(nrpc_inflate(encoding, block, m, second, n), n);
    CHECK(memcmp(second, data, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 3 || n > FUZZ_INPUT) {
        return 0;
    }
    enum nrpc_encoding encoding = data[2] & NRPC_ENCODING_GZIP ? NRPC_ENCODING_GZIP
                                                               : NRPC_ENCODING_DEFLATE;
    fuzz_begin(data);
    if (data[2] & BODY) {
        receive(data + 3, n - 3, data[2]);
    } else {
        inflate(encoding, data + 3, n - 3);
        deflate(encoding, data + 3, n - 3);
    }
    fuzz_end();
    return 0;
}
