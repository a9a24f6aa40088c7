/* nanorpc/hpack/nrpc_hpack.c - the streaming decoder: one state per byte, no text kept.
 * Layer: core. Source: RFC 7541.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_hpack.h"

#include <string.h>

#include "nanorpc/grpc/nrpc_compress.h"
#include "nanorpc/http2/nrpc_role.h"

/* What the next byte belongs to. */
enum state {
    FIRST, /* as FIELD, and no field has come yet: the table's size may change */
    FIELD, /* a representation's first number: an index or a table size */
    NAME_LENGTH,
    VALUE_LENGTH,
    NAME,
    VALUE
};

enum { STATIC_ENTRIES = 61, ENTRY_OVERHEAD = 32, LARGEST_TABLE = 4096 };

const char nrpc_hpack_names[] =
    "\200:authority\201method\201path\201scheme"
#if NRPC_CLIENT
    "\202tatus"
#endif
    "\200connection\203tent-length\210type"
#if NRPC_COMPRESSION
    "\200grpc-accept-encoding\205encoding"
#else
    "\200grpc-encoding"
#endif
#if NRPC_CLIENT
    "\205message\205status"
#endif
    "\205timeout\200keep-alive\200proxy-connection\200te\201ransfer-encoding\200upgrade\377";

/* Static table, RFC 7541 appendix A: the names' lengths, and which names matter here. */
enum {
    AUTHORITY = NRPC_T_AUTHORITY,
    METHOD = NRPC_T_METHOD,
    PATH = NRPC_T_PATH,
    SCHEME = NRPC_T_SCHEME,
    BAD = NRPC_T_BAD,
    LENGTH = NRPC_T_CONTENT_LENGTH,
    OTHER_NAME = 7,
#if NRPC_CLIENT
    STATUS = NRPC_T_STATUS,
    TYPE = OTHER_NAME /* no number is left for it */
};
#else
    STATUS = NRPC_T_BAD,
    TYPE = NRPC_T_CONTENT_TYPE
};
#endif
#define NAMED(token, length) (token << 5 | length)
#define OTHER(length) NAMED(OTHER_NAME, length)
static const uint8_t static_names[STATIC_ENTRIES] = {NAMED(AUTHORITY, 10),
                                                     NAMED(METHOD, 7),
                                                     NAMED(METHOD, 7),
                                                     NAMED(PATH, 5),
                                                     NAMED(PATH, 5),
                                                     NAMED(SCHEME, 7),
                                                     NAMED(SCHEME, 7),
                                                     NAMED(STATUS, 7),
                                                     NAMED(STATUS, 7),
                                                     NAMED(STATUS, 7),
                                                     NAMED(STATUS, 7),
                                                     NAMED(STATUS, 7),
                                                     NAMED(STATUS, 7),
                                                     NAMED(STATUS, 7),
                                                     OTHER(14),
                                                     OTHER(15),
                                                     OTHER(15),
                                                     OTHER(13),
                                                     OTHER(6),
                                                     OTHER(27),
                                                     OTHER(3),
                                                     OTHER(5),
                                                     OTHER(13),
                                                     OTHER(13),
                                                     OTHER(19),
                                                     OTHER(16),
                                                     OTHER(16),
                                                     NAMED(LENGTH, 14),
                                                     OTHER(16),
                                                     OTHER(13),
                                                     NAMED(TYPE, 12),
                                                     OTHER(6),
                                                     OTHER(4),
                                                     OTHER(4),
                                                     OTHER(6),
                                                     OTHER(7),
                                                     OTHER(4),
                                                     OTHER(4),
                                                     OTHER(8),
                                                     OTHER(17),
                                                     OTHER(13),
                                                     OTHER(8),
                                                     OTHER(19),
                                                     OTHER(13),
                                                     OTHER(4),
                                                     OTHER(8),
                                                     OTHER(12),
                                                     OTHER(18),
                                                     OTHER(19),
                                                     OTHER(5),
                                                     OTHER(7),
                                                     OTHER(7),
                                                     OTHER(11),
                                                     OTHER(6),
                                                     OTHER(10),
                                                     OTHER(25),
                                                     NAMED(BAD, 17),
                                                     OTHER(10),
                                                     OTHER(4),
                                                     OTHER(3),
                                                     OTHER(16)};
