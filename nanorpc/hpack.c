/* nanorpc/hpack.c - the streaming decoder: one state per byte, no text kept.
 * Layer: core. Source: RFC 7541.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hpack.h"

#include <string.h>

/* What the next byte belongs to. */
enum state {
    FIELD, /* a representation's first number: an index or a table size */
    NAME_LENGTH,
    VALUE_LENGTH,
    NAME,
    VALUE
};

enum { STATIC_ENTRIES = 61, ENTRY_OVERHEAD = 32, LARGEST_TABLE = 4096 };

const char nrpc_hpack_names[] =
    "\200:authority\201method\201path\201scheme\200connection\203tent-length\210type"
    "\200grpc-encoding\200keep-alive\200proxy-connection\200te\201ransfer-encoding\200upgrade\377";

/* Static table, RFC 7541 appendix A: the names' lengths, and which names matter here. */
enum class { OTHER, AUTHORITY, METHOD, PATH, SCHEME, CONTENT, BAD };
static const uint8_t token_of_class[] = {NRPC_T_OTHER,  NRPC_T_AUTHORITY,      NRPC_T_METHOD, NRPC_T_PATH,
                                         NRPC_T_SCHEME, NRPC_T_CONTENT_LENGTH, NRPC_T_BAD};
#define NAMED(class, length) (class << 5 | length)
static const uint8_t static_names[STATIC_ENTRIES] = {
    NAMED(AUTHORITY, 10), NAMED(METHOD, 7), NAMED(METHOD, 7), NAMED(PATH, 5), NAMED(PATH, 5),
    NAMED(SCHEME, 7), NAMED(SCHEME, 7), NAMED(BAD, 7), NAMED(BAD, 7), NAMED(BAD, 7), NAMED(BAD, 7),
    NAMED(BAD, 7), NAMED(BAD, 7), NAMED(BAD, 7), 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16,
    NAMED(CONTENT, 14), 16, 13, NAMED(CONTENT, 12), 6, 4, 4, 6, 7, 4, 4, 8, 17, 13, 8,
    19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10, 25, NAMED(BAD, 17), 10, 4, 3, 16};
static const uint8_t static_value_lengths[16] = {0, 3, 4, 1, 11, 4, 5, 3, 3, 3, 3, 3, 3, 3, 0, 13};
enum { STATIC_POST = 3 - 1, STATIC_CONTENT_LENGTH = 28 - 1, STATIC_CONTENT_TYPE = 31 - 1 };

/* --- The dynamic table -------------------------------------------------------------------- */

/* An entry's shape. A table of at most 4096 bytes leaves a name 4064. */
enum { BYTES_MASK = 0x1fff, BAD_BIT = 0x8000, NAME_SHIFT = 16, NAME_MASK = 0xfff, TOKEN_SHIFT = 28 };

/* The i-th newest entry, i < count. */
static struct nrpc_hpack_entry *entry_at(struct nrpc_hpack *hpack, uint32_t i)
{
    return &hpack->entries[(hpack->newest - i) & (NRPC_HPACK_ENTRIES - 1u)];
}

static void evict_to(struct nrpc_hpack *hpack, uint32_t bytes)
{
    while (hpack->used_bytes > bytes) {
        const struct nrpc_hpack_entry *oldest = entry_at(hpack, --hpack->count);
        hpack->used_bytes = (uint16_t)(hpack->used_bytes - (oldest->shape & BYTES_MASK));
    }
}

static void note_change(struct nrpc_hpack *hpack)
{
#if NRPC_FAST
    hpack->generation++;
#else
    (void)hpack;
#endif
}

/* RFC 7541 4.4. A profile with fewer than 128 entries may also lose the oldest to the ring's
 * size: a client that then refers to it has not kept to our SETTINGS_HEADER_TABLE_SIZE. */
