/* tests/unit/test_walk.c - the walker alone: what it hands out and keeps, however it is cut.
 * Layer: test. Source: protobuf "Encoding".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/grpc/nrpc_walk.h"

#include <string.h>

#include "test.h"

enum { MAX = 256, KEEP = 64, MUTATIONS = TEST_SIZE(20000, 400) };

/* What came of a walk. */
struct outcome {
    enum nrpc_walk_event last;
    size_t used, n_kept, n_field; /* field: all pieces, one after the other */
    unsigned begun, ended;        /* fields that began, and that came to their end */
    uint8_t kept[KEEP + NRPC_WALK_SLACK], field[MAX];
};

static struct nrpc_walk_plan plan;

static void note_chunk(struct outcome *outcome, const struct nrpc_chunk *chunk)
{
    CHECK(chunk->offset + chunk->n <= chunk->length);
    CHECK(chunk->n || !chunk->length);
    outcome->begun += chunk->offset == 0;
    outcome->ended += chunk->offset + chunk->n == chunk->length;
    memcpy(outcome->field + outcome->n_field, chunk->data, chunk->n);
    outcome->n_field += chunk->n;
}

/* Walks over n bytes, `first` of them at once and then always `piece`. Each piece, and what is
 * kept, ends at a guard page. */
static void walk_in_pieces(const uint8_t *bytes, size_t n, size_t first, size_t piece,
                           struct outcome *outcome)
{
    struct nrpc_walk walk;
    uint8_t *keep = test_guarded_room((size_t)plan.keep_bytes + NRPC_WALK_SLACK);
    memset(outcome, 0, sizeof *outcome);
    nrpc_walk_begin(&walk, (uint32_t)n);
    for (size_t size = first;; size = piece) {
        struct nrpc_chunk chunk;
        size = size < n - outcome->used ? size : n - outcome->used;
        const uint8_t *data = test_guarded(bytes + outcome->used, size), *at = data;
        while ((outcome->last = nrpc_walk_on(&walk, &plan, keep, &at, data + size, &chunk)) ==
               NRPC_WALK_CHUNK) {
            note_chunk(outcome, &chunk);
        }
        outcome->used += (size_t)(at - data);
        if (outcome->last != NRPC_WALK_MORE || !CHECK_EQ(at - data, size) || outcome->used == n) {
            break;
        }
    }
    outcome->n_kept = (size_t)walk.kept;
    if (outcome->last == NRPC_WALK_END) {
        memcpy(outcome->kept, keep, outcome->n_kept);
        CHECK_EQ(outcome->used, n);
    }
}

static int is_same(const struct outcome *a, const struct outcome *b)
{
    return a->last == b->last && a->used == b->used && a->n_field == b->n_field &&
           a->begun == b->begun && a->ended == b->ended &&
           memcmp(a->field, b->field, a->n_field) == 0 &&
           (a->last != NRPC_WALK_END ||
            (a->n_kept == b->n_kept && memcmp(a->kept, b->kept, a->n_kept) == 0));
}

/* Whole, a byte at a time, cut everywhere. */
static void walk(const void *bytes, size_t n, struct outcome *outcome)
{
    static struct outcome other;
    walk_in_pieces(bytes, n, n, n, outcome);
    walk_in_pieces(bytes, n, 1, 1, &other);
    CHECK(is_same(outcome, &other));
    for (size_t cut = 0; cut < n; cut++) {
        walk_in_pieces(bytes, n, cut, n, &other);
        CHECK(is_same(outcome, &other));
    }
}

static void path(uint8_t depth, const uint32_t *numbers)
{
    plan.path = numbers;
    plan.depth = depth;
    plan.keep_bytes = KEEP;
}

struct row {
    const char *name, *bytes;
    uint8_t n;
    enum nrpc_walk_event last;
    const char *kept;
    uint8_t n_kept;
    const char *field;
    uint8_t begun;
};
#define BYTES(text) text, sizeof text - 1

static void check_rows(const struct row *rows, size_t n)
{
    static struct outcome outcome;
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &rows[i];
        test_context(row->name, (long)i);
        walk(row->bytes, row->n, &outcome);
        CHECK_EQ(outcome.last, row->last);
        if (row->last == NRPC_WALK_END) {
            CHECK_EQ(outcome.begun, row->begun);
            CHECK_EQ(outcome.ended, row->begun);
            CHECK_EQ(outcome.n_field, strlen(row->field));
            CHECK(memcmp(outcome.field, row->field, outcome.n_field) == 0);
            if (CHECK_EQ(outcome.n_kept, row->n_kept)) {
                CHECK(memcmp(outcome.kept, row->kept, row->n_kept) == 0);
            }
        }
    }
    test_context(NULL, 0);
}

