/* nanorpc/http2/nrpc_role.h - the ceiling of this room: what the rooms above do for a connection.
 * Layer: core. Source: RFC 9113; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_ROLE_H
#define NANORPC_ROLE_H

#include "nanorpc/http2/nrpc_conn.h"

/* Where frames go: at..end is free. */
struct nrpc_out {
    uint8_t *at, *end;
};

/* What a call's turn to send came to. */
enum nrpc_turn {
    NRPC_TURN_IDLE, /* nothing to send, or no window for it: something else queues the call again */
    NRPC_TURN_MORE  /* it may have more */
};

/* What a server and a client do differently; server->role, with NRPC_CLIENT. An image has those
 * that its NRPC_SERVER_DEFINE and NRPC_CHANNEL_DEFINE name; without NRPC_CLIENT there are no
 * tables, and the inline functions below reach the server directly. */
struct nrpc_role {
    /* The header block of stream conn->frame.id is complete; conn->fields know what it says. */
    void (*headers)(struct nrpc_conn *conn);
    /* An open call may send a frame or two: there is room for NRPC_TRANSMIT_MIN bytes. */
    enum nrpc_turn (*turn)(struct nrpc_conn *conn, struct nrpc_call *call, struct nrpc_out *out);
    /* A client's: GOAWAY has come; last_id: the last stream of ours that it lets live. */
    void (*goaway)(struct nrpc_conn *conn, uint32_t last_id, uint32_t code);
    unsigned stalls; /* flags of calls that wait for the peer to let something out */
};

/* --- Up: called here, defined in a room above ------------------------------------------------
 * Every image has one of each, so the linker binds them. No other call goes up: tests/layers.py. */

/* Bytes of the messages of an open call, in order; n 0: the peer has sent its last. Returns how
 * many of them, the last ones, there is no place for now: they are to be given again. */
uint32_t nrpc_up_data(struct nrpc_call *call, const uint8_t *data, uint32_t n);

/* A registered key's value has been decoded: keeps it for the call, which may be about to begin.
 * Returns what nrpc_fields_fault takes. Without NRPC_METADATA_BYTES there are no keys. */
#if NRPC_METADATA_BYTES
uint8_t nrpc_up_value(struct nrpc_call *call, const struct nrpc_hpack *field);
#else
static inline uint8_t nrpc_up_value(struct nrpc_call *call, const struct nrpc_hpack *field)
{
    (void)call;
    (void)field;
    return 0;
}
#endif

/* A server's `headers` and `turn`. */
void nrpc_up_request(struct nrpc_conn *conn);
enum nrpc_turn nrpc_up_response(struct nrpc_conn *conn, struct nrpc_call *call,
                                struct nrpc_out *out);
enum { NRPC_SERVER_STALLS = NRPC_CALL_TX | NRPC_CALL_FINISHED };

/* --- What this connection's role says ------------------------------------------------------- */

static inline int nrpc_role_calls(const struct nrpc_conn *conn) /* 1: a client's */
{
    return NRPC_CLIENT && (conn->flags & NRPC_CONN_CALLS);
}

#if NRPC_CLIENT
static inline unsigned nrpc_role_stalls(const struct nrpc_conn *conn)
{
    return conn->server->role->stalls;
}
static inline void nrpc_role_headers(struct nrpc_conn *conn)
{
    conn->server->role->headers(conn);
}
static inline enum nrpc_turn nrpc_role_turn(struct nrpc_conn *conn, struct nrpc_call *call,
                                            struct nrpc_out *out)
{
    return conn->server->role->turn(conn, call, out);
}
static inline void nrpc_role_goaway(struct nrpc_conn *conn, uint32_t last_id, uint32_t code)
{
    if (nrpc_role_calls(conn)) {
        conn->server->role->goaway(conn, last_id, code);
    }
}
/* SETTINGS_MAX_CONCURRENT_STREAMS has come. */
static inline void nrpc_role_limit(struct nrpc_conn *conn, uint32_t streams)
{
    conn->streams_refused = UINT32_MAX - streams;
}
/* The next nrpc_stream_close is a reset's. */
static inline void nrpc_role_reset(struct nrpc_conn *conn, uint32_t code)
{
    conn->reset_code = (uint8_t)(code < UINT8_MAX ? code : UINT8_MAX);
}
#else
static inline unsigned nrpc_role_stalls(const struct nrpc_conn *conn)
{
    (void)conn;
    return NRPC_SERVER_STALLS;
}
static inline void nrpc_role_headers(struct nrpc_conn *conn)
{
    nrpc_up_request(conn);
}
static inline enum nrpc_turn nrpc_role_turn(struct nrpc_conn *conn, struct nrpc_call *call,
                                            struct nrpc_out *out)
{
    return nrpc_up_response(conn, call, out);
}
static inline void nrpc_role_goaway(struct nrpc_conn *conn, uint32_t last_id, uint32_t code)
{
    (void)conn;
    (void)last_id;
    (void)code;
}
static inline void nrpc_role_limit(struct nrpc_conn *conn, uint32_t streams)
{
    (void)conn;
    (void)streams;
}
static inline void nrpc_role_reset(struct nrpc_conn *conn, uint32_t code)
{
    (void)conn;
    (void)code;
}
#endif

#endif