static void insert(struct nrpc_hpack *hpack)
{
    note_change(hpack);
    uint32_t bytes = hpack->bytes;
    if (bytes > hpack->max_bytes || NRPC_HPACK_ENTRIES == 0) {
        evict_to(hpack, 0);
        return;
    }
    evict_to(hpack, hpack->max_bytes - bytes);
    if (hpack->count == NRPC_HPACK_ENTRIES) {
        evict_to(hpack, hpack->used_bytes - 1u);
    }
    hpack->newest++;
    hpack->count++;
    hpack->used_bytes = (uint16_t)(hpack->used_bytes + bytes);
    struct nrpc_hpack_entry *entry = entry_at(hpack, 0);
    entry->value = hpack->value;
    entry->shape = bytes | (hpack->bad ? BAD_BIT : 0u) | (uint32_t)hpack->name_bytes << NAME_SHIFT |
                   (uint32_t)hpack->token << TOKEN_SHIFT;
}

/* --- Values ------------------------------------------------------------------------------- */

/* What the values that matter are expected to be. All are looked up in one list. */
static const char expected_values[] = "\200POST\200application/grpc\200identity\200trailers\377";
enum { ANY = NRPC_NO_MATCH };
static const uint8_t expected[] = {
    [NRPC_T_AUTHORITY] = ANY,      [NRPC_T_METHOD] = 0,           [NRPC_T_PATH] = ANY,
    [NRPC_T_SCHEME] = ANY,         [NRPC_T_CONNECTION] = ANY,     [NRPC_T_CONTENT_LENGTH] = ANY,
    [NRPC_T_CONTENT_TYPE] = 1,     [NRPC_T_GRPC_ENCODING] = 2,    [NRPC_T_KEEP_ALIVE] = ANY,     [NRPC_T_PROXY_CONNECTION] = ANY, [NRPC_T_TE] = 3,
    [NRPC_T_TRANSFER_ENCODING] = ANY, [NRPC_T_UPGRADE] = ANY,     [NRPC_T_OTHER] = ANY,
    [NRPC_T_BAD] = ANY,
};

/* These are bad without a byte, RFC 9113 8.3.1, RFC 9110 8.6. */
enum { NOT_EMPTY = 1 << NRPC_T_PATH | 1 << NRPC_T_CONTENT_LENGTH };

static void value_begin(struct nrpc_hpack *hpack)
{
    hpack->state = VALUE_LENGTH;
    hpack->value = 0;
    hpack->bytes = (uint16_t)(hpack->name_bytes + ENTRY_OVERHEAD);
    hpack->bad = 1u << hpack->token & (1u << NRPC_T_BAD | NOT_EMPTY) ? 1 : 0;
    if (hpack->token == NRPC_T_PATH) {
        memset(&hpack->match, 0, sizeof hpack->match);
    } else {
        nrpc_match_begin(&hpack->match, expected_values);
    }
}

static void content_length_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    unsigned digit = byte - (unsigned)'0';
    if (digit > 9 || hpack->value > UINT32_MAX / 16) { /* 268 MB: more than a window ever lets in */
        hpack->bad = 1;
        return;
    }
    hpack->value = hpack->value * 10 + digit;
}

static void value_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (hpack->bytes++ == hpack->name_bytes + ENTRY_OVERHEAD && 1u << hpack->token & NOT_EMPTY) {
        hpack->bad = hpack->token == NRPC_T_PATH && byte != '/';
    }
    if (byte == '\0' || byte == '\r' || byte == '\n') {
        hpack->bad = 1; /* RFC 9113 8.2.1 */
    }
    if (hpack->token == NRPC_T_PATH) {
        nrpc_path_byte(&hpack->match, byte, hpack->services, hpack->n_services);
    } else if (hpack->token == NRPC_T_CONTENT_LENGTH) {
        content_length_byte(hpack, byte);
    } else if (hpack->token != NRPC_T_CONTENT_TYPE || nrpc_match_end(&hpack->match) == NRPC_NO_MATCH) {
        nrpc_match_byte(&hpack->match, byte); /* application/grpc+proto: the rest does not matter */
    }
}

