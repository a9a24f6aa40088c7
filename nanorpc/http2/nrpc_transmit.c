/* nanorpc/http2/nrpc_transmit.c - the sending side of a connection: frames are made when there is
 * room.
 * Layer: core. Source: RFC 9113 5.2, 6; gRPC over HTTP2 "Responses".
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/http2/nrpc_transmit.h"

#include <string.h>

#include "nanorpc/codec.h"

enum { RECV_WINDOW_LOW = NRPC_WINDOW_INITIAL / 2 };

/* A handler's message has left, or much of one: the windows that the peer gave for it are paid for,
 * and a reset. */
enum { MESSAGE_FORGIVES = NRPC_GLITCH, MUCH_BYTES = 64 };

/* --- A call's frames ---------------------------------------------------------------------- */

NRPC_NOINLINE void nrpc_transmit_number(struct nrpc_out *out, unsigned type, uint32_t id,
                                        uint32_t value)
{
    out->at = nrpc_put32(nrpc_frame_write(out->at, 4, NRPC_TYPE_FLAGS(type, 0), id), value);
}

/* HEADERS or DATA go out: the call is not stalled, and the client may ping again. */
static void note_progress(struct nrpc_conn *conn)
{
    conn->flags |= NRPC_CONN_TX_PROGRESS;
    conn->pings = 0;
}

/* Not while it is not known how much of it a DATA frame that is coming in will take again. */
void nrpc_transmit_window(struct nrpc_conn *conn, struct nrpc_call *call, struct nrpc_out *out)
{
    int32_t free_bytes = (int32_t)nrpc_call_rx_free(call);
    int in_frame = conn->phase > NRPC_PHASE_HEAD && conn->frame.id == call->id;
    if (call->recv_window < free_bytes && !in_frame &&
        !(call->flags & (NRPC_CALL_RX_END | NRPC_CALL_FINISHED))) {
        nrpc_transmit_number(out, NRPC_WINDOW_UPDATE, call->id,
                             (uint32_t)(free_bytes - call->recv_window));
        call->recv_window = free_bytes;
    }
}

NRPC_NOINLINE void nrpc_transmit_headers(struct nrpc_call *call, struct nrpc_out *out,
                                         uint8_t *block_end, unsigned flags)
{
    uint32_t n = (uint32_t)(block_end - out->at) - NRPC_FRAME_HEADER_BYTES;
    nrpc_frame_write(out->at, n, NRPC_TYPE_FLAGS(NRPC_HEADERS, flags | NRPC_END_HEADERS), call->id);
    out->at = block_end;
    call->flags |= NRPC_CALL_HEADERS;
    note_progress(nrpc_call_conn(call));
}

/* What follows the bytes of the block, made by the codec. */
static uint32_t produce(struct nrpc_call *call, uint8_t *at, uint32_t room)
{
#if NRPC_PIECES
    return call->method->codec->produce(call, at, room);
#else
    (void)call;
    (void)at;
    return room;
#endif
}

enum nrpc_turn nrpc_transmit_data(struct nrpc_conn *conn, struct nrpc_call *call,
                                  struct nrpc_out *out)
{
    uint32_t in_block = call->tx_length - call->tx_sent;
    uint32_t n = (uint32_t)nrpc_transmit_room(out) - NRPC_FRAME_HEADER_BYTES;
    int32_t window = call->send_window < conn->send_window ? call->send_window : conn->send_window;
    if (window <= 0) {
        return NRPC_TURN_IDLE;
    }
    n = n < (uint32_t)window ? n : (uint32_t)window;
    n = n < NRPC_FRAME_MAX ? n : NRPC_FRAME_MAX; /* which every peer takes */
    if (in_block || !NRPC_PIECES) {
        n = n < in_block ? n : in_block;
        memcpy(out->at + NRPC_FRAME_HEADER_BYTES, nrpc_call_tx(call) + call->tx_sent, (size_t)n);
        call->tx_sent = (nrpc_block_size)(call->tx_sent + n);
    } else {
        n = produce(call, out->at + NRPC_FRAME_HEADER_BYTES, n);
        if (!n) {
            return NRPC_TURN_MORE; /* trailers, or the next turn finds that it waits */
        }
    }
    out->at = nrpc_frame_write(out->at, n, NRPC_TYPE_FLAGS(NRPC_DATA, 0), call->id) + n;
    call->send_window -= (int32_t)n;
    conn->send_window -= (int32_t)n;
    note_progress(conn);
    if (call->tx_sent == call->tx_length && !(call->flags & NRPC_CALL_PRODUCING)) {
        call->tx_length = 0;
        call->flags &= (uint16_t)~NRPC_CALL_TX;
        n = MUCH_BYTES;
    }
    if (n >= MUCH_BYTES && (call->flags & NRPC_CALL_REQUESTED)) {
        nrpc_conn_forgive(conn, MESSAGE_FORGIVES);
    }
    return NRPC_TURN_MORE;
}

