/* nanorpc/hpack/nrpc_hpack_value.c - values: numbers, paths, timeouts, and what is expected.
 * Layer: core. Source: RFC 9113 8; gRPC over HTTP2; RFC 9110 8.6.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_hpack_value.h"

#include <string.h>

#include "nanorpc/hpack/nrpc_encoding.h"
#include "nanorpc/hpack/nrpc_hpack_keys.h"
#include "nanorpc/hpack/nrpc_hpack_table.h"
#include "nanorpc/server.h"

/* The values that matter, each after its field's token. */
/* clang-format off */
static const char expected_values[] = {
    '\200', NRPC_T_METHOD, 'P', 'O', 'S', 'T',
    '\200', NRPC_T_CONTENT_TYPE,
        'a', 'p', 'p', 'l', 'i', 'c', 'a', 't', 'i', 'o', 'n', '/', 'g', 'r', 'p', 'c',
    '\200', NRPC_T_GRPC_ENCODING, 'i', 'd', 'e', 'n', 't', 'i', 't', 'y',
    '\200', NRPC_T_TE, 't', 'r', 'a', 'i', 'l', 'e', 'r', 's',
    '\377',
};
/* clang-format on */

/* Fields whose value means something here: a bit each; keys, too. */
#define WANTED                                                                         \
    (NRPC_FIELD(METHOD) | NRPC_FIELD(PATH) | NRPC_FIELD(CONTENT_LENGTH) |              \
     NRPC_FIELD(CONTENT_TYPE) | NRPC_FIELD(GRPC_ENCODING) | NRPC_FIELD(GRPC_TIMEOUT) | \
     NRPC_FIELD(TE) | NRPC_COMPRESSION * NRPC_FIELD(GRPC_ACCEPT_ENCODING) |            \
     NRPC_CLIENT * (NRPC_FIELD(STATUS) | NRPC_FIELD(GRPC_STATUS) | NRPC_FIELD(GRPC_MESSAGE)))

/* Fields whose value is a decimal number: a bit each. */
#define NUMBERS \
    (NRPC_FIELD(CONTENT_LENGTH) | NRPC_CLIENT * (NRPC_FIELD(STATUS) | NRPC_FIELD(GRPC_STATUS)))

static int is_number(const struct nrpc_hpack *hpack)
{
    return NUMBERS >> hpack->token & 1;
}

/* Returns whether the byte does not belong to a decimal number. 268 million are more bytes than a
 * window ever lets in, and more than a grpc-timeout has. */
static NRPC_NOINLINE int is_no_digit(struct nrpc_hpack *hpack, uint8_t byte)
{
    unsigned digit = byte - (unsigned)'0';
    if (digit > 9 || hpack->value > UINT32_MAX / 16) {
        return 1;
    }
    hpack->value = hpack->value * 10 + digit;
    return 0;
}

/* gRPC over HTTP2, "Timeout": 1 to 8 digits, then a unit, and that is the end. With it the value
 * becomes milliseconds, marked with HAS_UNIT; whatever is wrong makes it UINT32_MAX, which stays.
 */
#define HAS_UNIT (NRPC_TIMEOUT_MAX + 1)
static void timeout_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    static const char units[] = "HMSmun";
    static const uint32_t factors[] = {3600000, 60000, 1000, 1, 1000, 1000000};
    uint32_t place = hpack->bytes - hpack->name_bytes - NRPC_ENTRY_OVERHEAD; /* from 1 */
    if (place <= 8 && !is_no_digit(hpack, byte)) {
        return;
    }
    const char *unit = memchr(units, byte, 6);
    uint32_t value = hpack->value;
    if (!unit || place < 2 || value >= HAS_UNIT) {
        value = UINT32_MAX;
    } else {
        uint32_t factor = factors[unit - units];
        if (unit - units > 3) {
            value = (value + factor - 1) / factor;
        } else {
            value = value > NRPC_TIMEOUT_MAX / factor ? NRPC_TIMEOUT_MAX : value * factor;
        }
        value |= HAS_UNIT;
    }
    hpack->value = value;
}

/* --- With NRPC_COMPRESSION: lists of encodings ---------------------------------------------- */

#if NRPC_COMPRESSION
/* In the order of enum nrpc_encoding; what is none of them becomes bit 7. */
static const char encodings[] = "\200deflate\200gzip\200identity\377";
NRPC_STATIC_ASSERT(NRPC_ENCODING_DEFLATE == 1 << 0 && NRPC_ENCODING_GZIP == 1 << 1 &&
                       NRPC_ENCODING_IDENTITY == 1 << 2 &&
                       NRPC_ENCODING_OTHER == 1 << (NRPC_NO_MATCH & 7),
                   "encodings");

static int is_encodings(const struct nrpc_hpack *hpack)
{
    return hpack->token == NRPC_T_GRPC_ACCEPT_ENCODING || hpack->token == NRPC_T_GRPC_ENCODING;
}