static void value_end(struct nrpc_hpack *hpack)
{
    if (hpack->token == NRPC_T_PATH) {
        hpack->value = nrpc_path_end(&hpack->match);
    } else if (expected[hpack->token] != ANY && expected[hpack->token] != nrpc_match_end(&hpack->match)) {
        hpack->value = 1;
        hpack->bad |= hpack->token == NRPC_T_TE;
    }
}

/* --- Names -------------------------------------------------------------------------------- */

static void name_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (byte <= ' ' || byte >= 0x7f || (byte >= 'A' && byte <= 'Z') || byte == ':') {
        hpack->bad = 1; /* unless the name is known: then it is a pseudo-header's colon */
    }
    nrpc_match_byte(&hpack->match, byte);
    hpack->name_bytes++;
}

static void name_end(struct nrpc_hpack *hpack)
{
    const unsigned connection_specific = /* RFC 9113 8.2.2 */
        1u << NRPC_T_CONNECTION | 1u << NRPC_T_KEEP_ALIVE | 1u << NRPC_T_PROXY_CONNECTION |
        1u << NRPC_T_TRANSFER_ENCODING | 1u << NRPC_T_UPGRADE;
    unsigned token = nrpc_match_end(&hpack->match);
    if (token == NRPC_NO_MATCH) {
        token = hpack->bad || !hpack->name_bytes ? NRPC_T_BAD : NRPC_T_OTHER;
    } else if (connection_specific >> token & 1) {
        token = NRPC_T_BAD;
    }
    hpack->token = (uint8_t)token;
    value_begin(hpack);
}

/* RFC 7541 2.3.3. Loads a whole entry; a caller that wants only its name begins a new value. */
static int look_up(struct nrpc_hpack *hpack, uint32_t index)
{
    if (--index >= (uint32_t)STATIC_ENTRIES + hpack->count) { /* 0 as well */
        return -1;
    }
    if (index >= STATIC_ENTRIES) {
        const struct nrpc_hpack_entry *entry = entry_at(hpack, index - STATIC_ENTRIES);
        hpack->token = (uint8_t)(entry->shape >> TOKEN_SHIFT);
        hpack->bad = (entry->shape & BAD_BIT) != 0;
        hpack->name_bytes = entry->shape >> NAME_SHIFT & NAME_MASK;
        hpack->bytes = entry->shape & BYTES_MASK;
        hpack->value = entry->value;
        return 1;
    }
    uint8_t named = static_names[index];
    hpack->token = (uint8_t)(token_of_class[named >> 5] + (index == STATIC_CONTENT_TYPE));
    hpack->bad = hpack->token == NRPC_T_BAD || index == STATIC_CONTENT_LENGTH;
    hpack->name_bytes = named & 31;
    hpack->bytes = (uint16_t)(hpack->name_bytes + ENTRY_OVERHEAD +
                              (index < sizeof static_value_lengths ? static_value_lengths[index] : 0));
    hpack->value = hpack->token == NRPC_T_PATH ? NRPC_PATH_UNKNOWN : index != STATIC_POST;
    return 1;
}

/* --- Numbers, strings, fields ------------------------------------------------------------- */

/* RFC 7541 6: which bits of a representation's first byte begin its number. */
static uint8_t number_mask(uint8_t kind)
{
    return kind & 0x80 ? 0x7f : kind & 0x40 ? 0x3f : kind & 0x20 ? 0x1f : 0x0f;
}

/* RFC 7541 5.1. At most four bytes follow the first one: 28 bits, so nothing can wrap.
 * Returns 1: hpack->integer is complete; 0: more bytes follow; -1: too large. */
static NRPC_NOINLINE int number_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    uint8_t mask = 0x7f;
    if (hpack->shift) {
        if (hpack->shift > 22) {
            return -1;
        }
        hpack->integer += (uint32_t)(byte & 0x7f) << (hpack->shift - 1);
        hpack->shift = (uint8_t)(hpack->shift + 7);
        if (byte & 0x80) {
            return 0;
        }
    } else {
        if (hpack->state == FIELD) {
            hpack->kind = byte;
            mask = number_mask(byte);
        } else {
            hpack->is_huffman = byte >> 7;
        }
        hpack->integer = byte & mask;
        if (hpack->integer == mask) {
            hpack->shift = 1;
            return 0;
        }
    }
    hpack->shift = 0;
    return 1;
}

