/* nanorpc/server.c - a connection's life: accepted, watched by timers, shut down, lost.
 * Layer: core. Source: RFC 9113 3.4, 5.4, 6.8.
 * SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <string.h>

struct nrpc_conn *nrpc_server_accept(const struct nrpc_server *server, uint32_t now_ms)
{
    for (unsigned i = 0; i < server->n_conns; i++) {
        struct nrpc_conn *conn = &server->conns[i];
        if (conn->flags & NRPC_CONN_OPEN) {
            continue;
        }
        memset(conn, 0, sizeof *conn);
        conn->server = server;
        conn->blocks = server->blocks + i * NRPC_MAX_STREAMS * (server->rx_bytes + server->tx_bytes);
        conn->since_ms = conn->refilled_ms = now_ms;
        conn->send_window = conn->recv_window = NRPC_WINDOW_INITIAL;
        conn->peer_initial_window = NRPC_WINDOW_INITIAL;
        conn->last = &conn->first;
        conn->hint = NRPC_MAX_STREAMS - 1;
        conn->flags = NRPC_CONN_OPEN | NRPC_CONN_SETTINGS_DUE;
        nrpc_hpack_init(&conn->hpack, server->services, server->n_services);
        return conn;
    }
    return NULL;
}

void nrpc_conn_lost(struct nrpc_conn *conn)
{
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        if (conn->calls[i].flags & NRPC_CALL_OPEN) {
            nrpc_stream_close(&conn->calls[i], NRPC_UNAVAILABLE);
        }
    }
    conn->flags = 0;
}

void nrpc_conn_shutdown(struct nrpc_conn *conn)
{
    conn->flags |= NRPC_CONN_GOAWAY_DUE;
}

/* The flags of all open calls; one with a message to send counts as finished. */
static unsigned calls(const struct nrpc_conn *conn)
{
    unsigned flags = 0;
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        const struct nrpc_call *call = &conn->calls[i];
        if (call->flags & NRPC_CALL_OPEN) {
            flags |= NRPC_CALL_OPEN | (call->tx_length ? NRPC_CALL_FINISHED : call->flags);
        }
    }
    return flags;
}

int nrpc_conn_closing(const struct nrpc_conn *conn)
{
    if (conn->flags & NRPC_CONN_DEAD) {
        return !(conn->flags & NRPC_CONN_GOAWAY_DUE);
    }
    return (conn->flags & NRPC_CONN_GOAWAY_SENT) && !calls(conn);
}

uint32_t nrpc_conn_tick(struct nrpc_conn *conn, uint32_t now_ms)
{
    const unsigned due =
        NRPC_CONN_SETTINGS_DUE | NRPC_CONN_ACK_DUE | NRPC_CONN_PING_DUE | NRPC_CONN_GOAWAY_DUE;
    unsigned flags = conn->flags;
    int sending = (flags & due) || conn->n_resets || (calls(conn) & NRPC_CALL_FINISHED);
    int reading = !(flags & NRPC_CONN_GREETED) || conn->phase != NRPC_PHASE_HEAD || conn->have ||
                  (flags & NRPC_CONN_IN_BLOCK);
    unsigned progress = sending ? NRPC_CONN_TX_PROGRESS : NRPC_CONN_RX_PROGRESS;
    if (!(sending || reading) || (flags & progress)) {
        conn->since_ms = now_ms;
    }
    conn->flags &= ~(uint32_t)(NRPC_CONN_RX_PROGRESS | NRPC_CONN_TX_PROGRESS);
    if (now_ms - conn->since_ms >= NRPC_STALL_TIMEOUT_MS) {
        conn->flags |= NRPC_CONN_DEAD; /* such a peer would not read a GOAWAY either */
        conn->flags &= ~(uint32_t)NRPC_CONN_GOAWAY_DUE;
    }
    if (now_ms - conn->refilled_ms >= 1000) {
        unsigned more = conn->glitches;
        conn->refilled_ms = now_ms;
        conn->glitches = (uint8_t)(more > NRPC_GLITCHES_PER_SECOND ? more - NRPC_GLITCHES_PER_SECOND : 0);
    }
    return NRPC_STALL_TIMEOUT_MS < 1000 ? NRPC_STALL_TIMEOUT_MS : 1000;
}

void **nrpc_conn_link(struct nrpc_conn *conn)
{
    return conn->link;
}