static const uint8_t static_value_lengths[16] = {0, 3, 4, 1, 11, 4, 5, 3, 3, 3, 3, 3, 3, 3, 0, 13};
enum { STATIC_POST = 3 - 1, STATIC_STATUS = 8 - 1, STATIC_TYPE = 31 - 1 };
NRPC_STATIC_ASSERT(STATIC_STATUS - STATIC_POST == NRPC_STATIC_STATUS, "NRPC_STATIC_STATUS");

/* --- The dynamic table -------------------------------------------------------------------- */

/* An entry's shape. A table of at most 4096 bytes leaves a name 4064. */
enum { BYTES_MASK = 0x1fff, BAD_SHIFT = 13, NAME_SHIFT = 14, NAME_MASK = 0xfff, TOKEN_SHIFT = 26 };

/* The i-th newest entry, i < count. */
static NRPC_NOINLINE struct nrpc_hpack_entry *entry_at(struct nrpc_hpack *hpack, uint32_t i)
{
    return &hpack->entries[(hpack->newest - i) & (NRPC_HPACK_ENTRIES - 1u)];
}

static void evict_to(struct nrpc_hpack *hpack, uint32_t bytes)
{
    uint32_t used = hpack->used_bytes, count = hpack->count;
    while (used > bytes) {
        used -= entry_at(hpack, --count)->shape & BYTES_MASK;
    }
    hpack->used_bytes = (uint16_t)used;
    hpack->count = (uint8_t)count;
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
    if (NRPC_HPACK_ENTRIES * ENTRY_OVERHEAD < LARGEST_TABLE && hpack->count == NRPC_HPACK_ENTRIES) {
        evict_to(hpack, hpack->used_bytes - 1u);
    }
    hpack->newest++;
    hpack->count++;
    hpack->used_bytes = (uint16_t)(hpack->used_bytes + bytes);
    struct nrpc_hpack_entry *entry = entry_at(hpack, 0);
    entry->value = hpack->value;
    entry->shape = bytes | (uint32_t)hpack->bad << BAD_SHIFT |
                   (uint32_t)hpack->name_bytes << NAME_SHIFT |
                   (uint32_t)hpack->token << TOKEN_SHIFT;
}

/* --- Values ------------------------------------------------------------------------------- */

/* The values that matter, each after its field's token. Of numbers, those that are empty. */
static const char expected_values[] = {'\200', NRPC_T_METHOD,
                                       'P',    'O',
                                       'S',    'T',
#if NRPC_CLIENT
                                       '\200', NRPC_T_STATUS,
#endif
                                       '\200', NRPC_T_CONTENT_LENGTH,
                                       '\200', NRPC_T_CONTENT_TYPE,
                                       'a',    'p',
                                       'p',    'l',
                                       'i',    'c',
                                       'a',    't',
                                       'i',    'o',
                                       'n',    '/',
                                       'g',    'r',
                                       'p',    'c',
#if !NRPC_COMPRESSION
                                       '\200', NRPC_T_GRPC_ENCODING,
                                       'i',    'd',
                                       'e',    'n',
                                       't',    'i',
                                       't',    'y',
#endif
#if NRPC_CLIENT
                                       '\200', NRPC_T_GRPC_STATUS,
#endif
                                       '\200', NRPC_T_TE,
                                       't',    'r',
                                       'a',    'i',
                                       'l',    'e',
                                       'r',    's',
                                       '\377'};

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

/* An encoding's name has ended. */
static void encoding_end(struct nrpc_hpack *hpack)
{
    hpack->value |= 1u << (nrpc_match_end(&hpack->match) & 7);
    nrpc_match_begin(&hpack->match, encodings);
}

static void encodings_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (byte == ',') {
        encoding_end(hpack);
    } else if (byte != ' ') {
        nrpc_match_byte(&hpack->match, byte);
    }
}
#else
#define is_encodings(hpack) 0
#define encoding_end(hpack) ((void)0)
#define encodings_byte(hpack, byte) ((void)0)
#endif

