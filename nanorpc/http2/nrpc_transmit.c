/* nanorpc/http2/nrpc_transmit.c - the sending side of a connection: frames are made when there is
 * room. Layer: core. Source: RFC 9113 5.2, 6; gRPC over HTTP2 "Responses".
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanorpc/compression.h"
#include "nanorpc/grpc/nrpc_grpc.h"
#include "nanorpc/grpc/nrpc_metadata.h"
#include "nanorpc/http2/nrpc_role.h"

enum { RECV_WINDOW_LOW = NRPC_WINDOW_INITIAL / 2, HTTP_WINDOW = 1 << 30 };

static size_t room(const struct nrpc_out *out)
{
    return (size_t)(out->end - out->at);
}

NRPC_SHARED NRPC_NOINLINE void nrpc_transmit_number(struct nrpc_out *out, unsigned type,
                                                    uint32_t id, uint32_t value)
{
    out->at = nrpc_put32(nrpc_frame_write(out->at, 4, NRPC_TYPE_FLAGS(type, 0), id), value);
}

/* --- A call's frames ---------------------------------------------------------------------- */

/* HEADERS or DATA go out: the call is not stalled, and the client may ping again. */
static void note_progress(struct nrpc_conn *conn)
{
    conn->flags |= NRPC_CONN_TX_PROGRESS;
    conn->pings = 0;
}

/* Memory that messages have left is given back to the client as window, but not while it is not
 * known how much of it a DATA frame that is coming in will take again. */
NRPC_SHARED void nrpc_transmit_window(struct nrpc_conn *conn, struct nrpc_call *call,
                                      struct nrpc_out *out)
{
    int32_t free_bytes = (int32_t)(conn->server->rx_bytes - call->rx_have);
    int in_frame = conn->phase > NRPC_PHASE_HEAD && conn->frame.id == call->id;
    if (call->recv_window < free_bytes && !in_frame &&
        !(call->flags & (NRPC_CALL_RX_END | NRPC_CALL_FINISHED))) {
        nrpc_transmit_number(out, NRPC_WINDOW_UPDATE, call->id,
                             (uint32_t)(free_bytes - call->recv_window));
        call->recv_window = free_bytes;
    }
}

NRPC_SHARED NRPC_NOINLINE void nrpc_transmit_headers(struct nrpc_call *call, struct nrpc_out *out,
                                                     uint8_t *block_end, unsigned flags)
{
    uint32_t n = (uint32_t)(block_end - out->at) - NRPC_FRAME_HEADER_BYTES;
    nrpc_frame_write(out->at, n, NRPC_TYPE_FLAGS(NRPC_HEADERS, flags | NRPC_END_HEADERS), call->id);
    out->at = block_end;
    call->flags |= NRPC_CALL_HEADERS;
    note_progress(nrpc_call_conn(call));
}

/* Where a header block of the call goes, with the initial headers and metadata in it if they have
 * not been sent. */
static uint8_t *begin_block(struct nrpc_conn *conn, struct nrpc_call *call,
                            const struct nrpc_out *out)
{
    uint8_t *p = out->at + NRPC_FRAME_HEADER_BYTES;
    if (call->flags & NRPC_CALL_HEADERS) {
        return p;
    }
    p = nrpc_respond_headers(&conn->table, p,
                             call->flags & NRPC_CALL_HTTP ? nrpc_call_tx(call) : NULL);
#if NRPC_COMPRESSION
    p = nrpc_respond_encoding(p, nrpc_compression_announced(call));
#endif
    return nrpc_metadata_put(call, NRPC_HEADER, p);
}

/* Trailers; where nothing else has been sent they are the only headers ("Trailers-Only"). */
static void put_trailers(struct nrpc_conn *conn, struct nrpc_call *call, struct nrpc_out *out)
{
    uint8_t *p = begin_block(conn, call, out);
    if (call->flags & NRPC_CALL_ENCODINGS) {
        p = nrpc_respond_encodings(p);
    }
    p = nrpc_respond_status(&conn->table, p, call->status);
    if (call->message_length) {
        p = nrpc_respond_message(p, nrpc_call_message(call), call->message_length);
    }
    p = nrpc_metadata_put(call, NRPC_TRAILER, p);
    nrpc_transmit_headers(call, out, p, NRPC_END_STREAM);
}

/* Our side of the stream is done. RFC 9113 8.1: a client that still sends may stop. One that is no
 * gRPC client need not know of that: it may send it all, to be dropped. */
static void end_stream(struct nrpc_conn *conn, struct nrpc_call *call, struct nrpc_out *out)
{
    if (!(call->flags & NRPC_CALL_RX_END)) {
        int http = call->flags & NRPC_CALL_HTTP;
        nrpc_transmit_number(out, http ? NRPC_WINDOW_UPDATE : NRPC_RST_STREAM, call->id,
                             http ? HTTP_WINDOW : NRPC_H2_NO_ERROR);
    }
    if (conn->glitches) {
        conn->glitches--;
    }
    nrpc_stream_close(call, NRPC_OK);
}

