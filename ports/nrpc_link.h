/* ports/nrpc_link.h - what a port calls to drive a connection: the core, or TLS before it.
 * Layer: port; what all ports share. Source: none.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NRPC_LINK_H
#define NRPC_LINK_H

#include "nanorpc/conn.h"
#include "nanorpc/dial.h"
#include "nanorpc/http2/nrpc_conn.h"
#include "nanorpc/nanorpc.h"
#include "ports/mbedtls/nrpc_tls_link.h"

NRPC_BEGIN_C

/* Each of these is the function of conn.h, dial.h or server.h with the same end to its name, and
 * keeps to its contract; on a connection of a server or channel that has .tls, the bytes received
 * and transmitted are those of TLS. Without NRPC_TLS they are nothing but the core's.
 * nrpc_conn_timer_set and nrpc_conn_shutdown are called as they are. */
#if NRPC_TLS

static inline struct nrpc_conn *nrpc_link_begin_(struct nrpc_conn *conn, uint32_t now_ms)
{
    if (conn && conn->server->tls && nrpc_tls_begin(conn, now_ms)) {
        nrpc_conn_lost(conn);
        return NULL;
    }
    return conn;
}
#define NRPC_LINK_(conn, tls_does, core_does) ((conn)->server->tls ? (tls_does) : (core_does))
#else
#define nrpc_link_begin_(conn, now_ms) (conn)
#define NRPC_LINK_(conn, tls_does, core_does) (core_does)
#endif

/* As nrpc_server_accept. */
static inline struct nrpc_conn *nrpc_link_accept(const struct nrpc_server *server, uint32_t now_ms)
{
    return nrpc_link_begin_(nrpc_server_accept(server, now_ms), now_ms);
}

/* As nrpc_dial_linked. */
static inline struct nrpc_conn *nrpc_link_dialled(struct nrpc_dial *dial, uint32_t now_ms)
{
    return nrpc_link_begin_(nrpc_dial_linked(dial, now_ms), now_ms);
}

/* As nrpc_conn_receive. */
static inline size_t nrpc_link_receive(struct nrpc_conn *conn, const void *data, size_t n,
                                       uint32_t now_ms)
{
    return NRPC_LINK_(conn, nrpc_tls_receive(conn, data, n, now_ms),
                      nrpc_conn_receive(conn, data, n, now_ms));
}

/* As nrpc_conn_transmit. */
static inline size_t nrpc_link_transmit(struct nrpc_conn *conn, void *buf, size_t room)
{
    return NRPC_LINK_(conn, nrpc_tls_transmit(conn, buf, room),
                      nrpc_conn_transmit(conn, buf, room));
}

/* As nrpc_conn_tick. */
static inline uint32_t nrpc_link_tick(struct nrpc_conn *conn, uint32_t now_ms)
{
    return NRPC_LINK_(conn, nrpc_tls_tick(conn, now_ms), nrpc_conn_tick(conn, now_ms));
}

/* As nrpc_conn_closing. */
static inline int nrpc_link_closing(const struct nrpc_conn *conn)
{
    return NRPC_LINK_(conn, nrpc_tls_closing(conn), nrpc_conn_closing(conn));
}

/* As nrpc_conn_lost. */
static inline void nrpc_link_lost(struct nrpc_conn *conn)
{
#if NRPC_TLS
    if (conn->server->tls) {
        nrpc_tls_lost(conn);
        return;
    }
#endif
    nrpc_conn_lost(conn);
}

/* 1: what is received next begins with a frame, as far as the port can see its bytes. */
static inline int nrpc_link_at_frame(const struct nrpc_conn *conn)
{
    return NRPC_LINK_(conn, 0, conn->phase == NRPC_PHASE_HEAD && !conn->have);
}

NRPC_END_C

#endif