static void encoding_begin(struct nrpc_hpack *hpack)
{
    nrpc_match_begin(&hpack->match, encodings);
}

/* An encoding's name has ended. */
static void encoding_end(struct nrpc_hpack *hpack)
{
    hpack->value |= (uint32_t)1 << (nrpc_match_end(&hpack->match) & 7);
}

static void encodings_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (byte == ',') {
        encoding_end(hpack);
        encoding_begin(hpack);
    } else if (byte != ' ') {
        nrpc_match_byte(&hpack->match, byte);
    }
}
#else
#define is_encodings(hpack) 0
#define encoding_begin(hpack) ((void)0)
#define encoding_end(hpack) ((void)0)
#define encodings_byte(hpack, byte) ((void)0)
#endif

/* --- A value -------------------------------------------------------------------------------- */

/* grpc-message is a text, and the table keeps none: who wants it gets it as it comes. */
static void message_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
#if NRPC_CLIENT
    if (hpack->token == NRPC_T_GRPC_MESSAGE && hpack->server->message_byte) {
        hpack->server->message_byte(hpack, byte);
    }
#else
    (void)hpack;
    (void)byte;
#endif
}

void nrpc_hpack_value_begin(struct nrpc_hpack *hpack)
{
    hpack->value = 0;
    hpack->bytes = hpack->name_bytes + NRPC_ENTRY_OVERHEAD;
    hpack->bad = hpack->token == NRPC_T_BAD;
    hpack->wanted = 1;
    if (hpack->token == NRPC_T_PATH) {
        memset(&hpack->match, 0, sizeof hpack->match);
    } else if (hpack->token >= NRPC_T_KEY) {
        nrpc_hpack_text_begin(hpack);
    } else if (is_encodings(hpack)) {
        encoding_begin(hpack);
    } else {
        nrpc_match_begin(&hpack->match, expected_values);
        hpack->wanted = WANTED >> hpack->token & 1;
        if (hpack->wanted) {
            nrpc_match_byte(&hpack->match, hpack->token);
        }
    }
}

static NRPC_NOINLINE void value_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (hpack->token == NRPC_T_PATH) {
        nrpc_path_byte(&hpack->match, byte, hpack->server->services, hpack->server->n_services);
        return;
    }
    if (hpack->token >= NRPC_T_KEY) {
        nrpc_hpack_text_add(hpack, byte);
        return;
    }
    if (is_encodings(hpack)) {
        encodings_byte(hpack, byte);
        return;
    }
    message_byte(hpack, byte);
    if (is_number(hpack)) {
        if (is_no_digit(hpack, byte)) {
            hpack->bad = 1;
        }
        return;
    }
    if (hpack->token == NRPC_T_GRPC_TIMEOUT) {
        timeout_byte(hpack, byte);
        return;
    }
    /* application/grpc+proto: the rest does not matter; but application/grpc-web is another. */
    if (hpack->token != NRPC_T_CONTENT_TYPE || nrpc_match_end(&hpack->match) == NRPC_NO_MATCH ||
        (byte == '-' && hpack->bytes == hpack->name_bytes + NRPC_ENTRY_OVERHEAD + 17u)) {
        nrpc_match_byte(&hpack->match, byte);
    }
}

void nrpc_hpack_value_bytes(struct nrpc_hpack *hpack, const uint8_t *p, const uint8_t *end)
{
    const unsigned never = 1 << '\0' | 1 << '\r' | 1 << '\n'; /* RFC 9113 8.2.1 */
    for (; p != end; p++) {
        hpack->bytes++;
        if (*p <= '\r' && never >> *p & 1) {
            hpack->bad = 1;
        }
        if (hpack->wanted) { /* most are not */
            value_byte(hpack, *p);
        }
    }
}

void nrpc_hpack_value_end(struct nrpc_hpack *hpack)
{
    if (hpack->token == NRPC_T_PATH) {
        hpack->value = nrpc_path_end(&hpack->match);
        if (!hpack->match.position) {
            hpack->bad = 1; /* empty, or without its '/': RFC 9113 8.3.1 */
        }
        return;
    }
    if (hpack->token >= NRPC_T_KEY) {
        return;
    }
    if (is_encodings(hpack)) {
        encoding_end(hpack);
        return;
    }
    if (hpack->token == NRPC_T_GRPC_TIMEOUT) {
        uint32_t value = hpack->value - HAS_UNIT;
        hpack->value = value <= NRPC_TIMEOUT_MAX ? value : UINT32_MAX;
        return;
    }
    if (is_number(hpack)) {
        if (hpack->bytes == hpack->name_bytes + NRPC_ENTRY_OVERHEAD) {
            hpack->bad = 1; /* RFC 9110 8.6 */
        }
        return;
    }
    unsigned odd = nrpc_match_end(&hpack->match) == NRPC_NO_MATCH;
    hpack->value = odd;
    if (odd && hpack->token == NRPC_T_TE) {
        hpack->bad = 1; /* RFC 9113 8.2.2 */
    }
}