/* As much of the message as windows, frame size and room allow; of one that is larger than its
 * block, what the codec makes of it. */
NRPC_SHARED enum nrpc_turn nrpc_transmit_data(struct nrpc_conn *conn, struct nrpc_call *call,
                                              struct nrpc_out *out)
{
    uint32_t in_block = call->tx_length - call->tx_sent;
    uint32_t n = (uint32_t)room(out) - NRPC_FRAME_HEADER_BYTES;
    int32_t window = call->send_window < conn->send_window ? call->send_window : conn->send_window;
    if (window <= 0) {
        return NRPC_TURN_IDLE;
    }
    n = n < (uint32_t)window ? n : (uint32_t)window;
    n = n < NRPC_FRAME_MAX ? n : NRPC_FRAME_MAX; /* which every peer takes */
#if NRPC_PIECES
    if (!in_block) {
        n = call->method->codec->produce(call, out->at + NRPC_FRAME_HEADER_BYTES, n);
        if (!n) {
            return NRPC_TURN_MORE; /* trailers, or the next turn finds that it waits */
        }
    }
#endif
    if (in_block || !NRPC_PIECES) {
        n = n < in_block ? n : in_block;
        memcpy(out->at + NRPC_FRAME_HEADER_BYTES, nrpc_call_tx(call) + call->tx_sent, n);
        call->tx_sent = (nrpc_block_size)(call->tx_sent + n);
    }
    out->at = nrpc_frame_write(out->at, n, NRPC_TYPE_FLAGS(NRPC_DATA, 0), call->id) + n;
    call->send_window -= (int32_t)n;
    conn->send_window -= (int32_t)n;
    note_progress(conn);
    if (call->tx_sent == call->tx_length && !(call->flags & NRPC_CALL_PRODUCING)) {
        call->tx_length = 0;
        call->flags &= (uint16_t)~NRPC_CALL_TX;
    }
    return NRPC_TURN_MORE;
}

/* One frame or two, so that all calls take their turns. */
enum nrpc_turn nrpc_transmit_response(struct nrpc_conn *conn, struct nrpc_call *call,
                                      struct nrpc_out *out)
{
    nrpc_transmit_window(conn, call, out);
    if (!(call->flags & (NRPC_CALL_TX | NRPC_CALL_FINISHED))) {
        return NRPC_TURN_IDLE;
    }
    if (call->flags & NRPC_CALL_TX) {
        if (!(call->flags & NRPC_CALL_HEADERS)) {
            nrpc_transmit_headers(call, out, begin_block(conn, call, out), 0);
        }
        enum nrpc_turn turn = nrpc_transmit_data(conn, call, out);
        if (turn == NRPC_TURN_IDLE ||
            (call->flags & (NRPC_CALL_TX | NRPC_CALL_FINISHED)) != NRPC_CALL_FINISHED) {
            return turn;
        }
    }
    if (room(out) < NRPC_TRANSMIT_MIN) {
        return NRPC_TURN_MORE;
    }
    if (call->flags & NRPC_CALL_HTTP) {
        out->at = nrpc_frame_write(out->at, 0, NRPC_TYPE_FLAGS(NRPC_DATA, NRPC_END_STREAM),
                                   call->id);
    } else {
        put_trailers(conn, call, out);
    }
    end_stream(conn, call, out);
    return NRPC_TURN_IDLE;
}

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
    if (room(out) < NRPC_TRANSMIT_MIN) {
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
    while (room(out) >= NRPC_TRANSMIT_MIN && (call = nrpc_stream_unqueue(conn)) != NULL) {
        if (call->flags & NRPC_CALL_OPEN) {
            nrpc_grpc_advance(call);
            if (NRPC_ROLE_TURN(conn, call, out) != NRPC_TURN_IDLE) {
                nrpc_stream_queue(call);
            }
        }
    }
}
#else
static void put_calls(struct nrpc_conn *conn, struct nrpc_out *out)
{
    unsigned left = NRPC_MAX_STREAMS; /* calls to be asked, unless one has something */
    while (left-- && room(out) >= NRPC_TRANSMIT_MIN) {
        struct nrpc_call *call = &conn->calls[conn->turn];
        conn->turn = (uint16_t)(conn->turn + 1u == NRPC_MAX_STREAMS ? 0 : conn->turn + 1u);
        if (call->flags & NRPC_CALL_OPEN) {
            nrpc_grpc_advance(call);
            if (NRPC_ROLE_TURN(conn, call, out) != NRPC_TURN_IDLE) {
                left = NRPC_MAX_STREAMS;
            }
        }
    }
}
#endif

size_t nrpc_conn_transmit(struct nrpc_conn *conn, void *buf, size_t size)
{
    struct nrpc_out out = {.at = buf, .end = (uint8_t *)buf + size};
    put_control(conn, &out);
    if (!(conn->flags & NRPC_CONN_DEAD)) {
        put_calls(conn, &out);
    }
    return size - room(&out);
}