static void value_begin(struct nrpc_hpack *hpack)
{
    hpack->state = VALUE_LENGTH;
    hpack->value = 0;
    hpack->bytes = (uint16_t)(hpack->name_bytes + ENTRY_OVERHEAD);
    hpack->bad = hpack->token == NRPC_T_BAD;
    nrpc_match_begin(&hpack->match, expected_values);
    nrpc_match_byte(&hpack->match, hpack->token);
    if (hpack->token == NRPC_T_PATH) {
        memset(&hpack->match, 0, sizeof hpack->match);
    }
#if NRPC_COMPRESSION
    if (is_encodings(hpack)) {
        nrpc_match_begin(&hpack->match, encodings);
    }
#endif
#if NRPC_METADATA_BYTES
    if (hpack->token >= NRPC_T_KEY) {
        hpack->value = (uint32_t)hpack->text_end << 16;
    }
#endif
}

/* Fields whose value is a decimal number. */
static unsigned is_number(const struct nrpc_hpack *hpack)
{
#if NRPC_CLIENT
    const unsigned numbers = 1 << NRPC_T_STATUS | 1 << NRPC_T_CONTENT_LENGTH |
                             1 << NRPC_T_GRPC_STATUS;
    return numbers >> hpack->token & 1;
#else
    return hpack->token == NRPC_T_CONTENT_LENGTH;
#endif
}

/* A decimal number. 268 million: more bytes than a window ever lets in, and more than a
 * grpc-timeout has. Returns whether the byte does not belong to one. */
static int is_no_digit(struct nrpc_hpack *hpack, uint8_t byte)
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
enum { HAS_UNIT = 1 << 30 };
static void timeout_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    static const char units[] = "HMSmun";
    static const uint32_t factors[] = {3600000, 60000, 1000, 1, 1000, 1000000};
    unsigned place = hpack->bytes - (unsigned)hpack->name_bytes - ENTRY_OVERHEAD; /* from 1 */
    const char *unit = memchr(units, byte, 6);
    if (place <= 8 && !is_no_digit(hpack, byte)) {
        return;
    }
    if (!unit || place < 2 || hpack->value >= HAS_UNIT) {
        hpack->value = UINT32_MAX;
        return;
    }
    uint32_t value = hpack->value, factor = factors[unit - units];
    if (unit - units > 3) {
        value = (value + factor - 1) / factor;
    } else {
        value = value > NRPC_TIMEOUT_MAX / factor ? NRPC_TIMEOUT_MAX : value * factor;
    }
    hpack->value = value | HAS_UNIT;
}

#if NRPC_METADATA_BYTES
/* The text of a key's value goes into the ring, from text_end on. value: where it begins << 16 |
 * its length. */
static void text_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    unsigned n = hpack->value & 0xffff;
    if (n < NRPC_METADATA_BYTES) {
        hpack->text[(hpack->text_end + n) % NRPC_METADATA_BYTES] = byte;
        hpack->value++;
        return;
    }
    if (n == NRPC_METADATA_BYTES) { /* it has overwritten all that there was */
        hpack->text_end = (uint16_t)(hpack->text_end + NRPC_METADATA_BYTES + 1);
    }
    hpack->value = UINT32_MAX;
}

#else
#define text_byte(hpack, byte) ((void)0)
#endif

static void value_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    hpack->bytes++;
    if (byte == '\0' || byte == '\r' || byte == '\n') {
        hpack->bad = 1; /* RFC 9113 8.2.1 */
    }
    if (hpack->token == NRPC_T_PATH) {
        nrpc_path_byte(&hpack->match, byte, hpack->server->services, hpack->server->n_services);
        return;
    }
    if (hpack->token >= NRPC_T_KEY) {
        text_byte(hpack, byte);
        return;
    }
    if (is_encodings(hpack)) {
        encodings_byte(hpack, byte);
        return;
    }
#if NRPC_CLIENT
    if (hpack->token == NRPC_T_GRPC_MESSAGE && hpack->server->role->message_byte) {
        hpack->server->role->message_byte(hpack, byte);
    }
#endif
    if (is_number(hpack)) {
        hpack->bad |= (uint8_t)is_no_digit(hpack, byte);
    } else if (hpack->token == NRPC_T_GRPC_TIMEOUT) {
        timeout_byte(hpack, byte);
    }
    if (hpack->token != NRPC_T_CONTENT_TYPE || nrpc_match_end(&hpack->match) == NRPC_NO_MATCH) {
        nrpc_match_byte(&hpack->match, byte); /* application/grpc+proto: the rest does not matter */
    }
}

