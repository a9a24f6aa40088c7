/* tests/fuzz/fuzz_walk.c - a streamed field: whole, byte by byte and in pieces it is the same.
 * Layer: test. Source: protobuf "Encoding".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/grpc/nrpc_walk.h"

#include <string.h>

#include "fuzz.h"

enum { KEEP = 64 };

struct outcome {
    enum nrpc_walk_event last;
    size_t used, n_kept, n_field;
    uint8_t kept[KEEP + NRPC_WALK_SLACK], field[FUZZ_INPUT];
};

static struct nrpc_walk_plan plan;

static void take(struct outcome *outcome, const struct nrpc_chunk *chunk)
{
    CHECK(chunk->offset + chunk->n <= chunk->length);
    CHECK(chunk->n || !chunk->length);
    memcpy(outcome->field + outcome->n_field, chunk->data, chunk->n);
    outcome->n_field += chunk->n;
}

/* In pieces of at most `piece` bytes; of 1 up to a few at random with 0. */
static void walk(const uint8_t *bytes, size_t n, size_t piece, struct outcome *outcome)
{
    struct nrpc_walk walk;
    struct nrpc_chunk chunk;
    uint8_t *keep = test_guarded_room(plan.keep_bytes + NRPC_WALK_SLACK);
    memset(outcome, 0, sizeof *outcome);
    nrpc_walk_begin(&walk, (uint32_t)n);
    do {
        size_t size = piece ? piece : fuzz_next(30), left = n - outcome->used;
        size = size < left ? size : left;
        const uint8_t *data = test_guarded(bytes + outcome->used, size), *at = data;
        while ((outcome->last = nrpc_walk_on(&walk, &plan, keep, &at, data + size, &chunk)) ==
               NRPC_WALK_CHUNK) {
            take(outcome, &chunk);
        }
        outcome->used += (size_t)(at - data);
        CHECK(outcome->last != NRPC_WALK_MORE || at == data + size);
    } while (outcome->last == NRPC_WALK_MORE && outcome->used < n && !test_has_failed());
    /* Of the whole message: so now it ends, or has been none. */
    if (outcome->last == NRPC_WALK_MORE) {
        const uint8_t *at = bytes + n;
        outcome->last = nrpc_walk_on(&walk, &plan, keep, &at, at, &chunk);
        CHECK(outcome->last == NRPC_WALK_END || outcome->last == NRPC_WALK_MALFORMED);
    }
    CHECK(walk.kept <= plan.keep_bytes + NRPC_WALK_SLACK);
    if (outcome->last == NRPC_WALK_END) {
        CHECK_EQ(outcome->used, n);
        outcome->n_kept = walk.kept;
        memcpy(outcome->kept, keep, walk.kept);
    }
}

static void compare(const struct outcome *a, const struct outcome *b)
{
    CHECK_EQ(a->last, b->last);
    CHECK_EQ(a->used, b->used);
    CHECK_EQ(a->n_kept, b->n_kept);
    CHECK_EQ(a->n_field, b->n_field);
    CHECK(memcmp(a->field, b->field, a->n_field) == 0);
    CHECK(memcmp(a->kept, b->kept, a->n_kept) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint32_t path[] = {2, 1, 2, 3};
    static struct outcome whole, other;
    if (n < 3 || n > FUZZ_INPUT) {
        return 0;
    }
    fuzz_begin(data);
    plan.path = path;
    plan.depth = (uint8_t)(1 + data[2] % NRPC_WALK_DEPTH);
    plan.keep_bytes = data[2] / NRPC_WALK_DEPTH % (KEEP + 1);
    walk(data + 3, n - 3, n, &whole);
    walk(data + 3, n - 3, 1, &other);
    compare(&whole, &other);
    walk(data + 3, n - 3, 0, &other);
    compare(&whole, &other);
    fuzz_end();
    return 0;
}
