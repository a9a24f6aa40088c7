/* nanorpc/hpack.c - the streaming decoder: one state per byte, no text kept.
 * Layer: core. Source: RFC 7541.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hpack.h"

#include <string.h>

/* A state after a number's first byte is followed by the one for its further bytes. */
enum state {
    FIELD,
    INDEXED,
    NAME_INDEX,
    TABLE_SIZE,
    NAME_LENGTH_FIRST,
    NAME_LENGTH,
    NAME,
    VALUE_LENGTH_FIRST,
    VALUE_LENGTH,
    VALUE
};

enum flag {
    HUFFMAN = 1,    /* the string being read is */
    INSERT = 2,     /* the field goes into the table */
    HAD_FIELD = 4,  /* a table size update may no longer come, RFC 7541 4.2 */
    BAD_NAME = 8,
    BAD_VALUE = 16
};

enum { STATIC_ENTRIES = 61, ENTRY_OVERHEAD = 32, LARGEST_TABLE = 4096 };

const char nrpc_hpack_names[] =
    "\200:authority\201method\201path\201scheme\200connection\203tent-length\210type"
    "\200grpc-encoding\200host\200keep-alive\200proxy-connection\200te\201ransfer-encoding\200upgrade\377";

/* Static table, RFC 7541 appendix A: the names' lengths, and which names matter here. */
enum class { OTHER, AUTHORITY, METHOD, PATH, SCHEME, CONTENT, HOST, BAD };
static const uint8_t token_of_class[] = {NRPC_T_OTHER,  NRPC_T_AUTHORITY,      NRPC_T_METHOD, NRPC_T_PATH,
                                         NRPC_T_SCHEME, NRPC_T_CONTENT_LENGTH, NRPC_T_HOST,   NRPC_T_BAD};
#define NAMED(class, length) (class << 5 | length)
static const uint8_t static_names[STATIC_ENTRIES] = {
    NAMED(AUTHORITY, 10), NAMED(METHOD, 7), NAMED(METHOD, 7), NAMED(PATH, 5), NAMED(PATH, 5),
    NAMED(SCHEME, 7), NAMED(SCHEME, 7), NAMED(BAD, 7), NAMED(BAD, 7), NAMED(BAD, 7), NAMED(BAD, 7),
    NAMED(BAD, 7), NAMED(BAD, 7), NAMED(BAD, 7), 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16,
    NAMED(CONTENT, 14), 16, 13, NAMED(CONTENT, 12), 6, 4, 4, 6, 7, 4, NAMED(HOST, 4), 8, 17, 13, 8,
    19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10, 25, NAMED(BAD, 17), 10, 4, 3, 16};
static const uint8_t static_value_lengths[16] = {0, 3, 4, 1, 11, 4, 5, 3, 3, 3, 3, 3, 3, 3, 0, 13};
enum { STATIC_POST = 3, STATIC_SLASH = 4, STATIC_INDEX_HTML = 5, STATIC_CONTENT_TYPE = 31 };

/* --- The dynamic table -------------------------------------------------------------------- */

static uint32_t name_length(const struct nrpc_hpack_entry *entry)
{
    return entry->shape & 0xfff;
}

static uint32_t value_length(const struct nrpc_hpack_entry *entry)
{
    return entry->shape >> 12 & 0xfff;
}

/* The i-th newest entry, i < count. */
static struct nrpc_hpack_entry *entry_at(struct nrpc_hpack *hpack, uint32_t i)
{
    uint32_t at = hpack->newest + (uint32_t)(NRPC_HPACK_ENTRIES) - i;
    return &hpack->entries[at >= NRPC_HPACK_ENTRIES ? at - NRPC_HPACK_ENTRIES : at];
}

static void evict_to(struct nrpc_hpack *hpack, uint32_t bytes)
{
    while (hpack->used_bytes > bytes) {
        const struct nrpc_hpack_entry *oldest = entry_at(hpack, --hpack->count);
        hpack->used_bytes =
            (uint16_t)(hpack->used_bytes - name_length(oldest) - value_length(oldest) - ENTRY_OVERHEAD);
    }
}

/* RFC 7541 4.4. A profile with fewer than 128 entries may also lose the oldest to the ring's
 * size: a client that then refers to it has not kept to our SETTINGS_HEADER_TABLE_SIZE. */