static void value_end(struct nrpc_hpack *hpack)
{
    if (hpack->token == NRPC_T_PATH) {
        hpack->value = nrpc_path_end(&hpack->match);
        if (!hpack->match.position) {
            hpack->bad = 1; /* empty, or without its '/': RFC 9113 8.3.1 */
        }
        return;
    }
    if (is_encodings(hpack)) {
        encoding_end(hpack);
        return;
    }
    unsigned odd = nrpc_match_end(&hpack->match) == NRPC_NO_MATCH;
#if NRPC_METADATA_BYTES
    if (hpack->token >= NRPC_T_KEY) {
        hpack->text_end = (uint16_t)(hpack->text_end + hpack->value);
        return;
    }
#endif
    if (hpack->token == NRPC_T_GRPC_TIMEOUT) {
        hpack->value = hpack->value - HAS_UNIT <= NRPC_TIMEOUT_MAX ? hpack->value - HAS_UNIT
                                                                   : UINT32_MAX;
        return;
    }
    if (is_number(hpack)) {
        if (!odd) {
            hpack->bad = 1; /* RFC 9110 8.6 */
        }
        return;
    }
    hpack->value = odd;
    if (odd && hpack->token == NRPC_T_TE) {
        hpack->bad = 1; /* RFC 9113 8.2.2 */
    }
}

/* --- Names -------------------------------------------------------------------------------- */

#if NRPC_METADATA_BYTES
/* NUL: the name has ended. */
static NRPC_NOINLINE void narrow_keys(struct nrpc_hpack *hpack, uint8_t byte)
{
    const struct nrpc_server *server = hpack->server;
    hpack->key = (uint8_t)nrpc_narrow((const char *const *const *)server->keys, server->n_keys,
                                      hpack->key, hpack->name_bytes, (char)byte);
}
#endif

static void name_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (byte <= ' ' || byte >= 0x7f || (byte >= 'A' && byte <= 'Z') || byte == ':') {
        hpack->bad = 1; /* unless the name is known: then it is a pseudo-header's colon */
    }
    nrpc_match_byte(&hpack->match, byte);
#if NRPC_METADATA_BYTES
    narrow_keys(hpack, byte ? byte : '\1');
#endif
    hpack->name_bytes++;
}

#if NRPC_METADATA_BYTES
/* The token of a name that nothing else is known of: a key's, or OTHER. */
static unsigned key_token(struct nrpc_hpack *hpack)
{
    narrow_keys(hpack, '\0');
    return hpack->key < hpack->server->n_keys ? NRPC_T_KEY + (unsigned)hpack->key
                                              : (unsigned)NRPC_T_OTHER;
}

/* The same for a name of the static table. */
static unsigned static_key_token(const struct nrpc_hpack *hpack, uint32_t index)
{
    const struct nrpc_server *server = hpack->server;
    unsigned key = 0;
    while (key < server->n_keys && server->keys[key]->static_index != index) {
        key++;
    }
    return key < server->n_keys ? NRPC_T_KEY + key : (unsigned)NRPC_T_OTHER;
}
#else
#define key_token(hpack) NRPC_T_OTHER
#define static_key_token(hpack, index) NRPC_T_OTHER
#endif

static void name_end(struct nrpc_hpack *hpack)
{
    unsigned token = nrpc_match_end(&hpack->match);
    if (token == NRPC_NO_MATCH) {
        token = hpack->bad || !hpack->name_bytes ? NRPC_T_BAD : key_token(hpack);
    } else if (token > NRPC_T_GRPC_TIMEOUT && token != NRPC_T_TE) {
        token = NRPC_T_BAD; /* specific to a connection, RFC 9113 8.2.2 */
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
        hpack->bad = entry->shape >> BAD_SHIFT & 1;
        hpack->name_bytes = entry->shape >> NAME_SHIFT & NAME_MASK;
        hpack->bytes = entry->shape & BYTES_MASK;
        hpack->value = entry->value;
        return 1;
    }
    unsigned named = static_names[index], token = named >> 5;
    hpack->token = (uint8_t)(token != OTHER_NAME ? token
                             : NRPC_CLIENT && index == STATIC_TYPE
                                 ? (unsigned)NRPC_T_CONTENT_TYPE
                                 : static_key_token(hpack, index + 1));
    hpack->bad = token == BAD || token == LENGTH /* that is empty */;
    hpack->name_bytes = named & 31;
    hpack->bytes =
        (uint16_t)((named & 31) + ENTRY_OVERHEAD +
                   (index < sizeof static_value_lengths ? static_value_lengths[index] : 0));
    hpack->value = token == PATH ? NRPC_PATH_UNKNOWN : index - STATIC_POST; /* 0: as it is expected
                                                                               to be */
    return 1;
}

