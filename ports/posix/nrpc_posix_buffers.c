/* ports/posix/nrpc_posix_buffers.c - where bytes wait: buffers that links have while they need
 * them.
 * Layer: port. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ports/posix/nrpc_posix_port.h"

NRPC_STATIC_ASSERT(NRPC_POSIX_BUFFERS >= 0 && NRPC_POSIX_BUFFERS <= 1000000,
                   "NRPC_POSIX_BUFFERS: 0..1000000");

/* The system gives memory to those that were ever in use: so these come first. */
static struct {
    struct nrpc_posix_buffer *free;
    uint32_t n_touched;
    struct nrpc_posix_buffer all[NRPC_POSIX_BUFFERS + 1]; /* one more: 0 are none, but an array */
} buffers;

int nrpc_posix_buffers_suffice(void)
{
    enum { RX_AND_TX = 2 };

    return nrpc_posix.stats.buffers + RX_AND_TX <= NRPC_POSIX_BUFFERS;
}

struct nrpc_posix_buffer *nrpc_posix_buffer_keep(const uint8_t *data, size_t n)
{
    struct nrpc_posix_buffer *buffer = buffers.free;

    if (buffer)
        buffers.free = buffer->next;
    else if (buffers.n_touched != NRPC_POSIX_BUFFERS)
        buffer = &buffers.all[buffers.n_touched++];
    else
        return NULL;
    nrpc_posix.stats.buffers++;
    memcpy(buffer->bytes, data, n);
    buffer->at = 0;
    buffer->end = (uint32_t)n;
    return buffer;
}

void nrpc_posix_buffer_drop(struct nrpc_posix_buffer **held, size_t n)
{
    struct nrpc_posix_buffer *buffer = *held;

    if (!buffer)
        return;
    buffer->at += (uint32_t)n;
    if (buffer->at != buffer->end)
        return;
    buffer->next = buffers.free;
    buffers.free = buffer;
    nrpc_posix.stats.buffers--;
    *held = NULL;
}
