/* tests/unit/test_memory.c - boards/memory.c: every alignment, length and overlap that C allows.
 * Layer: test. Source: ISO C99 7.21.2.1, 7.21.2.2, 7.21.6.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

/* Under names of their own: on the host the libc's stay, and on the Cortex-M3, whose tests are
 * linked with boards/memory.c, these are asked beside those. */
void *memory_copy(void *restrict to, const void *restrict from, size_t n);
void *memory_move(void *to, const void *from, size_t n);
void *memory_fill(void *to, int byte, size_t n);
#define memcpy memory_copy
#define memmove memory_move
#define memset memory_fill
#include "boards/memory.c"
#undef memcpy
#undef memmove
#undef memset
#include "test.h"

enum {
    ALIGNMENTS = 8,
    LONGEST = 80,
    ROOM = 2 * ALIGNMENTS + 2 * LONGEST,
    FAR = ALIGNMENTS + LONGEST
};

typedef void *(*copies)(void *, const void *, size_t);
typedef void *(*fills)(void *, int, size_t);

/* What is linked: called by a pointer that the compiler does not see through. */
static void *(*volatile linked_copy)(void *restrict, const void *restrict, size_t) = memcpy;
static copies volatile linked_move = memmove;
static fills volatile linked_fill = memset;

static uint8_t block[ROOM] __attribute__((aligned(8)));
static uint8_t source[FAR] __attribute__((aligned(8)));
static uint8_t before[ROOM];

static void begin(void)
{
    for (unsigned i = 0; i < ROOM; i++) {
        block[i] = before[i] = (uint8_t)(i * 7u + 1u);
    }
    for (unsigned i = 0; i < FAR; i++) {
        source[i] = (uint8_t)(255u - i);
    }
}

/* Nothing but the n bytes from `to` on was written. */
static int is_kept(unsigned to, unsigned n)
{
    for (unsigned i = 0; i < ROOM; i++) {
        if ((i < to || i >= to + n) && block[i] != before[i]) {
            return 0;
        }
    }
    return 1;
}

static int is_copied(unsigned to, const uint8_t *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (block[to + i] != from[i]) {
            return 0;
        }
    }
    return is_kept(to, n);
}

static void check_copy(void *(*copy)(void *restrict, const void *restrict, size_t))
{
    for (unsigned to = 0; to < ALIGNMENTS; to++) {
        for (unsigned from = 0; from < ALIGNMENTS; from++) {
            for (unsigned n = 0; n <= LONGEST && !test_has_failed(); n++) {
                begin();
                CHECK(copy(block + to, source + from, n) == block + to);
                CHECK(is_copied(to, source + from, n));
            }
        }
    }
}

static void copies_at_every_alignment(void)
{
    check_copy(memory_copy);
    check_copy(linked_copy);
}

/* From well below to well above, by way of every overlap. */
static void check_move(copies move)
{
    for (unsigned from = LONGEST; from < LONGEST + ALIGNMENTS; from++) {
        for (unsigned to = 0; to <= LONGEST + FAR; to++) {
            for (unsigned n = 0; n <= LONGEST && to + n <= ROOM && !test_has_failed(); n++) {
                begin();
                CHECK(move(block + to, block + from, n) == block + to);
                CHECK(is_copied(to, before + from, n));
            }
        }
    }
}

static void moves_over_every_distance(void)
{
    check_move(memory_move);
    check_move(linked_move);
}

static void check_fill(fills set)
{
    static const int bytes[] = {0, 1, 0xA5, 0xFF, -1, 0x17F};
    for (unsigned to = 0; to < ALIGNMENTS; to++) {
        for (unsigned n = 0; n <= LONGEST; n++) {
            for (unsigned i = 0; i < sizeof bytes / sizeof bytes[0] && !test_has_failed(); i++) {
                int is_filled = 1;
                begin();
                CHECK(set(block + to, bytes[i], n) == block + to);
                for (unsigned at = to; at < to + n; at++) {
                    is_filled &= block[at] == (uint8_t)bytes[i];
                }
                CHECK(is_filled && is_kept(to, n));
            }
        }
    }
}

static void fills_at_every_alignment(void)
{
    check_fill(memory_fill);
    check_fill(linked_fill);
}

/* Nothing behind the last byte is read or written: words do not go beyond it. */
static void keeps_within_its_memory(void)
{
    for (unsigned n = 0; n <= LONGEST; n++) {
        const uint8_t *from = test_guarded(source, n);
        uint8_t *to = test_guarded_room(n);
        CHECK(memory_copy(to, from, n) == to);
        CHECK(memory_move(to, from, n) == to);
        CHECK(memory_fill(to, 1, n) == to);
    }
}

int main(void)
{
    RUN(copies_at_every_alignment);
    RUN(moves_over_every_distance);
    RUN(fills_at_every_alignment);
    RUN(keeps_within_its_memory);
    return test_end();
}