/* --- Strings ------------------------------------------------------------------------------ */

/* Ends the string whose bytes have all come. Returns 1 when that completes a field. */
static int string_end(struct nrpc_hpack *hpack)
{
    if (!nrpc_huffman_end(&hpack->huffman)) { /* as it began, where the string was not of that kind
                                               */
        return -1;
    }
    if (hpack->state == NAME) {
        name_end(hpack);
        return 0;
    }
    value_end(hpack);
    if (hpack->kind & 0x40) {
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
        for (unsigned i = 8; i; i--, byte = (uint8_t)(byte << 1)) {
            int symbol = nrpc_huffman_bit(&hpack->huffman, byte & 0x80);
            if (symbol == NRPC_HUFFMAN_EOS) {
                return -1;
            }
            if (symbol >= 0) {
                decoded_byte(hpack, (uint8_t)symbol);
            }
        }
    }
    return --hpack->integer ? 0 : string_end(hpack);
}

/* --- Numbers, fields ---------------------------------------------------------------------- */

static uint32_t limit_of(const struct nrpc_hpack *hpack)
{
#if NRPC_HPACK_TABLE_BYTES < 4096
    return hpack->limit;
#else
    (void)hpack;
    return LARGEST_TABLE;
#endif
}

/* A representation's index or size is known, RFC 7541 6. */
static int index_end(struct nrpc_hpack *hpack)
{
    uint32_t index = hpack->integer;
    if (hpack->kind >> 5 == 1) {
        if (hpack->state != FIRST || index > limit_of(hpack)) {
            return -1;
        }
        hpack->max_bytes = (uint16_t)index;
        note_change(hpack);
        evict_to(hpack, index);
        return 0;
    }
    hpack->state = FIELD;
    if (hpack->kind & 0x80) {
        return look_up(hpack, index);
    }
    if (index) {
        int known = look_up(hpack, index);
        value_begin(hpack);
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
    if (hpack->integer > NRPC_HEADER_BLOCK_MAX) {
        return -1;
    }
    hpack->state += NAME - NAME_LENGTH;
    memset(&hpack->huffman, 0, sizeof hpack->huffman);
    return hpack->integer ? 0 : string_end(hpack);
}

/* RFC 7541 5.1. At most four bytes follow the first one: 28 bits, so nothing can wrap. */
static int number_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    unsigned mask = 0x7f, shift = hpack->shift;
    if (shift) {
        if (shift > 22) {
            return -1;
        }
        hpack->integer += (uint32_t)(byte & 0x7f) << (shift - 1);
        hpack->shift = (uint8_t)(shift + 7);
        return byte & 0x80 ? 0 : number_end(hpack);
    }
    hpack->is_huffman = byte >> 7;
    if (hpack->state <= FIELD) {
        hpack->kind = byte;
        while (mask > 0x0f && !(byte & (mask + 1))) { /* RFC 7541 6: the bits up to the first 1 */
            mask >>= 1;
        }
    }
    hpack->integer = byte & mask;
    if (hpack->integer == mask) {
        hpack->shift = 1;
        return 0;
    }
    return number_end(hpack);
}

int nrpc_hpack_decode(struct nrpc_hpack *hpack, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    int done = 0;
    while (!done && p != end) {
        uint8_t byte = *p++;
#if NRPC_FAST /* an indexed field of one byte: most are */
        if (byte > 0x80 && byte < 0xff && hpack->state <= FIELD && !hpack->shift) {
            hpack->state = FIELD;
            done = look_up(hpack, byte & 0x7fu);
            continue;
        }
#endif
        done = hpack->state >= NAME ? string_byte(hpack, byte) : number_byte(hpack, byte);
    }
    *at = p;
    return done;
}

void nrpc_hpack_init(struct nrpc_hpack *hpack, const struct nrpc_server *server)
{
    memset(hpack, 0, sizeof *hpack);
    hpack->max_bytes = LARGEST_TABLE;
#if NRPC_HPACK_TABLE_BYTES < 4096
    hpack->limit = LARGEST_TABLE;
#endif
    hpack->server = server;
}
