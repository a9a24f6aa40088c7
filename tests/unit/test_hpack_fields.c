/* tests/unit/test_hpack_fields.c - what the decoder makes of values: numbers, timeouts, bad octets.
 * Layer: test. Source: RFC 7541 5.2; RFC 9110 8.6, RFC 9113 8.2.1; gRPC over HTTP2 "Timeout".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_hpack.h"

#include <string.h>

#include "hpack_vectors.h"
#include "nanorpc/nanorpc.h"
#include "test.h"

static const struct nrpc_service greeter = {.path = "/Greeter/",
                                            .method_names = "\200SayHello\377"};
static const struct nrpc_service *const services[] = {&greeter};
static const struct nrpc_server server = {NRPC_SERVER_ROLE_.services = services, .n_services = 1};

struct field {
    uint32_t value, bytes;
    uint8_t token, bad;
};

/* Decodes a block of at most so many fields, for a new connection, in pieces of so many bytes.
 * Returns their number, or -1. */
static int decode_pieces(const uint8_t *block, size_t n, struct field *fields, int most,
                         size_t piece)
{
    struct nrpc_hpack hpack;
    const uint8_t *at = test_guarded(block, n), *last = at + n;
    int count = 0, result = 0;
    nrpc_hpack_init(&hpack, &server);
    nrpc_hpack_begin(&hpack);
    while (at != last && result >= 0 && count <= most) {
        const uint8_t *end = (size_t)(last - at) < piece ? last : at + piece;
        while ((result = nrpc_hpack_decode(&hpack, &at, end)) > 0 && count < most) {
            fields[count].value = hpack.value;
            fields[count].bytes = hpack.bytes;
            fields[count].token = hpack.token;
            fields[count].bad = hpack.bad != 0;
            count++;
        }
    }
    return result == 0 && nrpc_hpack_end(&hpack) ? count : -1;
}

/* The same whole. */
static int decode(const uint8_t *block, size_t n, struct field *fields, int most)
{
    return decode_pieces(block, n, fields, most, n);
}

/* Puts a string of n bytes at `to`; encoded, it has fewer than 127. Returns its end. */
static uint8_t *put_string(uint8_t *to, const char *text, size_t n, int is_huffman)
{
    uint8_t *at = to + 1;
    uint64_t bits = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < n && !is_huffman; i++) {
        *at++ = (uint8_t)text[i];
    }
    for (size_t i = 0; i < n && is_huffman; i++) {
        unsigned length = hpack_huffman_codes[(uint8_t)text[i]].bits;
        bits = bits << length | hpack_huffman_codes[(uint8_t)text[i]].code;
        for (n_bits += length; n_bits >= 8; n_bits -= 8) {
            *at++ = (uint8_t)(bits >> (n_bits - 8));
        }
    }
    if (n_bits) {
        *at++ = (uint8_t)(bits << (8 - n_bits) | 0xffu >> n_bits);
    }
    *to = (uint8_t)((is_huffman ? 128 : 0) | (at - to - 1));
    return at;
}

static const struct {
    const char *text;
    int bad;
    uint32_t value;
} lengths[] = {
    {"0", 0, 0},     {"5", 0, 5},           {"12345", 0, 12345},  {"268435455", 0, 268435455},
    {"00007", 0, 7}, {"-1", 1, 0},          {"1 ", 1, 0},         {"1,1", 1, 0},
    {"0x10", 1, 0},  {"99999999999", 1, 0}, {"4294967297", 1, 0}, {"18446744073709551617", 1, 0},
    {"", 1, 0},
};

static void content_lengths(void)
{
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct field fields[1];
        uint8_t block[32] = {0x0f, 28 - 15};
        size_t n = strlen(lengths[i].text);
        block[2] = (uint8_t)n;
        memcpy(block + 3, lengths[i].text, n);
        test_context(lengths[i].text, (long)i);
        CHECK_EQ(decode(block, 3 + n, fields, 1), 1);
        CHECK_EQ(fields[0].token, NRPC_T_CONTENT_LENGTH);
        CHECK_EQ(fields[0].bad, lengths[i].bad);
        CHECK(lengths[i].bad || fields[0].value == lengths[i].value);
    }
}

static const struct {
    const char *text;
    uint32_t value;
} timeouts[] = {
    {"0m", 0},
    {"1m", 1},
    {"100m", 100},
    {"99999999m", 99999999},
    {"1S", 1000},
    {"2M", 120000},
    {"1H", 3600000},
    {"298H", 298u * 3600000},
    {"299H", NRPC_TIMEOUT_MAX},
    {"99999999H", NRPC_TIMEOUT_MAX},
    {"1u", 1},
    {"1000u", 1},
    {"1001u", 2},
    {"0u", 0},
    {"1n", 1},
    {"1000000n", 1},
    {"1000001n", 2},
    {"99999999n", 100},
    {"00000001S", 1000},
    {"000000001S", UINT32_MAX},
    {"100000000m", UINT32_MAX},
    {"", UINT32_MAX},
    {"m", UINT32_MAX},
    {"1", UINT32_MAX},
    {"1x", UINT32_MAX},
    {"1s", UINT32_MAX},
    {"1mm", UINT32_MAX},
    {"1m1", UINT32_MAX},
    {"-1m", UINT32_MAX},
    {"1 m", UINT32_MAX},
    {"1m ", UINT32_MAX},
    {"1.5S", UINT32_MAX},
    {"123456789012345678", UINT32_MAX},
};