static void insert(struct nrpc_hpack *hpack)
{
    uint32_t bytes = (uint32_t)hpack->name_bytes + hpack->value_bytes + ENTRY_OVERHEAD;
    if (bytes > hpack->max_bytes || NRPC_HPACK_ENTRIES == 0) {
        evict_to(hpack, 0);
        return;
    }
    evict_to(hpack, hpack->max_bytes - bytes);
    if (hpack->count == NRPC_HPACK_ENTRIES) {
        evict_to(hpack, hpack->used_bytes - 1u);
    }
    hpack->newest = (uint8_t)(hpack->newest + 1u == NRPC_HPACK_ENTRIES ? 0 : hpack->newest + 1u);
    hpack->count++;
    hpack->used_bytes = (uint16_t)(hpack->used_bytes + bytes);
    struct nrpc_hpack_entry *entry = entry_at(hpack, 0);
    entry->value = hpack->value;
    entry->shape = hpack->name_bytes | (uint32_t)hpack->value_bytes << 12 | (uint32_t)hpack->token << 24 |
                   (hpack->flags & BAD_VALUE ? 1u << 31 : 0);
}

/* --- Values ------------------------------------------------------------------------------- */

static void value_begin(struct nrpc_hpack *hpack)
{
    const char *list = NULL;
    switch (hpack->token) {
    case NRPC_T_METHOD: list = "\200POST\377"; break;
    case NRPC_T_CONTENT_TYPE: list = "\200application/grpc\377"; break;
    case NRPC_T_GRPC_ENCODING: list = "\200identity\377"; break;
    case NRPC_T_TE: list = "\200trailers\377"; break;
    default: break;
    }
    hpack->list = list;
    hpack->value = 0;
    hpack->value_bytes = 0;
    hpack->flags &= (uint8_t)~BAD_VALUE;
    memset(&hpack->match, 0, sizeof hpack->match);
    if (list) {
        nrpc_match_begin(&hpack->match, list);
    }
}

static void content_length_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    unsigned digit = byte - (unsigned)'0';
    if (digit > 9 || hpack->value > (UINT32_MAX - 9) / 10) {
        hpack->flags |= BAD_VALUE;
        return;
    }
    hpack->value = hpack->value * 10 + digit;
}

static void value_byte(struct nrpc_hpack *hpack, uint8_t byte, const struct nrpc_service *const *services,
                       uint8_t n_services)
{
    hpack->value_bytes++;
    if (byte == '\0' || byte == '\r' || byte == '\n') {
        hpack->flags |= BAD_VALUE; /* RFC 9113 8.2.1 */
    }
    if (hpack->list) {
        if (hpack->token == NRPC_T_CONTENT_TYPE && (byte == '+' || byte == ';') &&
            nrpc_match_end(&hpack->match) != NRPC_NO_MATCH) {
            hpack->list = NULL; /* application/grpc+proto: the rest does not matter */
        } else {
            nrpc_match_byte(&hpack->match, byte);
        }
    } else if (hpack->token == NRPC_T_PATH) {
        nrpc_path_byte(&hpack->match, byte, services, n_services);
    } else if (hpack->token == NRPC_T_CONTENT_LENGTH) {
        content_length_byte(hpack, byte);
    }
}

static void value_end(struct nrpc_hpack *hpack)
{
    if (hpack->list) {
        hpack->value = nrpc_match_end(&hpack->match) == NRPC_NO_MATCH;
    }
    if (hpack->token == NRPC_T_PATH) {
        hpack->value = nrpc_path_end(&hpack->match);
    } else if ((hpack->token == NRPC_T_TE && hpack->value) ||
               (hpack->token == NRPC_T_CONTENT_LENGTH && !hpack->value_bytes)) {
        hpack->flags |= BAD_VALUE;
    }
}

static void emit(struct nrpc_hpack *hpack, nrpc_field_sink *sink, void *context)
{
    struct nrpc_field field = {
        .value = hpack->value,
        .bytes = (uint32_t)hpack->name_bytes + hpack->value_bytes + ENTRY_OVERHEAD,
        .token = hpack->token,
        .malformed = hpack->token == NRPC_T_BAD || (hpack->flags & BAD_VALUE),
    };
    hpack->state = FIELD;
    sink(context, &field);
}

/* --- Names -------------------------------------------------------------------------------- */

