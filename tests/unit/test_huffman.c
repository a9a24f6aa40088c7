/* tests/unit/test_huffman.c - every symbol of the Huffman code, its padding, and what is refused.
 * Layer: test. Source: RFC 7541 5.2, appendix B.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "hpack_vectors.h"
#include "nanorpc/hpack/nrpc_huffman.h"
#include "test.h"

enum { EOS = 256, SYMBOLS = 257, ROOM = 64 };

struct bits {
    uint8_t bytes[ROOM];
    unsigned n; /* bits */
};

static void put_bits(struct bits *bits, uint32_t code, unsigned n)
{
    while (n--) {
        if (bits->n % 8 == 0) {
            bits->bytes[bits->n / 8] = 0;
        }
        if (code >> n & 1) {
            bits->bytes[bits->n / 8] = (uint8_t)(bits->bytes[bits->n / 8] | 0x80 >> bits->n % 8);
        }
        bits->n++;
    }
}

static void put_symbol(struct bits *bits, unsigned symbol)
{
    put_bits(bits, hpack_huffman_codes[symbol].code, hpack_huffman_codes[symbol].bits);
}

static void pad(struct bits *bits)
{
    while (bits->n % 8) {
        put_bits(bits, 1, 1);
    }
}

/* Decodes all of it, in pieces of so many bytes. Returns how many symbols there were, -1: refused;
 * -2: it must not end here. */
static int decode_pieces(const struct bits *bits, uint8_t *out, unsigned piece)
{
    struct nrpc_huffman state;
    const uint8_t *at = test_guarded(bits->bytes, bits->n / 8), *last = at + bits->n / 8;
    int total = 0;
    memset(&state, 0, sizeof state);
    while (at != last) {
        const uint8_t *end = (unsigned)(last - at) < piece ? last : at + piece;
        while (at != end) {
            uint32_t left = nrpc_huffman_bits(&at, end);
            int symbol;
            while ((symbol = nrpc_huffman_next(&state, &left)) != NRPC_HUFFMAN_MORE) {
                if (symbol == NRPC_HUFFMAN_EOS) {
                    return -1;
                }
                out[total++] = (uint8_t)symbol;
            }
        }
    }
    return nrpc_huffman_end(&state) ? total : -2;
}

/* The same whole, byte by byte, and cut anywhere: nothing else comes of it. */
static int decode(const struct bits *bits, uint8_t *out)
{
    uint8_t again[ROOM * 2];
    int total = decode_pieces(bits, out, bits->n / 8);
    for (unsigned piece = 1; piece < bits->n / 8; piece++) {
        CHECK_EQ(decode_pieces(bits, again, piece), total);
        CHECK(total < 0 || memcmp(again, out, (size_t)total) == 0);
    }
    return total;
}

static void every_symbol(void)
{
    for (unsigned symbol = 0; symbol < EOS; symbol++) {
        struct bits bits = {.n = 0};
        uint8_t out[ROOM * 2];
        test_context("symbol", (long)symbol);
        put_symbol(&bits, symbol);
        pad(&bits);
        CHECK_EQ(decode(&bits, out), 1);
        CHECK_EQ(out[0], symbol);
    }
}

/* Each symbol after and before others of 5 to 30 bits: all shifts within a byte. */
static void every_symbol_beside_others(void)
{
    static const uint8_t others[] = {'0', ' ', ':', '&',  '!',  '\'', '#',
                                     0,   '^', '<', '\\', 0x80, 0xf9, 22};
    for (unsigned symbol = 0; symbol < EOS; symbol++) {
        test_context("symbol", (long)symbol);
        for (unsigned i = 0; i < sizeof others; i++) {
            struct bits bits = {.n = 0};
            uint8_t out[ROOM * 2];
            put_symbol(&bits, others[i]);
            put_symbol(&bits, symbol);
            put_symbol(&bits, others[sizeof others - 1 - i]);
            pad(&bits);
            if (CHECK_EQ(decode(&bits, out), 3)) {
                CHECK_EQ(out[0], others[i]);
                CHECK_EQ(out[1], symbol);
                CHECK_EQ(out[2], others[sizeof others - 1 - i]);
            }
        }
    }
}

/* RFC 7541 5.2: padding is the beginning of EOS, all ones, and shorter than 8 bits. */
static void padding(void)
{
    uint8_t out[ROOM * 2];
    for (unsigned ones = 0; ones <= 24; ones++) {
        struct bits bits = {.n = 0};
        put_symbol(&bits, 'a'); /* 5 bits */
        put_symbol(&bits, 'a');
        put_symbol(&bits, 'X'); /* 8 bits */
        while ((bits.n + ones) % 8) {
            put_symbol(&bits, 'a');
        }
        put_bits(&bits, 0xffffff, ones);
        test_context("ones", (long)ones);
        if (ones < 8) {
            CHECK(decode(&bits, out) >= 3);
        } else {
            CHECK_EQ(decode(&bits, out), -2);
        }
    }
}

static void padding_with_a_zero_is_refused(void)
{
    for (unsigned n = 1; n < 8; n++) {
        for (unsigned value = 0; value + 1 < 1u << n; value++) {
            struct bits bits = {.n = 0};
            uint8_t out[ROOM * 2];
            while ((bits.n + n) % 8) {
                put_symbol(&bits, 'a');
            }
            put_bits(&bits, value, n);
            test_context("bits", (long)(n << 8 | value));
            int symbols = decode(&bits, out);
            /* Codes of 5 to 7 bits may have been completed by it; then it was no padding. */
            CHECK(symbols == -2 || (n >= 5 && symbols >= 1));
        }
    }
}

static void end_of_string_is_refused(void)
{
    for (unsigned before = 0; before < 8; before++) {
        struct bits bits = {.n = 0};
        uint8_t out[ROOM * 2];
        for (unsigned i = 0; i < before; i++) {
            put_symbol(&bits, 'a');
        }
        put_symbol(&bits, EOS);
        put_bits(&bits, 0, (8 - bits.n % 8) % 8);
        test_context("symbols before", (long)before);
        CHECK_EQ(decode(&bits, out), -1);
    }
}

/* A string that ends within a symbol of more than 7 bits. */
static void cut_symbols_are_refused(void)
{
    for (unsigned symbol = 0; symbol < EOS; symbol++) {
        struct bits bits = {.n = 0};
        uint8_t out[ROOM * 2];
        if (hpack_huffman_codes[symbol].bits <= 8) {
            continue;
        }
        put_symbol(&bits, symbol);
        bits.n = bits.n / 8 * 8 - (bits.n % 8 == 0 ? 8 : 0);
        test_context("symbol", (long)symbol);
        CHECK_EQ(decode(&bits, out), -2);
    }
}

static void nothing_is_an_empty_string(void)
{
    struct nrpc_huffman state;
    memset(&state, 0, sizeof state);
    CHECK(nrpc_huffman_end(&state));
}

int main(void)
{
    RUN(every_symbol);
    RUN(every_symbol_beside_others);
    RUN(padding);
    RUN(padding_with_a_zero_is_refused);
    RUN(end_of_string_is_refused);
    RUN(cut_symbols_are_refused);
    RUN(nothing_is_an_empty_string);
    return test_end();
}
