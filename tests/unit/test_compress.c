/* tests/unit/test_compress.c - gzip and zlib, from messages and back; whatever comes in.
 * Layer: test. Source: RFC 1950, 1951, 1952; Python's zlib, by tests/vectors/make_compress.py.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/grpc/nrpc_compress.h"
#include "test.h"

#include "compress_vectors.h"

enum { N_VECTORS = sizeof vectors / sizeof vectors[0], LARGEST = 1 << 16 };

#ifdef __arm__
enum { RUNS = 200 };
#else
enum { RUNS = 20000 };
#endif

static uint32_t seed;

static uint32_t next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* Into memory that ends behind `room` bytes. */
static int32_t inflate(enum nrpc_encoding encoding, const uint8_t *data, size_t n, size_t room)
{
    return nrpc_inflate(encoding, test_guarded(data, n), n, test_guarded_room(room), room);
}

static void vectors_mean_what_zlib_says(void)
{
    for (unsigned i = 0; i < N_VECTORS; i++) {
        test_context(vectors[i].name, (long)i);
        size_t n = vectors[i].message_bytes < 0 ? 1000 : (size_t)vectors[i].message_bytes;
        CHECK_EQ(inflate(vectors[i].encoding, vectors[i].data, vectors[i].n, n),
                 vectors[i].message_bytes);
        if (vectors[i].message_bytes >= 0) {
            CHECK(memcmp(test_guarded_room(n), vectors[i].message, n) == 0);
        }
    }
}

/* In a room of one byte less, of a half, and of nothing. */
static void more_than_there_is_room_for(void)
{
    for (unsigned i = 0; i < N_VECTORS; i++) {
        test_context(vectors[i].name, (long)i);
        if (vectors[i].message_bytes > 0) {
            size_t n = (size_t)vectors[i].message_bytes;
            CHECK_EQ(inflate(vectors[i].encoding, vectors[i].data, vectors[i].n, n - 1),
                     NRPC_INFLATE_LARGE);
            CHECK_EQ(inflate(vectors[i].encoding, vectors[i].data, vectors[i].n, n / 2),
                     NRPC_INFLATE_LARGE);
            CHECK_EQ(inflate(vectors[i].encoding, vectors[i].data, vectors[i].n, 0),
                     NRPC_INFLATE_LARGE);
        }
    }
}

static void cut_anywhere(void)
{
    for (unsigned i = 0; i < N_VECTORS; i++) {
        test_context(vectors[i].name, (long)i);
        size_t room = vectors[i].message_bytes < 0 ? 1000 : (size_t)vectors[i].message_bytes;
        size_t step = vectors[i].n / (RUNS / 50) + 1;
        for (size_t n = 0; n < vectors[i].n; n += step) {
            int32_t result = inflate(vectors[i].encoding, vectors[i].data, n, room);
            /* a bad one may be good without its last bytes, or too large */
            CHECK(vectors[i].message_bytes < 0 || result == NRPC_INFLATE_BAD);
        }
    }
}

/* The guard pages and the sanitizers are the judges. */
static void mutations(void)
{
    static uint8_t data[LARGEST];
    for (unsigned run = 0; run < RUNS; run++) {
        seed = run;
        test_context("seed", (long)run);
        unsigned i = next(N_VECTORS);
        size_t n = vectors[i].n;
        if (n > 2000 || n == 0) {
            continue;
        }
        memcpy(data, vectors[i].data, n);
        for (unsigned k = 1 + next(4); k; k--) {
            data[next((uint32_t)n)] ^= (uint8_t)(1u << next(8));
        }
        size_t room = next(6000);
        int32_t result = inflate(vectors[i].encoding, data, n, room);
        CHECK(result >= NRPC_INFLATE_LARGE && result <= (int32_t)room);
    }
}

/* Blocks of noise behind a good header, of each kind. */
static void noise(void)
{
    uint8_t data[400];
    for (unsigned run = 0; run < RUNS; run++) {
        seed = run;
        test_context("seed", (long)run);
        for (unsigned i = 0; i < sizeof data; i++) {
            data[i] = (uint8_t)next(256);
        }
        memcpy(data, "\x78\x9c", 2);
        data[2] = (uint8_t)((data[2] & ~7u) | run % 8);
        int32_t result = inflate(NRPC_ENCODING_DEFLATE, data, next(sizeof data), next(2000));
        CHECK(result == NRPC_INFLATE_BAD || result == NRPC_INFLATE_LARGE);
    }
}

