/* tests/unit/test_hpack.c - header blocks: what each field means, and the table after each block.
 * Layer: test. Source: RFC 7541, its appendix C, and the vectors of tests/vectors.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/hpack/nrpc_hpack.h"

#include <string.h>

#include "hpack_vectors.h"
#include "nanorpc/nanorpc.h"
#include "test.h"

enum { VECTORS = sizeof hpack_vectors / sizeof hpack_vectors[0] };
enum { BAD_VECTORS = sizeof hpack_bad_vectors / sizeof hpack_bad_vectors[0] };
enum { MAX_FIELDS = 600 };

/* Cutting a block everywhere costs the square of its length: on a board, less often. */
#ifdef __arm__
enum { CUT_STEP = 13 };
#else
enum { CUT_STEP = 1 };
#endif

static const struct nrpc_service greeter = {.path = "/Greeter/",
                                            .method_names = "\200SayHello\210Again\200Test\377"};
static const struct nrpc_service packaged = {.path = "/helloworld.Greeter/",
                                             .method_names = "\200SayHello\377"};
static const struct nrpc_service *const services[] = {&greeter, &packaged};
static const struct nrpc_server server = {NRPC_SERVER_ROLE_.services = services, .n_services = 2};
static const char *const paths[] = {"/Greeter/SayHello", "/Greeter/SayHelloAgain", "/Greeter/Test",
                                    "/helloworld.Greeter/SayHello"};
static const uint16_t path_values[] = {0, 1, 2, 0x100};

#if NRPC_CLIENT
#define IF_CLIENT(...) __VA_ARGS__
#else
#define IF_CLIENT(...)
#endif

struct field {
    uint32_t value, name_bytes, bytes;
    uint8_t token, bad;
};

/* --- What a field means, said again in plain words ---------------------------------------- */

