/* nanorpc/http2/nrpc_control.c - frames of the connection's own, its end by an error, and what a
 * peer's cheap frames cost it.
 * Layer: core. Source: RFC 9113 5.4, 6.7, 6.8, 10.5.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/http2/nrpc_conn.h"

#include <string.h>

#include "nanorpc/http2/nrpc_role.h"

uint8_t *nrpc_conn_control(struct nrpc_conn *conn, uint32_t length, unsigned type_flags,
                           uint32_t id)
{
    uint8_t *p = conn->control + conn->control_bytes;
    uint32_t bytes = length + NRPC_FRAME_HEADER_BYTES + conn->control_bytes;
    NRPC_ASSERT(bytes <= NRPC_CONTROL_MAX);
    conn->control_bytes = (uint8_t)bytes;
    return nrpc_frame_write(p, length, type_flags, id);
}

void nrpc_conn_goaway(struct nrpc_conn *conn, uint32_t last_id, enum nrpc_h2_error code)
{
    static const char pings[14] = "too_many_pings"; /* what gRPC clients look for */
    size_t n = conn->pings > NRPC_PINGS_MAX ? sizeof pings : 0;
    uint8_t *p = nrpc_conn_control(conn, 8 + (uint32_t)n, NRPC_TYPE_FLAGS(NRPC_GOAWAY, 0), 0);
    memcpy(nrpc_put32(nrpc_put32(p, nrpc_role_calls(conn) ? 0 : last_id), code), pings, n);
}

void nrpc_conn_ping(struct nrpc_conn *conn, uint8_t first)
{
    uint8_t *p = nrpc_conn_control(conn, 8, NRPC_TYPE_FLAGS(NRPC_PING, 0), 0);
    nrpc_put32(nrpc_put32(p, (uint32_t)first << 24), 0);
}

void nrpc_conn_error(struct nrpc_conn *conn, enum nrpc_h2_error code)
{
    uint32_t flags = conn->flags;
    conn->flags = flags | NRPC_CONN_DEAD | NRPC_CONN_GOAWAY | NRPC_CONN_WARNED;
    /* RFC 9113 6.8: after one that has said which calls are refused, none may name a higher id. */
    if (!(flags & NRPC_CONN_GOAWAY)) {
        nrpc_conn_goaway(conn, conn->last_id, code);
    }
}

void nrpc_conn_charge(struct nrpc_conn *conn, uint32_t parts)
{
    conn->glitches = (uint16_t)(conn->glitches + parts);
    if (conn->glitches >= NRPC_GLITCHES_MAX * NRPC_GLITCH) {
        nrpc_conn_error(conn, NRPC_H2_ENHANCE_YOUR_CALM);
    }
}

void nrpc_conn_glitch(struct nrpc_conn *conn)
{
    nrpc_conn_charge(conn, NRPC_GLITCH);
}

void nrpc_conn_rested(struct nrpc_conn *conn, uint16_t now)
{
    if (conn->heard != now) {
        conn->flags &= ~(unsigned)NRPC_CONN_RESTS;
        conn->decoded = 0;
    }
}
