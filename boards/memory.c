/* boards/memory.c - memcpy, memmove and memset by words: the small libc's go byte by byte.
 * Layer: board. Source: ISO C99 7.21; ARMv7-M Architecture Reference Manual A3.2.1 (alignment).
 * SPDX-License-Identifier: Apache-2.0 */

/* Who wins: a link looks into an archive only for names that it does not know yet. This file is
 * linked as an object, so libc.a's members with these names are not fetched. The names are weak:
 * one that comes as an object, or in an archive's member that something else needs, is taken
 * instead of these, and nothing is defined twice. `used`, because with -flto the compiler makes
 * calls of them after it has looked who calls what. clang's names for the same on Arm,
 * __aeabi_memcpy and so on, stay the libc's. */

#if defined(__AVR__)       /* of 8 bits: avr-libc's are as good as can be */
typedef int memory_unused; /* C has no empty files */
#else
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Else the compiler makes of a loop below a call of the function that it is the body of. */
#if defined(__clang__)
#define MEMORY_LOOPS __attribute__((no_builtin))
#else
#define MEMORY_LOOPS __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif
#define MEMORY_WEAK __attribute__((weak, used))
#define MEMORY_APART MEMORY_LOOPS __attribute__((noinline, used))

#if defined(__thumb2__) && defined(__ARM_FEATURE_UNALIGNED)
/* Armv7-M, Armv8-M main: a word is read and written at any address of memory (peripherals are none:
 * they fault). The address moves with the access, which GCC's -Os does not find: 10 instructions
 * for 16 bytes, 4 for a word that is left, and for a byte. */

#define MEMORY_LOOP(word, byte, n)                                          \
    "subs " n ", #16\n\tblo 2f\n"                                           \
    "1:\t" word word word word "subs " n ", #16\n\tbhs 1b\n"                \
    "2:\tadds " n ", #12\n\tbcc 4f\n3:\t" word "subs " n ", #4\n\tbhs 3b\n" \
    "4:\tadds " n ", #4\n\tbeq 6f\n5:\t" byte "subs " n ", #1\n\tbne 5b\n6:"

/* A word is read before it or the one below is written: `to` may lie below `from` in one block. */
MEMORY_APART static void *copy_up(void *to, const void *from, size_t n)
{
    void *at = to;
    uint32_t word;
    __asm__ volatile(MEMORY_LOOP("ldr %3, [%1], #4\n\tstr %3, [%0], #4\n\t",
                                 "ldrb %3, [%1], #1\n\tstrb %3, [%0], #1\n\t", "%2")
                     : "+r"(at), "+r"(from), "+r"(n), "=&r"(word)
                     :
                     : "cc", "memory");
    return to;
}

/* The same from above: `to` and `from` are the ends. */
static void copy_down(void *to, const void *from, size_t n)
{
    uint32_t word;
    __asm__ volatile(MEMORY_LOOP("ldr %3, [%1, #-4]!\n\tstr %3, [%0, #-4]!\n\t",
                                 "ldrb %3, [%1, #-1]!\n\tstrb %3, [%0, #-1]!\n\t", "%2")
                     : "+r"(to), "+r"(from), "+r"(n), "=&r"(word)
                     :
                     : "cc", "memory");
}

static void fill(void *to, uint32_t word, size_t n)
{
    __asm__ volatile(MEMORY_LOOP("str %1, [%0], #4\n\t", "strb %1, [%0], #1\n\t", "%2")
                     : "+r"(to), "+r"(word), "+r"(n)
                     :
                     : "cc", "memory");
}
#else
/* Armv6-M, RV32 and the rest: words where all addresses are a word's. */

typedef uint32_t memory_word __attribute__((may_alias));

static int are_words(const void *a, const void *b)
{
    return (((uintptr_t)a | (uintptr_t)b) & (sizeof(memory_word) - 1u)) == 0;
}

MEMORY_APART static void *copy_up(void *to, const void *from, size_t n)
{
    uint8_t *at = to;
    const uint8_t *next = from;
    if (are_words(at, next)) {
        for (; n >= sizeof(memory_word); n -= sizeof(memory_word)) {
            *(memory_word *)(void *)at = *(const memory_word *)(const void *)next;
            at += sizeof(memory_word);
            next += sizeof(memory_word);
        }
    }
    for (; n > 0; n--) {
        *at++ = *next++;
    }
    return to;
}

MEMORY_LOOPS static void copy_down(void *to, const void *from, size_t n)
{
    uint8_t *at = to;
    const uint8_t *next = from;
    if (are_words(at, next)) {
        for (; n >= sizeof(memory_word); n -= sizeof(memory_word)) {
            at -= sizeof(memory_word);
            next -= sizeof(memory_word);
            *(memory_word *)(void *)at = *(const memory_word *)(const void *)next;
        }
    }
    for (; n > 0; n--) {
        *--at = *--next;
    }
}

MEMORY_LOOPS static void fill(void *to, uint32_t word, size_t n)
{
    uint8_t *at = to;
    if (are_words(at, at)) {
        for (; n >= sizeof(memory_word); n -= sizeof(memory_word)) {
            *(memory_word *)(void *)at = word;
            at += sizeof(memory_word);
        }
    }
    for (; n > 0; n--) {
        *at++ = (uint8_t)word;
    }
}
#endif

MEMORY_WEAK void *memcpy(void *restrict to, const void *restrict from, size_t n)
    __attribute__((alias("copy_up")));

/* Not by memcpy: another one need not keep to copy_up's order. */
MEMORY_WEAK MEMORY_LOOPS void *memmove(void *to, const void *from, size_t n)
{
    if ((uintptr_t)to - (uintptr_t)from >= n) { /* below, or behind the last byte */
        return copy_up(to, from, n);
    }
    copy_down((uint8_t *)to + n, (const uint8_t *)from + n, n);
    return to;
}

MEMORY_WEAK MEMORY_LOOPS void *memset(void *to, int byte, size_t n)
{
    fill(to, (uint8_t)byte * UINT32_C(0x01010101), n);
    return to;
}
#endif
