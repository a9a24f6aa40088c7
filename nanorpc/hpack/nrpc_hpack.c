/* nanorpc/hpack/nrpc_hpack.c - the streaming decoder: one state per byte, no text kept.
 * Layer: core. Source: RFC 7541.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_hpack.h"

#include <string.h>

#include "nanorpc/hpack/nrpc_hpack_keys.h"
#include "nanorpc/hpack/nrpc_hpack_table.h"
#include "nanorpc/hpack/nrpc_hpack_value.h"

/* What the next byte belongs to. */
enum state {
    FIRST, /* as FIELD, and no field has come yet: the table's size may change */
    FIELD, /* a representation's first number: an index or a table size */
    NAME_LENGTH,
    VALUE_LENGTH,
    NAME,
    VALUE
};

/* --- Names -------------------------------------------------------------------------------- */

const char nrpc_hpack_names[] =
    "\200:authority\201method\201path\201scheme\202tatus\200connection\203tent-length\210type"
    "\200grpc-accept-encoding\205encoding\205message\205status\205timeout\200keep-alive"
    "\200proxy-connection\200te\201ransfer-encoding\200upgrade\377";

/* Static table, RFC 7541 appendix A: the names' lengths, and which names matter here. Of those that
 * do, content-type has no number of its own any more: STATIC_TYPE stands for it. */
enum {
    AUTHORITY = NRPC_T_AUTHORITY,
    METHOD = NRPC_T_METHOD,
    PATH = NRPC_T_PATH,
    SCHEME = NRPC_T_SCHEME,
    STATUS = NRPC_T_STATUS,
    BAD = NRPC_T_BAD,
    LENGTH = NRPC_T_CONTENT_LENGTH,
    OTHER_NAME = 7
};
#define NAMED(token, length) (token << 5 | length)
#define OTHER(length) NAMED(OTHER_NAME, length)
enum { STATIC_ENTRIES = 61 };
/* clang-format off */
static const uint8_t static_names[STATIC_ENTRIES] = {
    NAMED(AUTHORITY, 10), NAMED(METHOD, 7), NAMED(METHOD, 7), NAMED(PATH, 5), NAMED(PATH, 5),
    NAMED(SCHEME, 7), NAMED(SCHEME, 7), NAMED(STATUS, 7), NAMED(STATUS, 7), NAMED(STATUS, 7),
    NAMED(STATUS, 7), NAMED(STATUS, 7), NAMED(STATUS, 7), NAMED(STATUS, 7), OTHER(14),
    OTHER(15), OTHER(15), OTHER(13), OTHER(6), OTHER(27), OTHER(3), OTHER(5), OTHER(13), OTHER(13),
    OTHER(19), OTHER(16), OTHER(16), NAMED(LENGTH, 14), OTHER(16), OTHER(13), OTHER(12), OTHER(6),
    OTHER(4), OTHER(4), OTHER(6), OTHER(7), OTHER(4), OTHER(4), OTHER(8), OTHER(17), OTHER(13),
    OTHER(8), OTHER(19), OTHER(13), OTHER(4), OTHER(8), OTHER(12), OTHER(18), OTHER(19), OTHER(5),
    OTHER(7), OTHER(7), OTHER(11), OTHER(6), OTHER(10), OTHER(25), NAMED(BAD, 17), OTHER(10),
    OTHER(4), OTHER(3), OTHER(16),
};
/* clang-format on */
static const uint8_t static_value_lengths[16] = {0, 3, 4, 1, 11, 4, 5, 3, 3, 3, 3, 3, 3, 3, 0, 13};
enum { STATIC_POST = 3 - 1, STATIC_STATUS = 8 - 1, STATIC_TYPE = 31 - 1 };
static const uint16_t static_statuses[] = {200, 204, 206, 304, 400, 404, 500};

/* What the names begin with, by the low 5 bits: most that nobody asked for need not be looked for.
 */
#define INITIAL(byte) ((uint32_t)1 << ((byte) & 31))
#define INITIALS                                                                               \
    (INITIAL(':') | INITIAL('c') | INITIAL('g') | INITIAL('k') | INITIAL('p') | INITIAL('t') | \
     INITIAL('u'))

