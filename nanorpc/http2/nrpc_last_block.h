/* nanorpc/http2/nrpc_last_block.h - NRPC_FAST: the header block that came last, with what it meant.
 * A client's requests to one method are, from the second on, the same few bytes: while the HPACK
 * table stays as it is, they mean the same.
 * Layer: core, of a connection. Source: RFC 7541 2.2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_HTTP2_LAST_BLOCK_H
#define NANORPC_HTTP2_LAST_BLOCK_H

#include "nanorpc/http2/nrpc_conn.h"

NRPC_BEGIN_C

/* data: n bytes of the body of conn->frame, a HEADERS or CONTINUATION frame; whether they are all
 * of the block, the frame's length tells.
 *
 * nrpc_last_block_is: 1, and conn->fields as they were then, when they are a whole block that is
 * the last one. nrpc_last_block_keep: conn->fields are what they mean; remembers it when they are a
 * whole block that can come again. */
#if NRPC_FAST
int nrpc_last_block_is(struct nrpc_conn *conn, const uint8_t *data, uint32_t n);
void nrpc_last_block_keep(struct nrpc_conn *conn, const uint8_t *data, uint32_t n);
#else
static inline int nrpc_last_block_is(struct nrpc_conn *conn, const uint8_t *data, uint32_t n)
{
    (void)conn;
    (void)data;
    (void)n;
    return 0;
}
static inline void nrpc_last_block_keep(struct nrpc_conn *conn, const uint8_t *data, uint32_t n)
{
    (void)conn;
    (void)data;
    (void)n;
}
#endif

NRPC_END_C

#endif
