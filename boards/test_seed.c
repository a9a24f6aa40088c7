/* boards/test_seed.c - board_entropy of boards that have no source of entropy, or a bad one. NOT
 * SECURE. Layer: board. Source: none; the mixing is that of a hash table, not of a cipher.
 * SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "cpu.h"

/* The same in every image, unless it is built with another. */
#ifndef BOARD_TEST_SEED
#define BOARD_TEST_SEED 0x4E525043u
#endif

int board_test_entropy(void *buf, size_t n)
{
    static uint32_t drawn;
    const uint8_t *station = board_station();
    uint8_t *out = buf;
    for (size_t i = 0; i < n; i++) {
        uint32_t x = BOARD_TEST_SEED + ++drawn * 0x9E3779B9u + board_now_ms();
        x = (x ^ (x >> 16) ^ station[drawn % 6]) * 0x85EBCA6Bu;
        out[i] = (uint8_t)(x >> 24);
    }
    return 0;
}

/* Gives way to that of a board with a source, which may fail. */
__attribute__((weak)) int board_entropy(void *buf, size_t n)
{
    return board_test_entropy(buf, n);
}

/* These boards have no calendar. */
uint64_t board_unix_s(void)
{
    return 0;
}