static void name_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (byte <= ' ' || byte >= 0x7f || (byte >= 'A' && byte <= 'Z') || byte == ':') {
        hpack->bad = 1; /* unless the name is known: then it is a pseudo-header's colon */
    }
    if (!hpack->name_bytes && !(INITIALS >> (byte & 31) & 1)) {
        hpack->match.position = UINT16_MAX; /* none of them */
    }
    nrpc_match_byte(&hpack->match, byte);
    nrpc_hpack_key_byte(hpack, byte);
    hpack->name_bytes++;
}

static void begin_value(struct nrpc_hpack *hpack)
{
    hpack->state = VALUE_LENGTH;
    nrpc_hpack_value_begin(hpack);
}

static void name_end(struct nrpc_hpack *hpack)
{
    unsigned token = nrpc_match_end(&hpack->match);
    if (token == NRPC_NO_MATCH) {
        token = hpack->bad || !hpack->name_bytes ? NRPC_T_BAD : nrpc_hpack_key_end(hpack);
    } else if (token > NRPC_T_GRPC_TIMEOUT && token != NRPC_T_TE) {
        token = NRPC_T_BAD; /* specific to a connection, RFC 9113 8.2.2 */
    }
    hpack->token = (uint8_t)token;
    begin_value(hpack);
}

/* The field that a static entry is. index: from 0. */
static void load_static(struct nrpc_hpack *hpack, uint32_t index)
{
    unsigned named = static_names[index], token = named >> 5, name_bytes = named & 31;
    uint32_t value = index - STATIC_POST; /* 0: as it is expected to be */
    if (token == PATH) {
        value = NRPC_PATH_UNKNOWN;
    } else if (NRPC_CLIENT && token == STATUS) {
        value = static_statuses[index - STATIC_STATUS];
    } else if (token == OTHER_NAME) {
        token = index == STATIC_TYPE ? (unsigned)NRPC_T_CONTENT_TYPE
                                     : nrpc_hpack_key_static(hpack, index + 1);
    }
    hpack->token = (uint8_t)token;
    hpack->bad = token == BAD || token == LENGTH; /* which is empty */
    hpack->name_bytes = name_bytes;
    hpack->value = value;
    hpack->bytes = (uint32_t)name_bytes + NRPC_ENTRY_OVERHEAD;
    if (index < sizeof static_value_lengths) {
        hpack->bytes += static_value_lengths[index];
    }
}

/* RFC 7541 2.3.3. Loads a whole entry; a caller that wants only its name begins a new value. */
static int look_up(struct nrpc_hpack *hpack, uint32_t index)
{
    hpack->state = FIELD;
    if (--index >= (uint32_t)STATIC_ENTRIES + hpack->count) { /* 0 as well */
        return -1;
    }
    if (index >= STATIC_ENTRIES) {
        nrpc_hpack_load(hpack, index - STATIC_ENTRIES);
    } else {
        load_static(hpack, index);
    }
    return 1;
}

/* --- Strings ------------------------------------------------------------------------------ */

/* Ends the string whose bytes have all come. Returns 1 when that completes a field. */
static int string_end(struct nrpc_hpack *hpack)
{
    if (!nrpc_huffman_end(&hpack->huffman)) { /* as it began, where the string is not of that kind
                                               */
        return -1;
    }
    if (hpack->state == NAME) {
        name_end(hpack);
        return 0;
    }
    nrpc_hpack_value_end(hpack);
    if (hpack->kind & 0x40) {
        nrpc_hpack_insert(hpack);
    }
    hpack->state = FIELD;
    return 1;
}

/* Bytes of a string, as they are meant. */
static void text_bytes(struct nrpc_hpack *hpack, const uint8_t *p, const uint8_t *end)
{
    if (hpack->state == NAME) {
        while (p != end) {
            name_byte(hpack, *p++);
        }
    } else {
        nrpc_hpack_value_bytes(hpack, p, end);
    }
}

/* Of three bytes, and those before whose last symbol had not ended: 1 + 23 / 5. */
enum { DECODED_MAX = 5 };

/* Decodes from *at on some bytes. Returns how many symbols there were, or -1: the end-of-string
 * symbol was among them. */
static int huffman_bytes(struct nrpc_hpack *hpack, const uint8_t **at, const uint8_t *end,
                         uint8_t *text)
{
    struct nrpc_huffman state = hpack->huffman;
    uint32_t bits = nrpc_huffman_bits(at, end);
    int symbol, n = 0;
    while ((symbol = nrpc_huffman_next(&state, &bits)) >= 0) {
        if (symbol == NRPC_HUFFMAN_EOS) {
            return -1;
        }
        text[n++] = (uint8_t)symbol;
    }
    hpack->huffman = state;
    return n;
}

