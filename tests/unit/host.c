/* tests/unit/host.c - a unit test on the host: output, kept inputs, memory up to a guard page.
 * Layer: test. Source: POSIX mmap.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

void test_write(const char *text, size_t n)
{
    while (n) {
        ssize_t written = write(1, text, n);
        if (written <= 0) {
            _exit(3);
        }
        text += written;
        n -= (size_t)written;
    }
}

int test_keep(const char *kind, const void *data, size_t n)
{
    static unsigned number;
    const char *folder = getenv("NRPC_KEEP");
    char path[1024];
    if (folder) {
        snprintf(path, sizeof path, "%s/%s-%s-%03u", folder, kind, program_invocation_short_name,
                 number++);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(data, 1, n, file) != n || fclose(file)) {
            test_print("NRPC_KEEP: cannot write there\n");
            _exit(3);
        }
    }
    return folder != NULL;
}

/* The end of TEST_GUARDED_MAX bytes, after which nothing may be read or written. */
static uint8_t *new_guarded(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *p = mmap(NULL, TEST_GUARDED_MAX + page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + TEST_GUARDED_MAX, page, PROT_NONE)) {
        test_print("no memory\n");
        _exit(3);
    }
    return p + TEST_GUARDED_MAX;
}

const uint8_t *test_guarded(const void *data, size_t n)
{
    static uint8_t *end;
    end = end ? end : new_guarded();
    return n ? memcpy(end - n, data, n) : end;
}

uint8_t *test_guarded_room(size_t n)
{
    static uint8_t *end;
    end = end ? end : new_guarded();
    return end - n;
}