static void name_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    int pseudo = byte == ':' && hpack->name_bytes == 0;
    if (byte <= ' ' || byte >= 0x7f || (byte >= 'A' && byte <= 'Z') || (byte == ':' && !pseudo)) {
        hpack->flags |= BAD_NAME;
    }
    if (pseudo) {
        hpack->value = 1; /* unless the name is known, it is an unknown pseudo-header */
    }
    nrpc_match_byte(&hpack->match, byte);
    hpack->name_bytes++;
}

static void name_end(struct nrpc_hpack *hpack)
{
    uint8_t token = nrpc_match_end(&hpack->match);
    switch (token) {
    case NRPC_NO_MATCH: token = hpack->value ? NRPC_T_BAD : NRPC_T_OTHER; break;
    case NRPC_T_CONNECTION: /* RFC 9113 8.2.2 */
    case NRPC_T_KEEP_ALIVE:
    case NRPC_T_PROXY_CONNECTION:
    case NRPC_T_TRANSFER_ENCODING:
    case NRPC_T_UPGRADE: token = NRPC_T_BAD; break;
    default: break;
    }
    if ((hpack->flags & BAD_NAME) || hpack->name_bytes == 0) {
        token = NRPC_T_BAD;
    }
    hpack->token = token;
    hpack->state = VALUE_LENGTH_FIRST;
    value_begin(hpack);
}

/* RFC 7541 2.3.3. Loads a whole entry; a caller that wants only its name begins a new value. */
static int look_up(struct nrpc_hpack *hpack, uint32_t index)
{
    if (index == 0 || index > (uint32_t)STATIC_ENTRIES + hpack->count) {
        return -1;
    }
    if (index > STATIC_ENTRIES) {
        const struct nrpc_hpack_entry *entry = entry_at(hpack, index - STATIC_ENTRIES - 1);
        hpack->token = entry->shape >> 24 & 0x7f;
        hpack->name_bytes = (uint16_t)name_length(entry);
        value_begin(hpack);
        hpack->value = entry->value;
        hpack->value_bytes = (uint16_t)value_length(entry);
        hpack->flags |= entry->shape >> 31 ? BAD_VALUE : 0;
        return 0;
    }
    uint8_t named = static_names[index - 1];
    hpack->token = (uint8_t)(token_of_class[named >> 5] + (index == STATIC_CONTENT_TYPE));
    hpack->name_bytes = named & 31;
    value_begin(hpack);
    value_end(hpack);
    if (index <= sizeof static_value_lengths) {
        hpack->value_bytes = static_value_lengths[index - 1];
    }
    if (index == STATIC_POST) {
        hpack->value = 0;
    } else if (index == STATIC_SLASH || index == STATIC_INDEX_HTML) {
        hpack->value = NRPC_PATH_UNKNOWN;
    }
    return 0;
}

/* --- Numbers and fields ------------------------------------------------------------------- */

/* RFC 7541 6: the first byte of a representation selects its kind and its number's prefix. */
static uint8_t field_begin(struct nrpc_hpack *hpack, uint8_t byte)
{
    hpack->flags &= HAD_FIELD;
    if (byte & 0x80) {
        hpack->state = INDEXED;
        return 0x7f;
    }
    if ((byte & 0xe0) == 0x20) {
        hpack->state = TABLE_SIZE;
        return 0x1f;
    }
    hpack->state = NAME_INDEX;
    if (byte & 0x40) {
        hpack->flags |= INSERT;
        return 0x3f;
    }
    return 0x0f;
}

static int set_table_size(struct nrpc_hpack *hpack)
{
    if ((hpack->flags & HAD_FIELD) || hpack->integer > hpack->limit) {
        return -1;
    }
    hpack->max_bytes = (uint16_t)hpack->integer;
    evict_to(hpack, hpack->max_bytes);
    hpack->state = FIELD;
    return 0;
}

static void string_begin(struct nrpc_hpack *hpack, enum state state)
{
    hpack->left = (uint16_t)hpack->integer;
    hpack->state = (uint8_t)state;
    memset(&hpack->huffman, 0, sizeof hpack->huffman);
}

