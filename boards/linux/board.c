/* boards/linux/board.c - what an application may ask of any board, on Linux.
 * Layer: board. Source: getentropy(3).
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

int board_entropy(void *buf, size_t n)
{
    if (getentropy(buf, n))
        board_panic("no entropy");
    return 1;
}

uint32_t board_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

uint64_t board_unix_s(void)
{
    return (uint64_t)time(NULL);
}

void board_panic(const char *text)
{
    fprintf(stderr, "nanorpc: panic: %s\n", text);
    exit(1);
}

void board_print(const char *text)
{
    fputs(text, stdout);
    fflush(stdout);
}