static int is_one_of(const char *text, const char *const *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(text, list[i]) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static uint8_t token_of(const char *name)
{
    static const char *const names[NRPC_T_OTHER] = {
        ":authority",
        ":method",
        ":path",
        ":scheme",
        ":status",
        "connection",
        "content-length",
        "content-type",
        "grpc-accept-encoding",
        "grpc-encoding",
        "grpc-message",
        "grpc-status",
        "grpc-timeout",
        "keep-alive",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    };
    int i = is_one_of(name, names, NRPC_T_OTHER);
    if (i == NRPC_T_CONNECTION || i == NRPC_T_KEEP_ALIVE || i == NRPC_T_PROXY_CONNECTION ||
        i == NRPC_T_TRANSFER_ENCODING || i == NRPC_T_UPGRADE || !*name ||
        (i < 0 && strchr(name, ':'))) {
        return NRPC_T_BAD;
    }
    for (const char *p = name; *p; p++) {
        /* char: signed or not, see below. */
        if (*p <= ' ' || *p == 0x7f || (*p >= 'A' && *p <= 'Z')) {
            return NRPC_T_BAD;
        }
        if ((uint8_t)*p >= 0x80) {
            return NRPC_T_BAD;
        }
    }
    return (uint8_t)(i < 0 ? NRPC_T_OTHER : i);
}

static uint32_t value_of(uint8_t token, const char *value)
{
    uint32_t number = 0;
    int i;
    switch (token) {
    case NRPC_T_METHOD: return strcmp(value, "POST") != 0;
    case NRPC_T_CONTENT_TYPE: return strncmp(value, "application/grpc", 16) != 0;
    case NRPC_T_GRPC_ENCODING: return strcmp(value, "identity") != 0;
    case NRPC_T_PATH:
        i = is_one_of(value, paths, 4);
        return i >= 0 ? path_values[i] : NRPC_PATH_UNKNOWN;
        IF_CLIENT(case NRPC_T_STATUS:)
    case NRPC_T_CONTENT_LENGTH:
        for (; *value; value++) {
            number = number * 10 + (uint32_t)(*value - '0');
        }
        return number;
    default: return 0;
    }
}

static int is_number(uint8_t token)
{
    return token == NRPC_T_CONTENT_LENGTH IF_CLIENT(|| token == NRPC_T_STATUS);
}

/* What hpack's value says, as value_of does. */
static uint32_t value_found(const struct field *field)
{
    return is_number(field->token) || field->token == NRPC_T_PATH ? field->value
                                                                  : field->value != 0;
}

static int has_a_value(uint8_t token)
{
    return token == NRPC_T_METHOD || token == NRPC_T_PATH || token == NRPC_T_CONTENT_LENGTH ||
           token == NRPC_T_CONTENT_TYPE || token == NRPC_T_GRPC_ENCODING || is_number(token);
}

static int value_is_bad(uint8_t token, const char *value)
{
    int not_digits = 0;
    for (const char *p = value; *p; p++) {
        not_digits |= *p < '0' || *p > '9';
    }
    return strpbrk(value, "\r\n") != NULL ||
           (token == NRPC_T_TE && strcmp(value, "trailers") != 0) ||
           (is_number(token) && not_digits) || (token == NRPC_T_PATH && value[0] != '/');
}

/* --- Decoding ----------------------------------------------------------------------------- */

/* Feeds n bytes. Returns the fields so far, or -1. */
static int feed(struct nrpc_hpack *hpack, const uint8_t *bytes, size_t n, struct field *fields,
                int count)
{
    const uint8_t *at = test_guarded(bytes, n), *end = at + n;
    int result;
    while ((result = nrpc_hpack_decode(hpack, &at, end)) > 0) {
        if (count < MAX_FIELDS) {
            struct field *field = &fields[count];
            field->value = hpack->value;
            field->name_bytes = hpack->name_bytes;
            field->bytes = hpack->bytes;
            field->token = hpack->token;
            field->bad = hpack->bad != 0;
        }
        count++;
    }
    return result < 0 ? -1 : count;
}

/* piece 0: whole; > 0: in pieces of that size; < 0: cut once at -piece. */
static int decode(struct nrpc_hpack *hpack, const uint8_t *block, size_t n, long piece,
                  struct field *fields)
{
    int count = 0;
    nrpc_hpack_begin(hpack);
    for (size_t at = 0; at < n && count >= 0;) {
        size_t size = piece == 0 ? n : piece > 0 ? (size_t)piece : at ? n : (size_t)-piece;
        size = size > n - at ? n - at : size;
        count = feed(hpack, block + at, size, fields, count);
        at += size;
    }
    return count >= 0 && nrpc_hpack_end(hpack) ? count : -1;
}

static void check_fields(const struct hpack_vector *vector, const struct field *fields)
{
    const char *text = vector->fields;
    for (int i = 0; i < vector->n_fields; i++) {
        const char *name = text, *value = name + strlen(name) + 1;
        uint8_t token = token_of(name);
        text = value + strlen(value) + 1;
        CHECK_EQ(fields[i].token, token);
        CHECK_EQ(fields[i].name_bytes, strlen(name));
        CHECK_EQ(fields[i].bytes, strlen(name) + strlen(value) + 32);
        if (is_number(token) && !*value) {
            continue; /* see test_hpack_fields.c */
        }
        CHECK_EQ(fields[i].bad, token == NRPC_T_BAD || value_is_bad(token, value));
        if (has_a_value(token) && !value_is_bad(token, value)) {
            CHECK_EQ(value_found(&fields[i]), value_of(token, value));
        }
    }
    CHECK_EQ(text - vector->fields, vector->fields_bytes);
}

static void check_vector(const struct hpack_vector *vector, struct nrpc_hpack *hpack, long piece)
{
    static struct field fields[MAX_FIELDS];
    test_context(vector->source, piece);
    if (CHECK_EQ(decode(hpack, vector->block, vector->n, piece, fields), vector->n_fields)) {
        check_fields(vector, fields);
    }
    CHECK_EQ(hpack->count, vector->table_entries);
    CHECK_EQ(hpack->used_bytes, vector->table_bytes);
}

static void begin_connection(struct nrpc_hpack *hpack, unsigned max_bytes)
{
    nrpc_hpack_init(hpack, &server);
    hpack->max_bytes = (uint16_t)max_bytes;
}

static void vectors_whole_and_in_pieces(void)
{
    static const long pieces[] = {0, 1, 2, 3, 7};
    for (unsigned k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
        struct nrpc_hpack hpack;
        for (unsigned i = 0; i < VECTORS; i++) {
            if (hpack_vectors[i].new_connection) {
                begin_connection(&hpack, hpack_vectors[i].table_max_bytes);
            }
            check_vector(&hpack_vectors[i], &hpack, pieces[k]);
        }
    }
}

static void vectors_cut_at_every_position(void)
{
    struct nrpc_hpack before, hpack;
    for (unsigned i = 0; i < VECTORS; i++) {
        if (hpack_vectors[i].new_connection) {
            begin_connection(&hpack, hpack_vectors[i].table_max_bytes);
        }
        before = hpack;
        for (size_t at = 1; at < hpack_vectors[i].n; at += CUT_STEP) {
            hpack = before;
            check_vector(&hpack_vectors[i], &hpack, -(long)at);
        }
        hpack = before;
        check_vector(&hpack_vectors[i], &hpack, 0);
    }
}

static int decode_new(const uint8_t *block, size_t n, long piece)
{
    static struct field fields[MAX_FIELDS];
    struct nrpc_hpack hpack;
    nrpc_hpack_init(&hpack, &server);
    return decode(&hpack, block, n, piece, fields);
}

static void malformed_blocks(void)
{
    for (unsigned i = 0; i < BAD_VECTORS; i++) {
        const struct hpack_bad_vector *vector = &hpack_bad_vectors[i];
        test_context(vector->why, (long)i);
        CHECK_EQ(decode_new(vector->block, vector->n, 0), -1);
        CHECK_EQ(decode_new(vector->block, vector->n, 1), -1);
        for (size_t at = 1; at < vector->n; at++) {
            CHECK_EQ(decode_new(vector->block, vector->n, -(long)at), -1);
        }
    }
}

/* A block that ends where no field ends is refused by the end, wherever it is cut. */
static void cut_blocks_are_refused(void)
{
    struct nrpc_hpack hpack;
    static struct field fields[MAX_FIELDS];
    unsigned refused = 0, taken = 0;
    for (unsigned i = 0; i < VECTORS; i++) {
        const struct hpack_vector *vector = &hpack_vectors[i];
        test_context(vector->source, (long)i);
        for (size_t n = 1; vector->new_connection && n < vector->n && n < 200; n += CUT_STEP) {
            begin_connection(&hpack, vector->table_max_bytes);
            int count = decode(&hpack, vector->block, n, 0, fields);
            CHECK(count < vector->n_fields);
            refused += count < 0;
            taken += count >= 0;
        }
    }
    CHECK(refused > 3 * taken); /* a few cuts stand between two fields */
}

/* --- Numbers ------------------------------------------------------------------------------ */

static int decode_text(const char *bytes, size_t n)
{
    int whole = decode_new((const uint8_t *)bytes, n, 0);
    CHECK_EQ(decode_new((const uint8_t *)bytes, n, 1), whole);
    return whole;
}
#define DECODE(bytes) decode_text(bytes, sizeof bytes - 1)

static void numbers(void)
{
    CHECK_EQ(DECODE("\xbd"), 1);  /* 61, the last static entry */
    CHECK_EQ(DECODE("\xbe"), -1); /* 62: nothing is there */
    CHECK_EQ(DECODE("\x80"), -1); /* 0 */
    CHECK_EQ(DECODE("\x80\x82"), -1);
    CHECK_EQ(DECODE("\x82\x80"), -1);
    CHECK_EQ(DECODE("\xff\x00"), -1); /* 127 */
    CHECK_EQ(DECODE("\xff\x80\x80\x80\x80\x10"), -1);
    CHECK_EQ(DECODE("\xff\xff\xff\xff\xff\x0f"), -1);
    CHECK_EQ(DECODE("\xff\x83\xff\xff\xff\xff\x0f"), -1);
    CHECK_EQ(DECODE("\xff\x83\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -1);
    CHECK_EQ(DECODE("\x0f\x00\x01"
                    "a"),
             1); /* literal, name 15: accept-charset */
    CHECK_EQ(DECODE("\x0f\x80\x00\x01"
                    "a"),
             1); /* the same, a byte longer: 5.1 allows it */
    CHECK_EQ(DECODE("\x0f\x80\x80\x00\x01"
                    "a"),
             1);
    CHECK_EQ(DECODE("\x1f\x2e\x01"
                    "a"),
             1); /* never indexed, name 61 */
    CHECK_EQ(DECODE("\x1f\x2f\x01"
                    "a"),
             -1); /* 62 */
    CHECK_EQ(DECODE("\x0f\xf0\xff\xff\xff\x0f\x01"
                    "a"),
             -1); /* 2^32 - 1 */
    CHECK_EQ(DECODE("\x0f\xf2\xff\xff\xff\x0f\x01"
                    "a"),
             -1); /* 2^32 + 1 */
}

static void long_strings(void)
{
    static uint8_t block[20000];
    size_t n = 0;
    block[n++] = 0x00;
    block[n++] = 0x01;
    block[n++] = 'a';
    block[n++] = 0x7f;
    block[n++] = 0x81;
    block[n++] = 0x01; /* 127 + 129 = 256 */
    memset(block + n, 'v', 256);
    CHECK_EQ(decode_new(block, n + 256, 0), 1);
    CHECK_EQ(decode_new(block, n + 255, 0), -1);
    block[4] = 0xff;
    block[5] = 0xff;
    block[6] = 0x7f; /* over 2 million bytes: how many come is another's business */
    CHECK_EQ(decode_new(block, sizeof block, 0), -1);
    block[5] = 0x00; /* 127 + 127, not the shortest way */
    block[6] = 'v';
    CHECK_EQ(decode_new(block, 6 + 254, 0), 1);
}

/* A literal with incremental indexing, its name n_name zeros in Huffman code, 5 bits each: a
 * multiple of 8 of them; its value one letter. Returns the fields, or -1. */
static int decode_long_name(struct nrpc_hpack *hpack, uint32_t n_name)
{
    static const uint8_t zeros[64], end[] = {1, 'v'};
    uint32_t n = n_name / 8 * 5, rest = n - 127;
    uint8_t head[] = {0x40, 0xff, (uint8_t)(rest | 0x80), (uint8_t)(rest >> 7 | 0x80),
                      (uint8_t)(rest >> 14)};
    struct field field;
    nrpc_hpack_begin(hpack);
    int count = feed(hpack, head, sizeof head, &field, 0);
    for (uint32_t at = 0; at < n && count == 0; at += sizeof zeros) {
        uint32_t left = n - at;
        count = feed(hpack, zeros, left < sizeof zeros ? (size_t)left : sizeof zeros, &field, 0);
    }
    return count ? -1 : feed(hpack, end, sizeof end, &field, 0);
}

/* Sizes of 16 bits that have gone round would be entries of no bytes, which fill the ring and can
 * never be evicted; RFC 7541 4.4: what is larger than the table empties it. */
static void sizes_do_not_wrap(void)
{
    static const uint32_t lengths[] = {65472, 65504, 65536, 131040, 1048576};
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct nrpc_hpack hpack;
        struct field fields[4];
        test_context("bytes of the name", (long)lengths[i]);
        nrpc_hpack_init(&hpack, &server);
        for (unsigned k = 0; k < 3; k++) {
            CHECK_EQ(decode(&hpack, (const uint8_t *)"\x40\1a\1b", 5, 0, fields), 1);
            CHECK_EQ(hpack.count, 1);
            CHECK_EQ(decode_long_name(&hpack, lengths[i]), 1);
            CHECK_EQ(hpack.token, NRPC_T_OTHER);
            CHECK_EQ(hpack.name_bytes, lengths[i]);
            CHECK_EQ(hpack.bytes, lengths[i] + 1 + 32);
            CHECK_EQ(hpack.count, 0);
            CHECK_EQ(hpack.used_bytes, 0);
        }
        CHECK_EQ(decode(&hpack, (const uint8_t *)"\x20\x82", 2, 0, fields), 1);
    }
}

/* The largest entry that there can be is told from all others: 4096 bytes, of name or of value. */
static void largest_entries(void)
{
    for (unsigned n_name = 0; n_name <= 4096 - 32; n_name += 4064) {
        static uint8_t block[5000];
        struct nrpc_hpack hpack;
        struct field fields[2];
        size_t n = 0, n_value = 4064 - n_name;
        block[n++] = 0x40;
        for (unsigned part = 0; part < 2; part++) {
            size_t length = part ? n_value : n_name;
            block[n++] = length ? 0x7f : 0;
            if (length) {
                block[n++] = (uint8_t)((length - 127) | 0x80);
                block[n++] = (uint8_t)((length - 127) >> 7);
            }
            memset(block + n, 'a', length);
            n += length;
        }
        nrpc_hpack_init(&hpack, &server);
        block[n++] = 0xbe;
        CHECK_EQ(decode(&hpack, block, n, 0, fields), 2);
        CHECK_EQ(hpack.count, NRPC_HPACK_ENTRIES ? 1 : 0);
        for (unsigned i = 0; i < 2; i++) {
            CHECK_EQ(fields[i].token, n_name ? NRPC_T_OTHER : NRPC_T_BAD);
            CHECK_EQ(fields[i].name_bytes, n_name);
            CHECK_EQ(fields[i].bytes, 4096);
        }
    }
}

/* --- The table ---------------------------------------------------------------------------- */

static void static_table_without_paths(void)
{
    struct nrpc_hpack hpack;
    struct field fields[4];
    nrpc_hpack_init(&hpack, &server);
    CHECK_EQ(decode(&hpack, (const uint8_t *)"\x82\x83\x84\x85", 4, 0, fields), 4);
    CHECK(fields[0].value != 0);                  /* GET */
    CHECK_EQ(fields[1].value, 0);                 /* POST */
    CHECK_EQ(fields[2].value, NRPC_PATH_UNKNOWN); /* "/" */
    CHECK_EQ(fields[3].value, NRPC_PATH_UNKNOWN); /* "/index.html" */
}

static void size_updates(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        int result;
        unsigned max_bytes;
    } rows[] = {
        {"\x20", 1, 0, 0}, /* 0 */
        {"\x3f\x00", 2, 0, 31},
        {"\x3f\xe1\x1f", 3, 0, 4096},
        {"\x3f\xe2\x1f", 3, -1, 4096},        /* 4097 */
        {"\x20\x3f\xe1\x1f\x82", 5, 1, 4096}, /* two, RFC 7541 4.2 */
        {"\x20\x3f\xe1\x1f\x20", 5, 0, 0},
        {"\x82\x20", 2, -1, 4096}, /* after a field */
        {"\x3f\xe1\xff\xff\xff\xff\x0f", 7, -1, 4096},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nrpc_hpack hpack;
        struct field fields[4];
        test_context("row", (long)i);
        nrpc_hpack_init(&hpack, &server);
        CHECK_EQ(decode(&hpack, (const uint8_t *)rows[i].bytes, rows[i].n, 0, fields),
                 rows[i].result);
        CHECK_EQ(hpack.max_bytes, rows[i].max_bytes);
    }
}

/* A name that is taken from an entry which the insertion itself pushes out, RFC 7541 4.4. */
static void name_of_the_entry_that_goes(void)
{
    struct nrpc_hpack hpack;
    struct field fields[4];
    nrpc_hpack_init(&hpack, &server);
    /* 54 bytes: :path / */
    CHECK_EQ(decode(&hpack, (const uint8_t *)"\x3f\x17\x44\x01/", 5, 0, fields), 1);
    CHECK_EQ(hpack.count, 1);
    CHECK_EQ(decode(&hpack, (const uint8_t *)"\x7e\x0e/Greeter/Test\0", 16, 0, fields), 1);
    CHECK_EQ(fields[0].token, NRPC_T_PATH);
    CHECK_EQ(fields[0].name_bytes, 5);
    CHECK_EQ(fields[0].bytes, 5 + 14 + 32);
    CHECK_EQ(hpack.count, 1);
    CHECK_EQ(hpack.used_bytes, 5 + 14 + 32);
}

/* What made an entry bad is not forgotten in the table. */
static void table_remembers_what_is_bad(void)
{
    struct nrpc_hpack hpack;
    struct field fields[8];
    static const char block[] = "\x40\x01"
                                "A\x01"
                                "b"
                                "\xbe"
                                "\x40\x01"
                                "a\x01\n"
                                "\xbe"
                                "\x40\x02te\x04"
                                "gzip"
                                "\xbe"
                                "\x7e\x08trailers"
                                "\xbe";
    nrpc_hpack_init(&hpack, &server);
    CHECK_EQ(decode(&hpack, (const uint8_t *)block, sizeof block - 1, 0, fields), 8);
    for (unsigned i = 0; i < 8; i++) {
        test_context("field", (long)i);
        CHECK_EQ(fields[i].bad, i < 6);
        CHECK_EQ(fields[i].token, i < 2 ? NRPC_T_BAD : i < 4 ? NRPC_T_OTHER : NRPC_T_TE);
    }
}

static void entry_is_eight_bytes(void)
{
    CHECK_EQ(sizeof(struct nrpc_hpack_entry), 8);
    CHECK(sizeof(struct nrpc_hpack) <=
          8 * NRPC_HPACK_ENTRIES + 72 + NRPC_METADATA_BYTES + (NRPC_METADATA_BYTES ? 8 : 0));
}

int main(void)
{
    RUN(vectors_whole_and_in_pieces);
    RUN(vectors_cut_at_every_position);
    RUN(malformed_blocks);
    RUN(cut_blocks_are_refused);
    RUN(numbers);
    RUN(long_strings);
    RUN(sizes_do_not_wrap);
    RUN(largest_entries);
    RUN(static_table_without_paths);
    RUN(size_updates);
    RUN(name_of_the_entry_that_goes);
    RUN(table_remembers_what_is_bad);
    RUN(entry_is_eight_bytes);
    return test_end();
}