#define KEPT(text) NRPC_WALK_END, text, sizeof text - 1
#define BAD NRPC_WALK_MALFORMED, "", 0, "", 0

/* The field is number 2 of the message itself. */
static const struct row flat_rows[] = {
    {"nothing", BYTES(""), KEPT(""), "", 0},
    {"only the field",
     BYTES("\x12\x03"
           "abc"),
     KEPT(""), "abc", 1},
    {"empty field", BYTES("\x12\x00"), KEPT(""), "", 1},
    {"between others",
     BYTES("\x08\x05\x12\x03"
           "abc\x1a\x01z"),
     KEPT("\x08\x05\x1a\x01z"), "abc", 1},
    {"twice", BYTES("\x12\x01x\x08\x05\x12\x02yz"), KEPT("\x08\x05"), "xyz", 2},
    {"all wire types",
     BYTES("\x08\x80\x01\x19"
           "12345678\x25"
           "1234\x2a\x00\x12\x01q"),
     KEPT("\x08\x80\x01\x19"
          "12345678\x25"
          "1234\x2a\x00"),
     "q", 1},
    {"number of ten bytes", BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     KEPT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "", 0},
    {"long-winded key and length",
     BYTES("\x92\x80\x80\x80\x80\x00\x83\x80\x00"
           "abc\x88\x80\x00\x01"),
     KEPT("\x88\x80\x00\x01"), "abc", 1},
    {"same number in a message not on the path", BYTES("\x1a\x04\x12\x02hi"),
     KEPT("\x1a\x04\x12\x02hi"), "", 0},
    {"largest field number", BYTES("\xf8\xff\xff\xff\x0f\x01"), KEPT("\xf8\xff\xff\xff\x0f\x01"),
     "", 0},
    {"number of eleven bytes", BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"), BAD},
    {"key over 32 bits", BYTES("\x88\x80\x80\x80\x10\x01"), BAD},
    {"key over 35 bits", BYTES("\x88\x80\x80\x80\x80\x01\x01"), BAD},
    {"length over 32 bits",
     BYTES("\x12\x80\x80\x80\x80\x10"
           "a"),
     BAD},
    {"length of 2^32-1",
     BYTES("\x12\xff\xff\xff\xff\x0f"
           "a"),
     BAD},
    {"field over the message's end",
     BYTES("\x12\x04"
           "abc"),
     BAD},
    {"another over the message's end",
     BYTES("\x1a\x04"
           "abc"),
     BAD},
    {"fixed number over the end",
     BYTES("\x1d"
           "123"),
     BAD},
    {"long fixed number over the end",
     BYTES("\x19"
           "1234567"),
     BAD},
    {"ends in a key", BYTES("\x88"), BAD},
    {"ends after a key", BYTES("\x08"), BAD},
    {"ends in a number", BYTES("\x08\x80"), BAD},
    {"ends before a length", BYTES("\x12"), BAD},
    {"ends in a length", BYTES("\x12\x80"), BAD},
    {"field number 0", BYTES("\x00\x01"), BAD},
    {"field number 0 with a length", BYTES("\x02\x01z"), BAD},
    {"group", BYTES("\x1b\x08\x01\x1c"), BAD},
    {"end of a group", BYTES("\x1c"), BAD},
    {"wire type 6", BYTES("\x1e\x01"), BAD},
    {"wire type 7", BYTES("\x1f\x01"), BAD},
    {"field as a number", BYTES("\x10\x01"), BAD},
    {"field as a fixed number",
     BYTES("\x15"
           "1234"),
     BAD},
};

static void flat(void)
{
    static const uint32_t two[] = {2};
    path(1, two);
    check_rows(flat_rows, sizeof flat_rows / sizeof flat_rows[0]);
}

/* The field is number 2 in message 3 of the message. The lengths of what remains keep their number
 * of bytes. */
static const struct row nested_rows[] = {
    {"only the field",
     BYTES("\x1a\x05\x12\x03"
           "abc"),
     KEPT("\x1a\x00"), "abc", 1},
    {"with others before and after",
     BYTES("\x08\x01\x1a\x09\x08\x05\x12\x03"
           "abc\x18\x06\x10\x02"),
     KEPT("\x08\x01\x1a\x04\x08\x05\x18\x06\x10\x02"), "abc", 1},
    {"empty message", BYTES("\x1a\x00\x08\x01"), KEPT("\x1a\x00\x08\x01"), "", 0},
    {"two messages, which are one", BYTES("\x1a\x02\x08\x05\x1a\x04\x12\x02hi\x1a\x02\x18\x07"),
     KEPT("\x1a\x02\x08\x05\x1a\x00\x1a\x02\x18\x07"), "hi", 1},
    {"long-winded length",
     BYTES("\x1a\x87\x80\x80\x80\x00\x08\x01\x12\x03"
           "abc"),
     KEPT("\x1a\x82\x80\x80\x80\x00\x08\x01"), "abc", 1},
    {"field's number outside", BYTES("\x12\x02hi\x1a\x02\x12\x00"), KEPT("\x12\x02hi\x1a\x00"), "",
     1},
    {"message's number inside", BYTES("\x1a\x04\x1a\x02\x12\x00"), KEPT("\x1a\x04\x1a\x02\x12\x00"),
     "", 0},
    {"message over its parent's end",
     BYTES("\x1a\x06\x12\x03"
           "abc"),
     BAD},
    {"field over its message's end",
     BYTES("\x1a\x04\x12\x03"
           "abc"),
     BAD},
    {"field over its message's end, more behind",
     BYTES("\x1a\x04\x12\x03"
           "abc\x08\x01"),
     BAD},
    {"message ends in a key", BYTES("\x1a\x01\x88\x08\x01"), BAD},
    {"message ends in a number", BYTES("\x1a\x02\x08\x80\x08\x01"), BAD},
    {"message ends in a length", BYTES("\x1a\x02\x12\x80\x08\x01"), BAD},
    {"message as a number", BYTES("\x18\x05"), BAD},
    {"group in the message", BYTES("\x1a\x02\x0b\x0c"), BAD},
};

static void nested(void)
{
    static const uint32_t three_two[] = {3, 2};
    path(2, three_two);
    check_rows(nested_rows, sizeof nested_rows / sizeof nested_rows[0]);
}

/* As deep as it goes. */
static void deep(void)
{
    static const uint32_t deep[] = {1, 2, 3, 4};
    static const struct row rows[] = {
        {"deep", BYTES("\x0a\x0a\x12\x06\x1a\x04\x22\x02hi\x08\x01\x10\x07"),
         KEPT("\x0a\x06\x12\x02\x1a\x00\x08\x01\x10\x07"), "hi", 1},
        {"the same numbers deeper", BYTES("\x0a\x08\x12\x06\x1a\x04\x0a\x02\x08\x05"),
         KEPT("\x0a\x08\x12\x06\x1a\x04\x0a\x02\x08\x05"), "", 0},
    };
    path(4, deep);
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

/* The largest numbers, and those that differ from them in their last bit, or in what 16 bits hold.
 */
static void largest_numbers(void)
{
    static const uint32_t largest[] = {536870911, 536870911};
    static const struct row rows[] = {
        {"the largest numbers", BYTES("\xfa\xff\xff\xff\x0f\x08\xfa\xff\xff\xff\x0f\x02hi"),
         KEPT("\xfa\xff\xff\xff\x0f\x00"), "hi", 1},
        {"one less", BYTES("\xf2\xff\xff\xff\x0f\x02hi"), KEPT("\xf2\xff\xff\xff\x0f\x02hi"), "",
         0},
        {"their low half", BYTES("\xfa\xff\x1f\x02hi"), KEPT("\xfa\xff\x1f\x02hi"), "", 0},
    };
    path(2, largest);
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

/* A length of two bytes that becomes one of one. */
static void lengths_that_shrink(void)
{
    static const uint32_t three_two[] = {3, 2};
    static struct outcome outcome;
    uint8_t bytes[3 + 2 + 3 + 200] = "\x1a\xcd\x01\x08\x07\x12\xc8\x01";
    memset(bytes + 8, 'x', 200);
    path(2, three_two);
    walk(bytes, sizeof bytes, &outcome);
    CHECK_EQ(outcome.last, NRPC_WALK_END);
    CHECK_EQ(outcome.n_field, 200);
    CHECK_EQ(outcome.n_kept, 5);
    CHECK(memcmp(outcome.kept, "\x1a\x82\x00\x08\x07", 5) == 0);
}

/* What may be kept is limited; a field that does not fit is refused as soon as its length
 * is known. */
static void too_much_to_keep(void)
{
    static const uint32_t two[] = {2};
    static struct outcome outcome;
    uint8_t bytes[MAX] = {0x1a};
    path(1, two);
    for (unsigned i = 0; i < KEEP + 30; i++) {
        test_context("bytes", (long)i);
        bytes[1] = (uint8_t)i;
        walk(bytes, 2 + i, &outcome);
        CHECK_EQ(outcome.last, 2 + i <= KEEP ? NRPC_WALK_END : NRPC_WALK_TOO_BIG);
        CHECK(outcome.last == NRPC_WALK_END || outcome.used == 2);
    }
    for (unsigned i = 0; i < MAX; i++) { /* many small ones */
        bytes[i] = (uint8_t)(i % 2 ? 0x01 : 0x08);
    }
    walk(bytes, sizeof bytes, &outcome);
    CHECK_EQ(outcome.last, NRPC_WALK_TOO_BIG);
    test_context("the longest numbers, as far as they may go", 0);
    for (unsigned i = 0; i < KEEP; i++) {
        static const uint8_t nine[] = {0x88, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
        memset(bytes, 0, sizeof bytes);
        bytes[0] = 0x1a; /* as much as leaves the rest at each place */
        bytes[1] = (uint8_t)i;
        for (unsigned k = 0; k < 4; k++) {
            memcpy(bytes + 2 + i + k * 10, nine, 10);
        }
        walk(bytes, 2 + i + 40, &outcome);
        CHECK(outcome.last == NRPC_WALK_END || outcome.last == NRPC_WALK_TOO_BIG);
    }
    test_context(NULL, 0);
}

/* What is known of a message's end needs no more bytes; and is said again. */
static void an_end_is_an_end(void)
{
    static const uint32_t three_two[] = {3, 2};
    static const uint8_t bytes[] = "\x1a\x04\x12\x02hi";
    const uint8_t *at = bytes;
    uint8_t keep[KEEP + NRPC_WALK_SLACK];
    struct nrpc_walk walk;
    struct nrpc_chunk chunk;
    path(2, three_two);
    nrpc_walk_begin(&walk, sizeof bytes - 1);
    CHECK_EQ(nrpc_walk_on(&walk, &plan, keep, &at, bytes + sizeof bytes - 1, &chunk),
             NRPC_WALK_CHUNK);
    CHECK_EQ(at - bytes, 6);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(nrpc_walk_on(&walk, &plan, keep, &at, bytes + sizeof bytes - 1 + i % 2, &chunk),
                 NRPC_WALK_END);
        CHECK_EQ(at - bytes, 6);
        CHECK_EQ(walk.kept, 2);
    }
}

static uint32_t seed = 1;

static unsigned any(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (unsigned)(seed % below);
}

/* Messages with mistakes: however they are cut the same comes of them, within the memory; and what
 * is kept of a good one is a message without the field. */
static void mutations(void)
{
    static const char good[] = "\x08\x01\x1a\x0d\x08\x05\x12\x05"
                               "field\x1a\x02\x08\x01\x22\x03"
                               "abc\x10\x07\x1a\x04\x12\x02hi";
    static const uint32_t three_two[] = {3, 2}, three[] = {3};
    static struct outcome whole, other, again;
    unsigned ends = 0;
    for (unsigned i = 0; i < MUTATIONS && !test_has_failed(); i++) {
        uint8_t bytes[sizeof good];
        test_context("mutation", (long)i);
        path((uint8_t)(i % 3 ? 2 : 1), i % 3 ? three_two : three);
        plan.keep_bytes = i % 5 ? KEEP : any(20);
        memcpy(bytes, good, sizeof good);
        for (uint32_t k = any(4); k; k--) {
            bytes[any(sizeof good - 1)] = (uint8_t)(any(2) ? any(256) : any(32));
        }
        size_t n = sizeof good - 1 - (any(4) ? 0 : any(sizeof good - 1));
        walk_in_pieces(bytes, n, n, n, &whole);
        walk_in_pieces(bytes, n, any(40), 1 + any(6), &other);
        CHECK(is_same(&whole, &other));
        if (whole.last == NRPC_WALK_END) {
            ends++;
            walk_in_pieces(whole.kept, whole.n_kept, whole.n_kept, whole.n_kept, &again);
            CHECK_EQ(again.last, NRPC_WALK_END);
            CHECK_EQ(again.begun, 0);
            CHECK(again.n_kept == whole.n_kept &&
                  memcmp(again.kept, whole.kept, whole.n_kept) == 0);
        }
    }
    CHECK(ends > MUTATIONS / 20 && ends < MUTATIONS);
    test_context(NULL, 0);
}

int main(void)
{
    RUN(flat);
    RUN(nested);
    RUN(deep);
    RUN(largest_numbers);
    RUN(lengths_that_shrink);
    RUN(too_much_to_keep);
    RUN(an_end_is_an_end);
    RUN(mutations);
    return test_end();
}
