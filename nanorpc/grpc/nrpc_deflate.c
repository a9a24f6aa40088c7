/* nanorpc/grpc/nrpc_deflate.c - compresses a message within its own block.
 * Layer: core; used with NRPC_COMPRESSION. Source: RFC 1950, 1951, 1952.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/grpc/nrpc_compress.h"

/* The message moves to the end of its block and is read from there, while what it becomes is
 * written from the beginning on. A first run writes nothing and finds out whether that works: the
 * output must stay behind what is still to be read, and end up smaller. Both runs take the same
 * decisions. */
struct deflater {
    uint8_t *out;
    uint32_t bits;
    uint8_t n_bits, is_writing;
    uint16_t heads[256]; /* by a hash of three bytes: where they stood last, modulo 2^16 */
};

enum { MATCH_MIN = 3, MATCH_MAX = 257 /* 258 has a symbol of its own */ };
#define DISTANCE_MAX 32768

static void put(struct deflater *z, uint32_t bits, unsigned n)
{
    z->bits |= bits << z->n_bits;
    for (z->n_bits = (uint8_t)(z->n_bits + n); z->n_bits >= 8;
         z->n_bits = (uint8_t)(z->n_bits - 8)) {
        if (z->is_writing) {
            *z->out = (uint8_t)z->bits;
        }
        z->out++;
        z->bits >>= 8;
    }
}

/* A Huffman code, whose highest bit comes first. */
static void put_code(struct deflater *z, unsigned code, unsigned n)
{
    while (n) {
        put(z, code >> --n & 1, 1);
    }
}

/* The fixed code, RFC 1951 3.2.6. */
static void put_symbol(struct deflater *z, unsigned symbol)
{
    if (symbol < 144) {
        put_code(z, 0x30 + symbol, 8);
    } else if (symbol < 256) {
        put_code(z, symbol - 144 + 0x190, 9);
    } else if (symbol < 280) {
        put_code(z, symbol - 256, 7);
    } else {
        put_code(z, symbol - 280 + 0xc0, 8);
    }
}

/* A length or a distance, see number() in inflate.c. */
static unsigned symbol_of(unsigned number, unsigned kept, unsigned *extra)
{
    *extra = 0;
    while (number >> *extra >> (kept + 1)) {
        ++*extra;
    }
    return (*extra << kept) + (number >> *extra);
}

static void put_match(struct deflater *z, unsigned length, unsigned distance)
{
    unsigned extra, symbol = symbol_of(length -= MATCH_MIN, 2, &extra);
    put_symbol(z, 257 + symbol);
    put(z, length & ((1u << extra) - 1), extra);
    symbol = symbol_of(--distance, 1, &extra);
    put_code(z, symbol, 5);
    put(z, distance & ((1u << extra) - 1), extra);
}

/* How much of what is at p stands `distance` before it as well. Between out and first there is
 * nothing to be found, and before out it has been written over. */
static unsigned match(const struct deflater *z, const uint8_t *first, const uint8_t *p,
                      const uint8_t *end, uint32_t distance)
{
    const uint8_t *from = z->out > first ? z->out : first;
    unsigned n = 0;
    if (distance - 1 >= DISTANCE_MAX || distance > (uint32_t)(p - from)) {
        return 0;
    }
    while (n < MATCH_MAX && p + n < end && p[n] == p[(ptrdiff_t)n - (ptrdiff_t)distance]) {
        n++;
    }
    return n;
}

/* Returns 1 when it has worked. */
static int run(struct deflater *z, const uint8_t *first, const uint8_t *end)
{
    memset(z->heads, 0, sizeof z->heads);
    put(z, 3, 3); /* one block, the last, with the fixed code */
    for (const uint8_t *p = first; p < end;) {
        unsigned length = 0;
        uint16_t distance = 0;
        if (end - p > MATCH_MIN) {
            uint32_t three = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
            uint16_t *head = &z->heads[three * 2654435761u >> 24];
            uint16_t here = (uint16_t)(p - first);
            distance = (uint16_t)(here - *head);
            *head = here;
            length = match(z, first, p, end, distance);
        }
        if (length < MATCH_MIN) {
            put_symbol(z, *p++);
        } else {
            put_match(z, length, distance);
            p += length;
        }
        if (z->out > p) {
            return 0;
        }
    }
    put_code(z, 0, 7);               /* the end of the block */
    put(z, 0, (8u - z->n_bits) & 7); /* and of the byte */
    return 1;
}

size_t nrpc_deflate(enum nrpc_encoding encoding, uint8_t *block, size_t n, size_t room)
{
    static const uint8_t gzip[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}, zlib[2] = {0x78, 0x01};
    int is_gzip = encoding == NRPC_ENCODING_GZIP;
    size_t head = is_gzip ? sizeof gzip : sizeof zlib, tail = is_gzip ? 8 : 4;
    uint32_t check = nrpc_compress_check(encoding, block, n);
    struct deflater z;
    uint8_t *message = memmove(block + (room - n), block, n);
    for (z.is_writing = 0; z.is_writing < 2; z.is_writing++) {
        z.out = block + head;
        z.bits = z.n_bits = 0;
        if (!run(&z, message, message + n) || (size_t)(z.out - block) + tail >= n) {
            memmove(block, message, n);
            return 0;
        }
    }
    memcpy(block, is_gzip ? gzip : zlib, head);
    z.n_bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        put(&z, check >> (is_gzip ? 8 * i : 24 - 8 * i) & 0xff, 8);
    }
    for (unsigned i = 0; i < tail - 4; i++) {
        put(&z, (uint32_t)n >> 8 * i & 0xff, 8);
    }
    return (size_t)(z.out - block);
}
