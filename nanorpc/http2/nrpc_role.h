/* nanorpc/http2/nrpc_role.h - what a server and a client do differently on a connection: one const
 * table for each. Layer: core. Source: RFC 9113; gRPC over HTTP2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_ROLE_H
#define NANORPC_ROLE_H

#include "nanorpc/conn.h"

/* Where frames go: at..end is free. */
struct nrpc_out {
    uint8_t *at, *end;
};

/* What a call's turn to send came to. */
enum nrpc_turn {
    NRPC_TURN_IDLE, /* nothing to send, or no window for it: something else queues the call again */
    NRPC_TURN_MORE  /* it may have more */
};

/* server->role. With NRPC_CLIENT an image has those that its NRPC_SERVER_DEFINE and
 * NRPC_CHANNEL_DEFINE name; without it there is one, and the functions below reach it directly. */
struct nrpc_role {
    /* The header block of stream conn->frame.id is complete; conn->request knows what it says. */
    void (*headers)(struct nrpc_conn *conn);
    /* An open call may send a frame or two: it has gone on as far as it can, and there is room for
     * NRPC_TRANSMIT_MIN bytes. */
    enum nrpc_turn (*turn)(struct nrpc_conn *conn, struct nrpc_call *call, struct nrpc_out *out);
    /* A client's: GOAWAY has come; last_id: the last stream of ours that it lets live. */
    void (*goaway)(struct nrpc_conn *conn, uint32_t last_id);
    /* A byte of the value of grpc-message. NULL: nobody wants it. */
    void (*message_byte)(struct nrpc_hpack *hpack, uint8_t byte);
    unsigned stalls; /* flags of calls that wait for the peer to let something out */
};

/* The server's own. */
void nrpc_request_end(struct nrpc_conn *conn);
enum nrpc_turn nrpc_transmit_response(struct nrpc_conn *conn, struct nrpc_call *call,
                                      struct nrpc_out *out);
enum { NRPC_SERVER_STALLS = NRPC_CALL_TX | NRPC_CALL_FINISHED };

/* What this connection's role says. */
static inline int nrpc_role_calls(const struct nrpc_conn *conn) /* 1: a client's */
{
    return NRPC_CLIENT && (conn->flags & NRPC_CONN_CALLS);
}

static inline unsigned nrpc_role_stalls(const struct nrpc_conn *conn)
{
#if NRPC_CLIENT
    return conn->server->role->stalls;
#else
    (void)conn;
    return NRPC_SERVER_STALLS;
#endif
}

#if NRPC_CLIENT
#define NRPC_ROLE_HEADERS(conn) ((conn)->server->role->headers(conn))
#define NRPC_ROLE_TURN(conn, call, out) ((conn)->server->role->turn(conn, call, out))
#else
#define NRPC_ROLE_HEADERS(conn) nrpc_request_end(conn)
#define NRPC_ROLE_TURN(conn, call, out) nrpc_transmit_response(conn, call, out)
#endif

/* What only clients need of the server's files is theirs alone where there are none. */
#if NRPC_CLIENT
#define NRPC_SHARED
#else
#define NRPC_SHARED static
#endif

#if NRPC_CLIENT
/* What a client's link begins with, but for the last number, which is the window. */
enum { NRPC_OPENING_BYTES = NRPC_CONTROL_MAX - 4 };
extern const char nrpc_conn_preface[NRPC_OPENING_BYTES + 1];

/* In transmit.c, for `turn`. Each writes a frame; there must be room for it, which `turn` sees to.
 */
void nrpc_transmit_number(struct nrpc_out *out, unsigned type, uint32_t id, uint32_t value);
void nrpc_transmit_window(struct nrpc_conn *conn, struct nrpc_call *call, struct nrpc_out *out);
/* The block stands already where it goes, after the frame's header, up to block_end. */
void nrpc_transmit_headers(struct nrpc_call *call, struct nrpc_out *out, uint8_t *block_end,
                           unsigned flags);
/* As much of the message as windows, frame size and room allow; NRPC_TURN_IDLE: no window. */
enum nrpc_turn nrpc_transmit_data(struct nrpc_conn *conn, struct nrpc_call *call,
                                  struct nrpc_out *out);
#endif

#endif