/* Ends the string whose bytes have all come. Returns 1 when that completes a field. */
static int string_end(struct nrpc_hpack *hpack)
{
    if (hpack->is_huffman && !nrpc_huffman_end(&hpack->huffman)) {
        return -1;
    }
    if (hpack->state == NAME) {
        name_end(hpack);
        return 0;
    }
    value_end(hpack);
    if ((hpack->kind & 0xc0) == 0x40) {
        insert(hpack);
    }
    hpack->state = FIELD;
    return 1;
}

static void decoded_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (hpack->state == NAME) {
        name_byte(hpack, byte);
    } else {
        value_byte(hpack, byte);
    }
}

static int string_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (!hpack->is_huffman) {
        decoded_byte(hpack, byte);
    } else {
        for (unsigned mask = 0x80; mask; mask >>= 1) {
            int symbol = nrpc_huffman_bit(&hpack->huffman, byte & mask);
            if (symbol == NRPC_HUFFMAN_EOS) {
                return -1;
            }
            if (symbol >= 0) {
                decoded_byte(hpack, (uint8_t)symbol);
            }
        }
    }
    return --hpack->left ? 0 : string_end(hpack);
}

/* A representation's index or size is known, RFC 7541 6. */
static int index_end(struct nrpc_hpack *hpack)
{
    if ((hpack->kind & 0xe0) == 0x20) {
        if (hpack->had_field || hpack->integer > LARGEST_TABLE) {
            return -1;
        }
        hpack->max_bytes = (uint16_t)hpack->integer;
        note_change(hpack);
        evict_to(hpack, hpack->integer);
        return 0;
    }
    hpack->had_field = 1;
    if (hpack->kind & 0x80) {
        return look_up(hpack, hpack->integer);
    }
    if (hpack->integer) {
        int known = look_up(hpack, hpack->integer);
        value_begin(hpack);
        return known - 1 < 0 ? -1 : 0;
    }
    hpack->state = NAME_LENGTH;
    hpack->name_bytes = hpack->bad = 0;
    nrpc_match_begin(&hpack->match, nrpc_hpack_names);
    return 0;
}

static int number_end(struct nrpc_hpack *hpack)
{
    if (hpack->state == FIELD) {
        return index_end(hpack);
    }
    if (hpack->integer > NRPC_HEADER_BLOCK_MAX) {
        return -1;
    }
    hpack->left = (uint16_t)hpack->integer;
    hpack->state += NAME - NAME_LENGTH;
    memset(&hpack->huffman, 0, sizeof hpack->huffman);
    return hpack->left ? 0 : string_end(hpack);
}

int nrpc_hpack_decode(struct nrpc_hpack *hpack, const uint8_t **at, const uint8_t *end)
{
    int done = 0;
    while (!done && *at != end) {
        uint8_t byte = *(*at)++;
        if (hpack->state >= NAME) {
            done = string_byte(hpack, byte);
        } else {
            done = number_byte(hpack, byte);
            if (done > 0) {
                done = number_end(hpack);
            }
        }
    }
    return done;
}

void nrpc_hpack_begin(struct nrpc_hpack *hpack)
{
    hpack->state = FIELD;
    hpack->shift = 0;
    hpack->had_field = 0;
}

int nrpc_hpack_end(const struct nrpc_hpack *hpack)
{
    return hpack->state == FIELD && !hpack->shift;
}

void nrpc_hpack_init(struct nrpc_hpack *hpack, const struct nrpc_service *const *services,
                     uint8_t n_services)
{
    memset(hpack, 0, sizeof *hpack);
    hpack->max_bytes = LARGEST_TABLE;
    hpack->services = services;
    hpack->n_services = n_services;
}