static void timeouts_are_read(void)
{
    for (unsigned i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        struct field fields[2];
        uint8_t block[64] = "\x40\014grpc-timeout";
        size_t n = strlen(timeouts[i].text);
        block[14] = (uint8_t)n;
        memcpy(block + 15, timeouts[i].text, n);
        block[15 + n] = 0xbe; /* and again from the table */
        test_context(timeouts[i].text, (long)i);
        CHECK_EQ(decode(block, 16 + n, fields, 2), 2);
        for (unsigned k = 0; k < 2; k++) {
            CHECK_EQ(fields[k].token, NRPC_T_GRPC_TIMEOUT);
            CHECK_EQ(fields[k].bad, 0);
            CHECK_EQ(fields[k].value, timeouts[i].value);
        }
    }
}

/* The static table's content-length has an empty value, which is no number either. */
static void content_length_of_the_static_table(void)
{
    struct field fields[1];
    CHECK_EQ(decode((const uint8_t *)"\x9c", 1, fields, 1), 1);
    CHECK_EQ(fields[0].token, NRPC_T_CONTENT_LENGTH);
    CHECK_EQ(fields[0].bad, 1);
}

static void bad_names(void)
{
    for (unsigned c = 0; c < 256; c++) {
        struct field fields[1];
        uint8_t block[] = {0x00, 3, 'x', (uint8_t)c, 'y', 1, 'v'};
        int bad = c <= ' ' || c >= 0x7f || c == ':' || (c >= 'A' && c <= 'Z');
        test_context("octet", (long)c);
        CHECK_EQ(decode(block, sizeof block, fields, 1), 1);
        CHECK_EQ(fields[0].bad, bad);
        CHECK_EQ(fields[0].token, bad ? NRPC_T_BAD : NRPC_T_OTHER);
    }
}

/* Of a value that is looked at, and of those that are not, in all their ways to come. */
static void bad_values(void)
{
    static const struct {
        uint8_t head[3], n_head, token;
    } rows[] = {
        {{0x00, 1, 'x'}, 3, NRPC_T_OTHER},
        {{0x0f, 58 - 15}, 2, NRPC_T_OTHER},
        {{0x01}, 1, NRPC_T_AUTHORITY},
        {{0x06}, 1, NRPC_T_SCHEME},
        {{0x0f, 31 - 15}, 2, NRPC_T_CONTENT_TYPE},
        {{0x04}, 1, NRPC_T_PATH},
    };
    for (unsigned i = 0; i < 6u * 256 * 2; i += TEST_SIZE(1, 13)) {
        unsigned row = i / 512, is_huffman = i & 1;
        uint8_t c = (uint8_t)(i >> 1);
        const char value[] = {'/', (char)c, 'w'};
        struct field fields[1];
        uint8_t block[16];
        test_context("row, octet, Huffman", (long)i);
        memcpy(block, rows[row].head, rows[row].n_head);
        uint8_t *end = put_string(block + rows[row].n_head, value, sizeof value, (int)is_huffman);
        for (size_t piece = 1; piece <= (size_t)(end - block); piece++) {
            CHECK_EQ(decode_pieces(block, (size_t)(end - block), fields, 1, piece), 1);
            CHECK_EQ(fields[0].bad, c == 0 || c == '\r' || c == '\n');
            CHECK_EQ(fields[0].token, rows[row].token);
        }
    }
}

/* As many symbols as can end at once: one of 30 bits whose last bit is the first of the three bytes
 * that are taken together, then the shortest. */
static void long_codes_and_short_ones(void)
{
    for (unsigned before = 0; before < 8; before++) {
        char text[32];
        struct field fields[1];
        uint8_t block[64] = {0x00, 1, 'x'};
        size_t n = before + 1 + 20;
        memset(text, '0', sizeof text); /* 5 bits each */
        text[before] = '\n';
        test_context("before", (long)before);
        size_t bytes = (size_t)(put_string(block + 3, text, n, 1) - block);
        for (size_t piece = 1; piece <= bytes; piece++) {
            CHECK_EQ(decode_pieces(block, bytes, fields, 1, piece), 1);
            CHECK_EQ(fields[0].bytes, 1 + n + 32);
            CHECK_EQ(fields[0].bad, 1);
        }
    }
}

/* A value that nobody wants is still a string: RFC 7541 5.2. */
static void padding_of_skipped_values(void)
{
    static const struct {
        uint8_t value[6], n;
        int count;
    } rows[] = {
        {{0x81, 0x07}, 2, 1},                          /* "0", all ones */
        {{0x81, 0x06}, 2, -1},                         /* a zero among them */
        {{0x82, 0x07, 0xff}, 3, -1},                   /* 8 bits of it or more */
        {{0x85, 0xff, 0xff, 0xff, 0xff, 0xff}, 6, -1}, /* EOS */
    };
    for (unsigned i = 0; i < 4; i++) {
        uint8_t block[16] = {0x00, 1, 'x'};
        struct field fields[1];
        size_t bytes = 3u + rows[i].n;
        memcpy(block + 3, rows[i].value, rows[i].n);
        test_context("row", (long)i);
        for (size_t piece = 1; piece <= bytes; piece++) {
            CHECK_EQ(decode_pieces(block, bytes, fields, 1, piece), rows[i].count);
        }
    }
}

int main(void)
{
    RUN(content_lengths);
    RUN(timeouts_are_read);
    RUN(content_length_of_the_static_table);
    RUN(bad_names);
    RUN(bad_values);
    RUN(long_codes_and_short_ones);
    RUN(padding_of_skipped_values);
    return test_end();
}