/* hpack->integer is complete: what did it stand for? */
static int number_end(struct nrpc_hpack *hpack, nrpc_field_sink *sink, void *context)
{
    switch (hpack->state) {
    case INDEXED:
        hpack->flags |= HAD_FIELD;
        if (look_up(hpack, hpack->integer)) {
            return -1;
        }
        emit(hpack, sink, context);
        return 0;
    case TABLE_SIZE: return set_table_size(hpack);
    case NAME_INDEX:
        hpack->flags |= HAD_FIELD;
        hpack->state = NAME_LENGTH_FIRST;
        if (hpack->integer == 0) {
            hpack->value = 0;
            hpack->name_bytes = 0;
            nrpc_match_begin(&hpack->match, nrpc_hpack_names);
            return 0;
        }
        if (look_up(hpack, hpack->integer)) {
            return -1;
        }
        value_begin(hpack);
        hpack->state = VALUE_LENGTH_FIRST;
        return 0;
    default: /* a string's length */
        if (hpack->integer > UINT16_MAX) {
            return -1;
        }
        string_begin(hpack, hpack->state == NAME_LENGTH ? NAME : VALUE);
        return 0;
    }
}

/* RFC 7541 5.1. At most four bytes follow the first one: 28 bits, so nothing can wrap. */
static int number_byte(struct nrpc_hpack *hpack, uint8_t byte)
{
    if (hpack->shift > 21) {
        return -1;
    }
    hpack->integer += (uint32_t)(byte & 0x7f) << hpack->shift;
    hpack->shift = (uint8_t)(hpack->shift + 7);
    return !(byte & 0x80);
}

/* Returns 1 when the number that begins with this byte is complete. */
static int number_begin(struct nrpc_hpack *hpack, uint8_t byte)
{
    uint8_t mask = 0x7f;
    if (hpack->state == FIELD) {
        mask = field_begin(hpack, byte);
    } else { /* a string's length */
        hpack->state++;
        hpack->flags = (uint8_t)((hpack->flags & ~HUFFMAN) | (byte & 0x80 ? HUFFMAN : 0));
    }
    hpack->integer = byte & mask;
    hpack->shift = 0;
    return hpack->integer != mask;
}

static int string_byte(struct nrpc_hpack *hpack, uint8_t byte, const struct nrpc_service *const *services,
                       uint8_t n_services)
{
    uint8_t decoded[2];
    int n = 1;
    decoded[0] = byte;
    if (hpack->flags & HUFFMAN) {
        n = nrpc_huffman_byte(&hpack->huffman, byte, decoded);
    }
    for (int i = 0; i < n; i++) {
        if (hpack->state == NAME) {
            name_byte(hpack, decoded[i]);
        } else {
            value_byte(hpack, decoded[i], services, n_services);
        }
    }
    hpack->left--;
    return n < 0 ? -1 : 0;
}

/* Ends the string whose bytes have all come; an empty one has none. */
static int string_end(struct nrpc_hpack *hpack, nrpc_field_sink *sink, void *context)
{
    if ((hpack->flags & HUFFMAN) && !nrpc_huffman_end(&hpack->huffman)) {
        return -1;
    }
    if (hpack->state == NAME) {
        name_end(hpack);
        return 0;
    }
    value_end(hpack);
    if (hpack->flags & INSERT) {
        insert(hpack);
    }
    emit(hpack, sink, context);
    return 0;
}

int nrpc_hpack_decode(struct nrpc_hpack *hpack, const uint8_t *data, size_t n,
                      const struct nrpc_service *const *services, uint8_t n_services, nrpc_field_sink *sink,
                      void *context)
{
    for (size_t i = 0; i < n; i++) {
        int done;
        switch (hpack->state) {
        case NAME:
        case VALUE: done = string_byte(hpack, data[i], services, n_services); break;
        case FIELD:
        case NAME_LENGTH_FIRST:
        case VALUE_LENGTH_FIRST: done = number_begin(hpack, data[i]); break;
        default: done = number_byte(hpack, data[i]); break;
        }
        if (done > 0) {
            done = number_end(hpack, sink, context);
        }
        if (done == 0 && (hpack->state == NAME || hpack->state == VALUE) && hpack->left == 0) {
            done = string_end(hpack, sink, context);
        }
        if (done < 0) {
            return -1;
        }
    }
    return 0;
}

void nrpc_hpack_begin(struct nrpc_hpack *hpack)
{
    hpack->state = FIELD;
    hpack->flags = 0;
}

int nrpc_hpack_end(const struct nrpc_hpack *hpack)
{
    return hpack->state == FIELD;
}

void nrpc_hpack_init(struct nrpc_hpack *hpack)
{
    memset(hpack, 0, sizeof *hpack);
    hpack->limit = hpack->max_bytes = LARGEST_TABLE;
}