/* Takes as many bytes as belong to the string; there is one at least. */
static int string_bytes(struct nrpc_hpack *hpack, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    if ((size_t)(end - p) > hpack->n.left) {
        end = p + hpack->n.left;
    }
    hpack->n.left -= (uint32_t)(end - p);
    *at = end;
    do {
        uint8_t decoded[DECODED_MAX];
        const uint8_t *text = p, *text_end = end;
        if (hpack->is_huffman) {
            int n = huffman_bytes(hpack, &p, end, decoded);
            if (n < 0) {
                return -1;
            }
            text = decoded;
            text_end = decoded + n;
        } else {
            p = end;
        }
        text_bytes(hpack, text, text_end);
    } while (p != end);
    return hpack->n.left ? 0 : string_end(hpack);
}

/* --- Numbers, fields ---------------------------------------------------------------------- */

/* A representation's index or size is known, RFC 7541 6. */
static int index_end(struct nrpc_hpack *hpack)
{
    uint32_t index = hpack->n.number;
    if (hpack->kind >> 5 == 1) {
        if (hpack->state != FIRST || index > hpack->limit) {
            return -1;
        }
        nrpc_hpack_resize(hpack, index);
        return 0;
    }
    if (hpack->kind & 0x80) {
        return look_up(hpack, index);
    }
    if (index) {
        int known = look_up(hpack, index);
        begin_value(hpack);
        return known >> 1; /* the field is not complete: -1 or 0 */
    }
    hpack->state = NAME_LENGTH;
    hpack->name_bytes = hpack->bad = hpack->key = 0;
    nrpc_match_begin(&hpack->match, nrpc_hpack_names);
    return 0;
}

static int number_end(struct nrpc_hpack *hpack)
{
    hpack->shift = 0;
    if (hpack->state <= FIELD) {
        return index_end(hpack);
    }
    hpack->state = (uint8_t)(hpack->state + NAME - NAME_LENGTH);
    memset(&hpack->huffman, 0, sizeof hpack->huffman);
    hpack->n.left = hpack->n.number;
    return hpack->n.left ? 0 : string_end(hpack);
}

/* RFC 7541 5.1. At most four bytes follow the first one: 28 bits, so nothing can wrap, not even
 * what name and value of 5 bits a byte come to. What is larger is an error wherever it stands. */
#define NUMBER_MAX (0x0fffffffu + 0x7f)
NRPC_STATIC_ASSERT(NUMBER_MAX / 5 * 8 <= (INT32_MAX - NRPC_HEADER_LIST_MAX) / 2,
                   "hpack->bytes, fields->list_bytes");
static int number_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    unsigned mask = 0x7f, shift = hpack->shift;
    if (shift) {
        if (shift > 22) {
            return -1;
        }
        hpack->n.number += (uint32_t)(byte & 0x7f) << (shift - 1);
        hpack->shift = (uint8_t)(shift + 7);
        return byte & 0x80 ? 0 : number_end(hpack);
    }
    hpack->is_huffman = byte >> 7;
    if (hpack->state <= FIELD) {
        uint32_t index = byte ^ 0x80u;
        if (index < 0x7f) { /* an indexed field of one byte: most are */
            return look_up(hpack, index);
        }
        hpack->kind = byte;
        while (mask > 0x0f && !(byte & (mask + 1))) { /* RFC 7541 6: the bits up to the first 1 */
            mask >>= 1;
        }
    }
    hpack->n.number = byte & mask;
    if (hpack->n.number == mask) {
        hpack->shift = 1;
        return 0;
    }
    return number_end(hpack);
}

/* With NRPC_FAST a block that is known does not come here, and need not pay for what is below. */
#if NRPC_FAST
__attribute__((noinline))
#endif
int nrpc_hpack_decode(struct nrpc_hpack *hpack, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    int done = 0;
    while (!done && p != end) {
        done = hpack->state >= NAME ? string_bytes(hpack, &p, end) : number_byte(hpack, *p++);
    }
    *at = p;
    return done;
}

void nrpc_hpack_init(struct nrpc_hpack *hpack, const struct nrpc_server *server)
{
    memset(hpack, 0, sizeof *hpack);
    hpack->max_bytes = hpack->limit = NRPC_LARGEST_TABLE;
    hpack->server = server;
}