/* --- The connection's ----------------------------------------------------------------------- */

/* gRPC A8/A9's way: calls that are on their way when the client hears of the end are still taken.
 */
static void put_farewell(struct nrpc_conn *conn)
{
    if (!(conn->flags & NRPC_CONN_WARNED)) {
        conn->flags |= NRPC_CONN_WARNED;
        nrpc_conn_goaway(conn, 0x7fffffff, NRPC_H2_NO_ERROR);
        nrpc_conn_ping(conn, 1);
    } else if ((conn->flags & (NRPC_CONN_READ | NRPC_CONN_GOAWAY)) == NRPC_CONN_READ) {
        conn->flags |= NRPC_CONN_GOAWAY;
        nrpc_conn_goaway(conn, conn->last_id, NRPC_H2_NO_ERROR);
    }
}

/* The connection's own frames, if there is room for them. */
static void put_control(struct nrpc_conn *conn, struct nrpc_out *out)
{
    if (nrpc_transmit_room(out) < NRPC_TRANSMIT_MIN) {
        return;
    }
    if (conn->flags & NRPC_CONN_DRAIN && !conn->control_bytes) {
        put_farewell(conn);
    }
    memcpy(out->at, conn->control, conn->control_bytes);
    out->at += conn->control_bytes;
    conn->control_bytes = 0;
    if (conn->recv_window < RECV_WINDOW_LOW) {
        nrpc_transmit_number(out, NRPC_WINDOW_UPDATE, 0,
                             (uint32_t)(NRPC_WINDOW_INITIAL - conn->recv_window));
        conn->recv_window = NRPC_WINDOW_INITIAL;
    }
}

#if NRPC_FAST
static void put_calls(struct nrpc_conn *conn, struct nrpc_out *out)
{
    struct nrpc_call *call;
    while (nrpc_transmit_room(out) >= NRPC_TRANSMIT_MIN &&
           (call = nrpc_stream_unqueue(conn)) != NULL) {
        if (call->flags & NRPC_CALL_OPEN) {
            if (nrpc_role_turn(conn, call, out) != NRPC_TURN_IDLE) {
                nrpc_stream_queue(call);
            }
        }
    }
}
#else
static void put_calls(struct nrpc_conn *conn, struct nrpc_out *out)
{
    unsigned slot = conn->turn;
    unsigned left = NRPC_MAX_STREAMS; /* calls to be asked, unless one has something */
    do {
        struct nrpc_call *call = &conn->calls[slot];
        left--;
        if (call->flags & NRPC_CALL_OPEN) {
            if (nrpc_transmit_room(out) < NRPC_TRANSMIT_MIN) {
                break; /* it is still this one's turn */
            }
            if (nrpc_role_turn(conn, call, out) != NRPC_TURN_IDLE) {
                left = NRPC_MAX_STREAMS;
            }
        } else if (NRPC_MANY_STREAMS) { /* those before the next open call have had theirs, too */
            unsigned passed = nrpc_stream_from(conn, slot + 1) - (slot + 1);
            passed = passed < left ? passed : left;
            left -= passed;
            slot += passed;
        }
        slot = (slot + 1) % NRPC_MAX_STREAMS;
    } while (left);
    conn->turn = (uint16_t)slot;
}
#endif

size_t nrpc_conn_transmit(struct nrpc_conn *conn, void *buf, size_t size)
{
    struct nrpc_out out = {.at = buf, .end = (uint8_t *)buf + size};
    put_control(conn, &out);
    if (!(conn->flags & NRPC_CONN_DEAD)) {
        put_calls(conn, &out);
    }
    return size - nrpc_transmit_room(&out);
}
