/* nanorpc/http2/nrpc_last_block.c - NRPC_FAST: the header block that came last, with what it meant.
 * Layer: core. Source: RFC 7541 2.2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/http2/nrpc_last_block.h"

#include <string.h>

#if NRPC_FAST
static int is_whole(const struct nrpc_conn *conn, uint32_t n)
{
    const unsigned kind = NRPC_END_HEADERS | NRPC_PADDED | NRPC_HAS_PRIORITY;
    return conn->frame.type == NRPC_HEADERS && (conn->frame.flags & kind) == NRPC_END_HEADERS &&
           conn->block_bytes == n + NRPC_FRAME_HEADER_BYTES && n <= NRPC_LAST_BLOCK_MAX;
}

int nrpc_last_block_is(struct nrpc_conn *conn, const uint8_t *data, uint32_t n)
{
    struct nrpc_last_block *last = &conn->last_block;
    if (conn->hpack.changed) {
        conn->hpack.changed = last->bytes = 0;
    }
    if (n != last->bytes || !is_whole(conn, n) || memcmp(data, last->block, (size_t)n) != 0) {
        return 0;
    }
    conn->fields = last->fields;
    return 1;
}

void nrpc_last_block_keep(struct nrpc_conn *conn, const uint8_t *data, uint32_t n)
{
    struct nrpc_last_block *last = &conn->last_block;
    if (is_whole(conn, n) && !conn->hpack.changed && !conn->fields.has_text) {
        last->fields = conn->fields;
        last->bytes = (uint8_t)n;
        memcpy(last->block, data, (size_t)n);
    }
}
#else
typedef int nrpc_last_block_unused; /* C has no empty files */
#endif
