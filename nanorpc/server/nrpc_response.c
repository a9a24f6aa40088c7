/* nanorpc/server/nrpc_response.c - a server call's turn to send: headers, messages, trailers.
 * Layer: core. Source: gRPC over HTTP2 "Responses"; RFC 9113 8.1.
 * SPDX-License-Identifier: Apache-2.0 */
#include "nanorpc/grpc/nrpc_compression.h"
#include "nanorpc/grpc/nrpc_grpc.h"
#include "nanorpc/grpc/nrpc_metadata.h"
#include "nanorpc/http2/nrpc_transmit.h"

#define HTTP_WINDOW ((uint32_t)1 << 30)

/* Where a header block of the call goes, with the initial headers and metadata in it if they have
 * not been sent. */
static uint8_t *begin_block(struct nrpc_conn *conn, struct nrpc_call *call,
                            const struct nrpc_out *out)
{
    uint8_t *p = nrpc_respond_begin(&conn->table, out->at + NRPC_FRAME_HEADER_BYTES);
    if (call->flags & NRPC_CALL_HEADERS) {
        return p;
    }
    p = nrpc_respond_headers(&conn->table, p,
                             call->flags & NRPC_CALL_HTTP ? nrpc_call_tx(call) : NULL);
    p = nrpc_respond_encoding(p, nrpc_compression_announced(call));
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
    conn->idle = (uint16_t)(conn->now_ms >> NRPC_TICK_SHIFT);
    nrpc_stream_close(call, NRPC_OK);
}

/* One frame or two, so that all calls take their turns. */
NRPC_NOINLINE enum nrpc_turn nrpc_up_response(struct nrpc_conn *conn, struct nrpc_call *call,
                                              struct nrpc_out *out)
{
    nrpc_grpc_advance(call);
    nrpc_transmit_window(conn, call, out);
    if (!(call->flags & (NRPC_CALL_TX | NRPC_CALL_FINISHED))) {
        return NRPC_TURN_IDLE;
    }
    if (call->flags & NRPC_CALL_TX) {
        if (!(call->flags & NRPC_CALL_HEADERS)) {
            uint8_t *end = begin_block(conn, call, out);
            nrpc_transmit_headers(call, out, end, 0);
        }
        enum nrpc_turn turn = nrpc_transmit_data(conn, call, out);
        if (turn == NRPC_TURN_IDLE ||
            (call->flags & (NRPC_CALL_TX | NRPC_CALL_FINISHED)) != NRPC_CALL_FINISHED) {
            return turn;
        }
    }
    if (nrpc_transmit_room(out) < NRPC_TRANSMIT_MIN) {
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