/* 100 bytes that would be 25800: they end when the room does. */
static void bomb(void)
{
    uint8_t data[2 + 104] = {0x78, 0x9c, 0x63, 0x18, 0x05, 0xa3};
    for (unsigned i = 0; i < N_VECTORS; i++) {
        if (strcmp(vectors[i].name, "zeros, level 9") == 0) {
            CHECK(vectors[i].n < 40);
            CHECK_EQ(inflate(vectors[i].encoding, vectors[i].data, vectors[i].n, 100),
                     NRPC_INFLATE_LARGE);
        }
    }
    /* a fixed block: 'a', then length 258 from distance 1, 8 + 5 bits each, for ever */
    memset(data + 2, 0, sizeof data - 2);
    unsigned at = 16;
    static const char bits[] = "110"
                               "10010001";
    for (const char *p = bits; *p; p++, at++) {
        data[at / 8] |= (uint8_t)((*p - '0') << at % 8);
    }
    while (at + 13 < 8 * sizeof data) {
        for (const char *p = "1100010100000"; *p; p++, at++) {
            data[at / 8] |= (uint8_t)((*p - '0') << at % 8);
        }
    }
    CHECK_EQ(inflate(NRPC_ENCODING_DEFLATE, data, sizeof data, 1000), NRPC_INFLATE_LARGE);
    CHECK_EQ(inflate(NRPC_ENCODING_DEFLATE, data, sizeof data, 60000),
             NRPC_INFLATE_BAD); /* it has no end */
}

/* Through nrpc_deflate and back, in a block with `more` bytes beyond the message. Returns the
 * compressed size. */
static size_t there_and_back(enum nrpc_encoding encoding, const uint8_t *message, size_t n,
                             size_t more)
{
    uint8_t *block = test_guarded_room(n + more);
    static uint8_t compressed[LARGEST];
    memcpy(block, message, n);
    size_t size = nrpc_deflate(encoding, block, n, n + more);
    if (!size) {
        CHECK(memcmp(block, message, n) == 0);
        return 0;
    }
    CHECK(size < n && size < LARGEST);
    memcpy(compressed, block, size);
    CHECK_EQ(inflate(encoding, compressed, size, n), n);
    CHECK(memcmp(test_guarded_room(n), message, n) == 0);
    return size;
}

static void messages_become_smaller(void)
{
    for (unsigned i = 0; i < N_VECTORS; i++) {
        if (vectors[i].message_bytes >= 0) {
            test_context(vectors[i].name, (long)i);
            size_t n = (size_t)vectors[i].message_bytes, zlib = vectors[i].n;
            size_t size = there_and_back(vectors[i].encoding, vectors[i].message, n, 32);
            /* whatever zlib, at any level, makes half as large, becomes smaller; with a bound on
             * the loss */
            CHECK(zlib * 2 > n || n < 40 || (size > 0 && size < zlib * 3 + 40));
        }
    }
}

/* Without any room beyond the message the result is as good, or none. */
static void blocks_that_are_full(void)
{
    for (unsigned i = 0; i < N_VECTORS; i++) {
        if (vectors[i].message_bytes >= 0) {
            test_context(vectors[i].name, (long)i);
            for (size_t more = 0; more < 24; more++) {
                there_and_back(vectors[i].encoding, vectors[i].message,
                               (size_t)vectors[i].message_bytes, more);
            }
        }
    }
}

/* Noise and repetitions by turns: often the output comes too close to what is still to be read. */
static void random_messages(void)
{
    static uint8_t message[3000];
    unsigned smaller = 0;
    for (unsigned run = 0; run < RUNS; run++) {
        seed = run;
        test_context("seed", (long)run);
        size_t n = next(sizeof message), at = 0;
        while (at < n) {
            unsigned low = next(256), span = 1 + next(255), copies = next(2) && at ? next(300) : 0;
            size_t from = at ? next((uint32_t)at) : 0;
            for (unsigned k = next(100); k && at < n; k--) {
                message[at++] = (uint8_t)(low + next(span));
            }
            for (; copies && at < n; copies--) {
                message[at++] = message[from++];
            }
        }
        smaller += there_and_back(run & 1 ? NRPC_ENCODING_GZIP : NRPC_ENCODING_DEFLATE, message, n,
                                  next(40)) != 0;
    }
    CHECK(smaller > RUNS / 40 && smaller < RUNS / 2);
}

static void checksums(void)
{
    CHECK_EQ(nrpc_compress_check(NRPC_ENCODING_GZIP, (const uint8_t *)"123456789", 9), 0xcbf43926);
    CHECK_EQ(nrpc_compress_check(NRPC_ENCODING_DEFLATE, (const uint8_t *)"Wikipedia", 9),
             0x11e60398);
    CHECK_EQ(nrpc_compress_check(NRPC_ENCODING_GZIP, NULL, 0), 0);
    CHECK_EQ(nrpc_compress_check(NRPC_ENCODING_DEFLATE, NULL, 0), 1);
}

int main(void)
{
    RUN(checksums);
    RUN(vectors_mean_what_zlib_says);
    RUN(more_than_there_is_room_for);
    RUN(cut_anywhere);
    RUN(mutations);
    RUN(noise);
    RUN(bomb);
    RUN(messages_become_smaller);
    RUN(blocks_that_are_full);
    RUN(random_messages);
    return test_end();
}
