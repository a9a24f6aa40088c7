/* nanorpc/server.c - a connection's life: accepted, watched by timers, shut down, lost.
 * Layer: core. Source: RFC 9113 3.4, 5.4, 6.8.
 * SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <string.h>

#include "request.h"
#include "role.h"

/* Time is kept in units of 256 ms, in 16 bits: they wrap after 4.6 hours, ticks come each second. */
enum { TICK_SHIFT = 8 };

/* Our part of the connection preface, RFC 9113 3.4. */
static void put_settings(struct nrpc_conn *conn)
{
    static const uint8_t settings[] = {
#if NRPC_HPACK_ENTRIES != 128
        0, NRPC_HEADER_TABLE_SIZE, 0, 0, NRPC_HPACK_TABLE_BYTES >> 8, NRPC_HPACK_TABLE_BYTES & 0xff,
#endif
        0, NRPC_MAX_CONCURRENT_STREAMS, 0, 0, NRPC_MAX_STREAMS >> 8, NRPC_MAX_STREAMS & 0xff,
        0, NRPC_INITIAL_WINDOW_SIZE};
    uint8_t *p = nrpc_conn_control(conn, sizeof settings + 4, NRPC_TYPE_FLAGS(NRPC_SETTINGS, 0), 0);
    memcpy(p, settings, sizeof settings);
    nrpc_put32(p + sizeof settings, conn->server->rx_bytes);
}

struct nrpc_conn *nrpc_server_accept(const struct nrpc_server *server, uint32_t now_ms)
{
    for (unsigned i = 0; i < server->n_conns; i++) {
        struct nrpc_conn *conn = &server->conns[i];
        if (conn->flags & NRPC_CONN_OPEN) {
            continue;
        }
        memset(conn, 0, offsetof(struct nrpc_conn, calls)); /* these are as nrpc_conn_lost has left them */
        conn->server = server;
        conn->blocks = server->blocks + i * NRPC_MAX_STREAMS * (server->rx_bytes + server->tx_bytes);
        conn->since = conn->refilled = (uint16_t)(now_ms >> TICK_SHIFT);
        conn->send_window = conn->recv_window = NRPC_WINDOW_INITIAL;
        conn->peer_initial_window = NRPC_WINDOW_INITIAL;
#if NRPC_FAST
        conn->last = &conn->first;
#endif
        conn->flags = NRPC_CONN_OPEN;
        nrpc_hpack_init(&conn->hpack, server->services, server->n_services);
        put_settings(conn);
        return conn;
    }
    return NULL;
}

static unsigned setting(struct nrpc_conn *conn, unsigned id, uint32_t value)
{
    (void)conn;
    return id == NRPC_ENABLE_PUSH && value > 1 ? NRPC_H2_PROTOCOL_ERROR : NRPC_H2_NO_ERROR;
}

const struct nrpc_role nrpc_server_role = {
    .headers = nrpc_request_end,
    .turn = nrpc_transmit_response,
    .setting = setting,
    .peer_opens = UINT32_MAX,
    .stalls = NRPC_CALL_TX | NRPC_CALL_FINISHED,
};

void nrpc_conn_lost(struct nrpc_conn *conn)
{
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        if (conn->calls[i].flags & NRPC_CALL_OPEN) {
            nrpc_stream_close(&conn->calls[i], NRPC_UNAVAILABLE);
        }
        conn->calls[i].id = 0;
#if NRPC_FAST
        conn->calls[i].flags &= (uint16_t)~NRPC_CALL_QUEUED;
#endif
    }
    conn->flags = 0;
}

void nrpc_conn_shutdown(struct nrpc_conn *conn)
{
    conn->flags |= NRPC_CONN_DRAIN;
}

/* The flags of all calls; those that are not open have neither of the flags asked for here. */
static unsigned calls(const struct nrpc_conn *conn)
{
    unsigned flags = 0;
    for (unsigned i = 0; i < NRPC_MAX_STREAMS; i++) {
        flags |= conn->calls[i].flags;
    }
    return flags;
}

int nrpc_conn_closing(const struct nrpc_conn *conn)
{
    int over = (conn->flags & NRPC_CONN_DEAD) || ((conn->flags & NRPC_CONN_GOAWAY) && !(calls(conn) & NRPC_CALL_OPEN));
    return over && !conn->control_bytes;
}

uint32_t nrpc_conn_tick(struct nrpc_conn *conn, uint32_t now_ms)
{
    unsigned flags = conn->flags;
    uint16_t now = (uint16_t)(now_ms >> TICK_SHIFT);
    int sending = conn->control_bytes || (calls(conn) & conn->server->role->stalls);
    int reading = conn->phase != NRPC_PHASE_HEAD || conn->have ||
                  conn->block_id || !(flags & NRPC_CONN_GREETED);
    unsigned progress = sending ? NRPC_CONN_TX_PROGRESS : NRPC_CONN_RX_PROGRESS;
    if (!(sending || reading) || (flags & progress)) {
        conn->since = now;
    }
    conn->flags = flags & ~(unsigned)(NRPC_CONN_RX_PROGRESS | NRPC_CONN_TX_PROGRESS);
    if ((uint16_t)(now - conn->since) > NRPC_STALL_TIMEOUT_MS >> TICK_SHIFT) {
        conn->flags |= NRPC_CONN_DEAD; /* without GOAWAY, which such a peer would not read either */
        conn->control_bytes = 0;
    }
    if ((uint16_t)(now - conn->refilled) >= 1024 >> TICK_SHIFT) {
        unsigned glitches = conn->glitches;
        conn->refilled = now;
        conn->glitches =
            (uint8_t)(glitches > NRPC_GLITCHES_PER_SECOND ? glitches - NRPC_GLITCHES_PER_SECOND : 0);
    }
    return NRPC_STALL_TIMEOUT_MS < 1000 ? NRPC_STALL_TIMEOUT_MS : 1000;
}
