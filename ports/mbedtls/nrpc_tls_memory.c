/* ports/mbedtls/nrpc_tls_memory.c - all of Mbed TLS's memory: one static buffer, and its peak.
 * Layer: port. Source: Knuth, TAOCP 1, 2.5 (first fit).
 * SPDX-License-Identifier: Apache-2.0 */
#include "ports/mbedtls/nrpc_tls.h"

#include <string.h>

/* Blocks lie one behind the other, each with its size before it. First fit; free neighbours are
 * made one when a block is looked for. A handshake has some dozens of blocks, so walking over them
 * costs nothing beside its arithmetic. */
union head {
    struct {
        uint32_t bytes; /* with this head */
        uint32_t taken;
    } is;
    uint64_t alignment;
};
enum { UNIT = sizeof(union head) };

NRPC_STATIC_ASSERT(NRPC_TLS_MEMORY_BYTES >= 4096 && NRPC_TLS_MEMORY_BYTES % sizeof(union head) == 0,
                   "NRPC_TLS_MEMORY_BYTES: 4096 or more, a multiple of 8");

static union head buffer[NRPC_TLS_MEMORY_BYTES / UNIT];
static struct nrpc_tls_memory memory;

static union head *after(union head *head)
{
    return head + head->is.bytes / UNIT;
}

/* A free block of so many bytes or more, NULL: there is none. */
static union head *find(uint32_t bytes)
{
    union head *const end = buffer + sizeof buffer / UNIT;
    if (!buffer->is.bytes) {
        buffer->is.bytes = sizeof buffer;
    }
    for (union head *head = buffer; head < end; head = after(head)) {
        if (head->is.taken) {
            continue;
        }
        for (union head *next = after(head); next < end && !next->is.taken; next = after(head)) {
            head->is.bytes += next->is.bytes;
        }
        if (head->is.bytes >= bytes) {
            return head;
        }
    }
    return NULL;
}

void *nrpc_tls_calloc(size_t count, size_t size)
{
    size_t most = sizeof buffer - UNIT;
    uint32_t bytes;
    union head *head;
    if (!count || !size || count > most / size) {
        return NULL;
    }
    bytes = (uint32_t)((count * size + 2 * UNIT - 1) / UNIT * UNIT);
    head = find(bytes);
    if (!head) {
        memory.refused++;
        return NULL;
    }
    if (head->is.bytes > bytes) {
        union head *rest = head + bytes / UNIT;
        rest->is.bytes = head->is.bytes - bytes;
        rest->is.taken = 0;
        head->is.bytes = bytes;
    }
    head->is.taken = 1;
    memory.used += bytes;
    memory.peak = memory.used > memory.peak ? memory.used : memory.peak;
    return memset(head + 1, 0, bytes - UNIT);
}

void nrpc_tls_free(void *block)
{
    if (block) {
        union head *head = (union head *)block - 1;
        head->is.taken = 0;
        memory.used -= head->is.bytes;
    }
}

const struct nrpc_tls_memory *nrpc_tls_memory(void)
{
    return &memory;
}
